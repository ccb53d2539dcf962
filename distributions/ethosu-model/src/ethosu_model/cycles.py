# SPDX-License-Identifier: Apache-2.0
"""An estimate of the cycles that operations take; no figure of the hardware.

It follows Vela's npu_performance and architecture_features: throughput and delays of the MAC array
and of the output stage, block by block, and the memories behind the ports. Unlike there, smaller
blocks at the edges cost less.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from itertools import product
from math import ceil

from ethosu_model.config import AcceleratorConfig, BlockShape
from ethosu_model.operands import Kernel, Shape
from ethosu_model.traffic import SUBKERNEL, Traffic


class OutputKind(Enum):
    """What the output stage does for an element; its cost differs (Vela's perf index)."""

    WIDE_BINARY = auto()
    WIDE_UNARY = auto()
    WIDE_MULTIPLY = auto()
    MULTIPLY = auto()
    ADD_SIMPLE = auto()
    ADD = auto()
    MAXIMUM = auto()
    OTHER = auto()


class BlockKind(Enum):
    """How the MAC array works through a block."""

    CONVOLUTION = auto()
    DEPTHWISE = auto()
    POOLING = auto()
    REDUCE_SUM = auto()
    ELEMENTWISE = auto()


@dataclass(frozen=True)
class Workload:
    """What the estimate depends on.

    Attributes:
        kind: Kind of operation.
        output: Kind of output work.
        ofm: Shape of the OFM.
        block: OFM block.
        kernel: The kernel.
        ifm: Shape of the IFM.
        ifm_block: Block of it.
        ifm_bits: Element size of the IFM.
        ofm_bits: Element size of the OFM.
        looks_up: The activation uses a table, sigmoid or tanh.
        stored_depth: Channels of the OFM with what fills its bricks.
        traffic: What it moves: the OFM, the IFM, then IFM2 or weights and scales.
    """

    kind: BlockKind
    output: OutputKind
    ofm: Shape
    block: Shape
    kernel: Kernel
    ifm: Shape
    ifm_block: Shape
    ifm_bits: int
    ofm_bits: int
    looks_up: bool
    stored_depth: int
    traffic: tuple[Traffic, ...]


@dataclass(frozen=True)
class Cycles:
    """Estimated cycles of an operation.

    Attributes:
        total: All.
        mac_active: Those in which the MAC array works.
        head: Those before it does, in which the first block is fetched.
        tail: Those after it does, in which the last block is finished and written.
    """

    total: int
    mac_active: int
    head: int = 0
    tail: int = 0


_OUTPUT_CYCLES = {
    "ethos-u55-32": (2.0, 3.0, 3.0, 3.0, 4.0, 6.0, 1.0, 2.0),
    "ethos-u55-64": (1.0, 1.5, 1.5, 1.5, 2.0, 3.0, 0.5, 1.0),
    "ethos-u55-128": (0.75, 1.25, 0.75, 0.75, 1.0, 1.5, 0.25, 0.5),
    "ethos-u55-256": (0.625, 1.125, 0.5, 0.375, 0.5, 0.75, 0.125, 0.25),
    "ethos-u65-256": (0.625, 1.125, 0.5, 0.375, 0.5, 0.75, 0.125, 0.25),
    "ethos-u65-512": (0.3125, 0.5625, 0.25, 0.1875, 0.25, 0.375, 0.0625, 0.125),
}
_LOOKUP_CYCLES = {"ethos-u65-512": 0.5}


def estimate(accelerator: AcceleratorConfig, work: Workload) -> Cycles:
    """Return the estimated cycles of one operation."""
    memory = accelerator.memory.operation(work.traffic, accelerator.axi_bytes)
    fetch, write = _block_memory_cycles(accelerator, work)
    if work.kind is BlockKind.ELEMENTWISE:
        stored = work.ofm.height * work.ofm.width * work.stored_depth
        output = _output_cycles(accelerator, work)
        issued = (max(fetch, write) / work.block.elements + output) / 4
        return Cycles(total=ceil(max(stored * max(output, issued), memory)), mac_active=0)
    blocks = list(_blocks(work))
    between = abs(fetch - write) if sum(count for _, count in blocks) > 1 else 0
    total = active = 0.0
    last = 0.0
    for block, count in blocks:
        busy, mac, output = _block_cycles(accelerator, work, block, between)
        slower = max(mac, output)
        total += slower * count
        active += busy * count
        last = max(last, min(mac, output))
    return Cycles(
        total=ceil(max(fetch + total + last + write, memory)),
        mac_active=ceil(active),
        head=int(fetch),
        tail=int(last + write),
    )


def _blocks(work: Workload) -> Iterator[tuple[Shape, int]]:
    """Yield the shapes of the OFM's blocks, those at its edges are smaller, and how many."""
    sides = [
        _pieces(getattr(work.ofm, side), getattr(work.block, side))
        for side in ("height", "width", "depth")
    ]
    for (height, rows), (width, columns), (depth, slices) in product(*sides):
        yield Shape(height, width, depth), rows * columns * slices


def _pieces(whole: int, piece: int) -> list[tuple[int, int]]:
    full, rest = divmod(whole, piece)
    return [(size, count) for size, count in ((piece, full), (rest, int(rest > 0))) if count]


def _block_cycles(
    accelerator: AcceleratorConfig, work: Workload, block: Shape, between: float
) -> tuple[float, float, float]:
    """Return a block's cycles: in which MACs work, of the MAC array, and of the output stage.

    ``between`` is how much longer its fetch takes than its writing, or the other way round.
    """
    busy, delay = _mac_cycles(accelerator, work, block)
    busy, delay = busy / accelerator.cores, delay / accelerator.cores
    output = block.elements * _output_cycles(accelerator, work)
    if len(work.traffic) > 2:  # Biases and scales, ten bytes a channel.
        latency = accelerator.memory.latency(work.traffic[-1])
        output = max(output, 10 * block.depth * latency / 256)
    waiting = (between + output + busy + delay) / 4
    return busy, max(busy + delay, waiting), max(output, waiting)


def _block_memory_cycles(accelerator: AcceleratorConfig, work: Workload) -> tuple[float, float]:
    """Return what fetching an IFM block, and what writing an OFM block takes."""
    ofm, *inputs = work.traffic
    inputs = inputs if work.kind is BlockKind.ELEMENTWISE else inputs[:1]
    taken = _clipped(work.ifm_block, work.ifm).elements * work.ifm_bits // 8
    made = _clipped(work.block, work.ofm).elements * work.ofm_bits // 8
    memory, beat = accelerator.memory, accelerator.axi_bytes
    fetch = max(
        (
            memory.latency(entry) + memory.cycles(replace(entry, read_bytes=taken), beat)
            for entry in inputs
        ),
        default=0.0,
    )
    return fetch, memory.latency(ofm) + memory.cycles(replace(ofm, written_bytes=made), beat)


def _clipped(block: Shape, whole: Shape) -> Shape:
    return Shape(
        min(block.height, whole.height),
        min(block.width, whole.width),
        min(block.depth, whole.depth),
    )


def _output_cycles(accelerator: AcceleratorConfig, work: Workload) -> float:
    per_element = _OUTPUT_CYCLES[accelerator.name][list(OutputKind).index(work.output)]
    if work.looks_up:
        return max(per_element, _LOOKUP_CYCLES.get(accelerator.name, 1.0))
    return per_element


def ifm_block_depth(depth: int, bits: int, kernel: Kernel) -> int:
    """Return the channels that the MAC array takes of an IFM of ``depth`` channels at once."""
    largest = 16 if bits > 8 or kernel.part_kernel_first else 32
    return min(largest, -(-depth // 8) * 8)


def _mac_cycles(
    accelerator: AcceleratorConfig, work: Workload, block: Shape
) -> tuple[float, float]:
    """Return the MAC array's cycles for one OFM block, and those that it waits for itself.

    Both are of all subkernels and IFM blocks.
    """
    unit = _microblock(accelerator, work)
    columns, rows = ceil(block.width / unit.width), ceil(block.height / unit.height)
    depth = ceil(block.depth / unit.depth)
    busy, delay = 0.0, 0.0
    for elements in _subkernels(work):
        steps, per_step = _steps(accelerator, work, elements, unit, rows * columns)
        busy += per_step * steps * depth
        delay += _delay(accelerator, work, steps, (rows, columns, depth))
    passes = 1
    if work.kind in (BlockKind.CONVOLUTION, BlockKind.REDUCE_SUM):
        taken = ifm_block_depth(work.ifm.depth, work.ifm_bits, work.kernel)
        passes = ceil(work.ifm.depth / taken)
        if _is_part_kernel(work):
            passes *= ceil(taken / 8)
    return busy * passes, delay * passes


def _is_part_kernel(work: Workload) -> bool:
    return work.kernel.part_kernel_first and work.kind is BlockKind.CONVOLUTION


def _microblock(accelerator: AcceleratorConfig, work: Workload) -> BlockShape:
    """Return the OFM microblock: a tall one lies down where the OFM has one row."""
    unit, ofm = accelerator.ofm_microblock, work.ofm
    flat = ofm.height == 1 and ofm.width % 2 == 0 and work.kernel.height == 1
    if unit.height == 2 and flat and work.kind is BlockKind.CONVOLUTION:
        return BlockShape(1, 4, unit.depth)
    return unit


def _subkernels(work: Workload) -> list[int]:
    """Return the elements of each part that the MAC array takes of the kernel."""
    kernel = work.kernel
    return [
        min(kernel.height - y, SUBKERNEL) * min(kernel.width - x, SUBKERNEL)
        for y in range(0, kernel.height, SUBKERNEL)
        for x in range(0, kernel.width, SUBKERNEL)
    ]


def _steps(
    accelerator: AcceleratorConfig, work: Workload, elements: int, unit: BlockShape, spatial: int
) -> tuple[int, int]:
    """Return a subkernel's steps, and the cycles of one for each microblock along depth."""
    wide = work.ifm_bits == 16
    weights = 32 * unit.depth // 8
    if work.kind is BlockKind.POOLING:
        slower = 1 if accelerator.macs == 32 else work.ifm_bits // 2
        return 1, max(4, elements) * spatial * slower
    if work.kind is BlockKind.DEPTHWISE:
        return ceil(elements / 4), max(weights, 4 * spatial * (2 if wide else 1))
    if _is_part_kernel(work):
        return ceil(elements / (2 if wide else 4)), max(weights, 4 * spatial)
    return elements, max(weights, 4 * spatial)


def _delay(
    accelerator: AcceleratorConfig, work: Workload, steps: int, units: tuple[int, int, int]
) -> int:
    """Return the cycles in which one microblock's sum waits for the one before it."""
    rows, columns, depth = units
    wide = work.output is OutputKind.MULTIPLY  # Accumulators of 40 bits.
    if accelerator.macs == 32:
        cycles = 7 if wide else 3
    else:
        cycles = 3 if wide and accelerator.macs in (64, 128) else 2
    delay = 0
    if rows == columns == 1:
        delay = cycles * steps if depth == 1 else cycles * (steps - 1) * depth
    if accelerator.macs == 32 and wide and depth > 1 and 1 in (rows, columns):
        delay += cycles * depth
    return delay
