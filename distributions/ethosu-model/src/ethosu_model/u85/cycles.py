# SPDX-License-Identifier: Apache-2.0
"""An estimate of the cycles that operations of Ethos-U85 take; no figure of the hardware.

It follows Vela's C++ core (ethos_u85_performance.cpp): MAC array, output stage and the issue of
commands, block by block, the fetch of the first block and the write of the last, and the channels
to the memories behind the ports.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from ethosu_model.config import AcceleratorConfig
from ethosu_model.cycles import BlockKind, Cycles
from ethosu_model.operands import Kernel, Shape
from ethosu_model.traffic import SUBKERNEL, Traffic
from ethosu_model.u85.channels import Channel, access_cycles, padded_bytes, port_bandwidth

# The output stage's cycles for an element: of 8 bits, 16, 32; of 32 bits that is made smaller or
# goes into a chaining buffer; and from two operands of 32 bits into one.
_OUTPUT_CYCLES = {
    128: (0.5, 0.5, 0.5, 1.0, 1.0),
    256: (0.25, 0.25, 0.25, 0.5, 0.5),
    512: (0.125, 0.125, 0.25, 0.25, 0.25),
    1024: (0.0625, 0.125, 0.25, 0.125, 0.25),
    2048: (0.03125, 0.0625, 0.125, 0.0625, 0.125),
}
# The same of a table or of another order of elements.
_ACTIVATION_CYCLES = {128: 0.5, 256: 0.25, 512: 0.125, 1024: 0.0625, 2048: 0.03125}
_DIVISION_CYCLES = 33.0
_SCALE_BYTES = 10


@dataclass(frozen=True)
class Workload:
    """What the estimate depends on.

    Attributes:
        kind: Kind of operation.
        ofm: Size of the result.
        stored_depth: Its channels with those that fill its bricks.
        block: Block of it.
        unit: Microblock.
        ifm: Size of the IFM.
        ifm_block: Block of it.
        kernel: The kernel.
        part_kernel: Weights go through the kernel before the depth.
        sparse: Weights are 2:4 sparse.
        ifm_bits: Element size of the IFM.
        ofm_bits: Element size of the OFM.
        wide: Accumulators have 48 bits.
        divides: The operation is a division.
        pairs: It is element-wise and takes two operands.
        chains: The OFM goes into a chaining buffer.
        activates: There is a table, or the OFM is transposed or reversed.
        turns: Rows and columns change places, or a row is reversed: half as quick.
        transfers: What it moves, by channel.
    """

    kind: BlockKind
    ofm: Shape
    stored_depth: int
    block: Shape
    unit: Shape
    ifm: Shape
    ifm_block: Shape
    kernel: Kernel
    part_kernel: bool
    sparse: bool
    ifm_bits: int
    ofm_bits: int
    wide: bool
    divides: bool
    pairs: bool
    chains: bool
    activates: bool
    turns: bool
    transfers: tuple[tuple[Channel, Traffic], ...]


def estimate(accelerator: AcceleratorConfig, work: Workload, *chained: Workload) -> Cycles:
    """Return the estimated cycles of one operation, with those that are chained to it.

    A chain goes through the output stage operation by operation, block by block.
    """
    chain = (work, *chained)
    transfers = [transfer for each in chain for transfer in each.transfers]
    memory = access_cycles(accelerator.macs, accelerator.memory, transfers)
    output = sum(_output_cycles(accelerator, each) for each in chain)
    fetch, write = _fetch_cycles(accelerator, work), _write_cycles(accelerator, chain[-1])
    if work.kind is BlockKind.ELEMENTWISE:
        elements = work.ofm.height * work.ofm.width * work.stored_depth
        issued = (max(fetch, write) / work.block.elements + output) / 4
        return Cycles(max(1, ceil(max(issued * elements, output * elements, memory))), 0)
    block = _clipped(work.block, work.ofm)
    units = _units(block, work.unit)
    blocks = _units(work.ofm, work.unit).elements / units.elements
    mac = _mac_cycles(accelerator, work, units)
    out = max(ceil(output * block.elements), _scale_cycles(accelerator, work, block))
    between = abs(fetch - write) if blocks > 1 else 0
    issued = (between + mac + out) / 4
    slower, quicker = max(mac, out, issued), max(min(mac, out), issued)
    total = fetch + slower * blocks + quicker + write
    return Cycles(
        total=max(1, ceil(max(total, memory))),
        mac_active=ceil(mac * blocks),
        head=int(fetch),
        tail=int(quicker + write),
    )


def _clipped(block: Shape, whole: Shape) -> Shape:
    return Shape(
        min(block.height, whole.height),
        min(block.width, whole.width),
        min(block.depth, whole.depth),
    )


def _units(size: Shape, unit: Shape) -> Shape:
    """Return how many microblocks cover a size."""
    return Shape(
        -(-size.height // unit.height), -(-size.width // unit.width), -(-size.depth // unit.depth)
    )


def _output_cycles(accelerator: AcceleratorConfig, work: Workload) -> float:
    """Return the output stage's cycles for an element."""
    if work.divides:
        return _DIVISION_CYCLES
    per_element = _OUTPUT_CYCLES[accelerator.macs][_output_row(work)]
    if work.ofm_bits > 32:
        per_element *= 2
    if work.activates:
        turned = 2 if work.turns else 1
        per_element = max(per_element, turned * _ACTIVATION_CYCLES[accelerator.macs])
    return per_element


def _output_row(work: Workload) -> int:
    if work.chains and 32 in (work.ifm_bits, work.ofm_bits):
        return 3
    if work.pairs and work.ifm_bits == 32:
        return 4 if work.ofm_bits == 32 else 3
    return {8: 0, 16: 1}.get(work.ofm_bits, 2)


def _scale_cycles(accelerator: AcceleratorConfig, work: Workload, block: Shape) -> float:
    """Return what reading the scales of a block takes."""
    for channel, traffic in work.transfers:
        if channel is Channel.SCALE:
            latency = accelerator.memory.of(traffic.port).read_latency
            return _SCALE_BYTES * block.depth * latency / 256
    return 0.0


def _fetch_cycles(accelerator: AcceleratorConfig, work: Workload) -> float:
    """Return what fetching an IFM block takes."""
    size = _clipped(work.ifm_block, work.ifm).elements * work.ifm_bits // 8
    return max(
        (
            accelerator.memory.of(traffic.port).read_latency + _moving(accelerator, traffic, size)
            for channel, traffic in work.transfers
            if channel in (Channel.IFM, Channel.IFM_STREAM)
        ),
        default=0.0,
    )


def _write_cycles(accelerator: AcceleratorConfig, work: Workload) -> float:
    """Return what writing an OFM block takes."""
    size = _clipped(work.block, work.ofm).elements * work.ofm_bits // 8
    return sum(
        accelerator.memory.of(traffic.port).write_latency + _moving(accelerator, traffic, size)
        for channel, traffic in work.transfers
        if channel is Channel.WRITE
    )


def _moving(accelerator: AcceleratorConfig, traffic: Traffic, size_bytes: int) -> float:
    memory = accelerator.memory.of(traffic.port)
    part = Traffic(traffic.port, read_bytes=size_bytes, burst_bytes=traffic.burst_bytes)
    return padded_bytes(memory, part) / port_bandwidth(memory)


def _subkernels(kernel: Kernel) -> Iterator[int]:
    """Yield the elements of each part that the MAC array takes of the kernel."""
    for x in range(0, kernel.width, SUBKERNEL):
        for y in range(0, kernel.height, SUBKERNEL):
            yield min(kernel.height - y, SUBKERNEL) * min(kernel.width - x, SUBKERNEL)


def _mac_cycles(accelerator: AcceleratorConfig, work: Workload, units: Shape) -> float:
    """Return the MAC array's cycles for one OFM block of ``units`` microblocks."""
    depth = min(work.ifm_block.depth, work.ifm.depth)
    cycles = 0.0
    for elements in _subkernels(work.kernel):
        steps, busy = _busy_cycles(accelerator, work, units, (depth, elements))
        cycles += busy + _delay(accelerator, work, units, steps) * (
            -(-depth // 8) if _is_part_kernel(work) else 1
        )
    if work.kind in (BlockKind.CONVOLUTION, BlockKind.REDUCE_SUM):
        cycles *= -(-work.ifm.depth // depth)
    return cycles


def _is_part_kernel(work: Workload) -> bool:
    return work.part_kernel and work.kind is BlockKind.CONVOLUTION


def _busy_cycles(
    accelerator: AcceleratorConfig, work: Workload, units: Shape, taken: tuple[int, int]
) -> tuple[int, float]:
    """Return the steps of a part of the kernel, and the cycles in which MACs work on it.

    ``taken`` are the input channels and the elements of the kernel that are taken at once.
    """
    depth, elements = taken
    area, width = units.height * units.width, work.ifm_bits // 8
    if work.kind is BlockKind.POOLING:
        return 1, max(4, elements) * units.elements * (work.ifm_bits // 2)
    # The decoders fill their parts of the weight buffer side by side.
    weights = 32 * work.unit.depth // (8 * accelerator.cores)
    if work.kind is BlockKind.DEPTHWISE:
        steps = -(-elements // 4)
        return steps, max(weights, 4 * area * width) * steps * units.depth
    halved = 2 if work.sparse else 1
    if _is_part_kernel(work):
        steps = -(-elements // (2 if work.ifm_bits == 16 else 4))
        busy = max(weights, 4 * area) * steps * units.depth * -(-depth // 8)
        return steps, busy / halved
    busy = max(weights, depth // 8 * area) * elements * units.depth * width
    return elements, busy / halved


def _delay(accelerator: AcceleratorConfig, work: Workload, units: Shape, steps: int) -> int:
    """Return the cycles in which one microblock's sum waits for the one before it."""
    if units.height * units.width != 1:
        return 0
    delay = 3 if work.wide and accelerator.macs <= 128 else 2
    return delay * steps if units.depth == 1 else delay * (steps - 1) * units.depth
