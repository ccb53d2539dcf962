# SPDX-License-Identifier: Apache-2.0
"""An estimate of the cycles that operations of Ethos-U85 take; no figure of the hardware.

It follows Vela's C++ core (ethos_u85_performance.cpp): MAC array, output stage and the issue of
commands, block by block, and the channels to the memories behind the ports.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from ethosu_model.config import AcceleratorConfig
from ethosu_model.cycles import BlockKind, Cycles
from ethosu_model.operands import Kernel, Shape
from ethosu_model.traffic import Traffic
from ethosu_model.u85.channels import Channel, access_cycles, padded_bytes, port_bandwidth

_SUBKERNEL = 8  # the longest side of what the MAC array takes of a kernel at once
# The output stage's cycles for an element of 8 bits, and of more; times MACs the first is 64.
_OUTPUT_CYCLES = {
    128: (0.5, 0.5),
    256: (0.25, 0.25),
    512: (0.125, 0.125),
    1024: (0.0625, 0.125),
    2048: (0.03125, 0.0625),
}
# The same of a table or of another order of elements.
_ACTIVATION_CYCLES = {128: 0.5, 256: 0.25, 512: 0.125, 1024: 0.0625, 2048: 0.0625}
_DIVISION_CYCLES = 33.0
_SCALE_BYTES = 10


@dataclass(frozen=True)
class Workload:
    """What the estimate depends on.

    Attributes:
        kind: Kind of operation.
        ofm: Size of the result.
        block: Block of it.
        unit: Microblock.
        ifm: Size of the IFM.
        ifm_block_depth: Input channels of a block.
        kernel: The kernel.
        part_kernel: Weights go through the kernel before the depth.
        sparse: Weights are 2:4 sparse.
        ifm_bits: Element size of the IFM.
        ofm_bits: Element size of the OFM.
        wide: Accumulators have 48 bits.
        divides: The operation is a division.
        activates: There is a table, or the OFM is transposed or reversed.
        turns: Rows and columns change places, or a row is reversed: half as quick.
        transfers: What it moves, by channel.
    """

    kind: BlockKind
    ofm: Shape
    block: Shape
    unit: Shape
    ifm: Shape
    ifm_block_depth: int
    kernel: Kernel
    part_kernel: bool
    sparse: bool
    ifm_bits: int
    ofm_bits: int
    wide: bool
    divides: bool
    activates: bool
    turns: bool
    transfers: tuple[tuple[Channel, Traffic], ...]


def estimate(accelerator: AcceleratorConfig, work: Workload) -> Cycles:
    """Return the estimated cycles of one operation."""
    memory = access_cycles(accelerator.macs, accelerator.memory, work.transfers)
    output = _output_cycles(accelerator, work)
    if work.kind is BlockKind.ELEMENTWISE:
        elements = work.ofm.elements
        issued = (_block_memory_cycles(accelerator, work) / work.block.elements + output) / 4
        return Cycles(max(1, ceil(max(issued * elements, output * elements, memory))), 0)
    block = _clipped(work.block, work.ofm)
    units = _units(block, work.unit)
    blocks = _units(work.ofm, work.unit).elements / units.elements
    mac = _mac_cycles(accelerator, work, units)
    out = max(ceil(output * block.elements), _scale_cycles(accelerator, work, block))
    issued = (_block_memory_cycles(accelerator, work) + mac + out) / 4
    slower, quicker = max(mac, out, issued), max(min(mac, out), issued)
    total = slower * blocks + quicker
    return Cycles(max(1, ceil(max(total, memory))), mac_active=ceil(mac * blocks))


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
    per_element = _OUTPUT_CYCLES[accelerator.macs][work.ofm_bits > 8]
    if work.activates:
        per_element = max(per_element, _ACTIVATION_CYCLES[accelerator.macs])
    return 2 * per_element if work.turns else per_element


def _scale_cycles(accelerator: AcceleratorConfig, work: Workload, block: Shape) -> float:
    """Return what reading the scales of a block takes."""
    for channel, traffic in work.transfers:
        if channel is Channel.SCALE:
            latency = accelerator.memory.of(traffic.port).read_latency
            return _SCALE_BYTES * block.depth * latency / 256
    return 0.0


def _block_memory_cycles(accelerator: AcceleratorConfig, work: Workload) -> float:
    """Return what fetching an IFM block and writing an OFM block takes."""
    longest = {True: 0.0, False: 0.0}
    for channel, traffic in work.transfers:
        writes = channel is Channel.WRITE
        if channel not in (Channel.IFM, Channel.IFM_STREAM, Channel.WRITE):
            continue
        memory = accelerator.memory.of(traffic.port)
        whole = work.ofm if writes or work.kind is BlockKind.ELEMENTWISE else work.ifm
        block = _clipped(work.block if whole is work.ofm else _ifm_block(work), whole)
        bits = work.ofm_bits if writes else work.ifm_bits
        size = block.elements * bits // 8
        part = Traffic(traffic.port, read_bytes=size, burst_bytes=traffic.burst_bytes)
        latency = memory.write_latency if writes else memory.read_latency
        taken = latency + padded_bytes(memory, part) / port_bandwidth(memory)
        longest[writes] = max(longest[writes], taken)
    return sum(longest.values())


def _ifm_block(work: Workload) -> Shape:
    kernel, block = work.kernel, work.block
    return Shape(
        (block.height - 1) * kernel.stride_y + min(kernel.dilated_height, _SUBKERNEL),
        (block.width - 1) * kernel.stride_x + min(kernel.dilated_width, _SUBKERNEL),
        work.ifm_block_depth,
    )


def _subkernels(kernel: Kernel) -> Iterator[int]:
    """Yield the elements of each part that the MAC array takes of the kernel."""
    for x in range(0, kernel.width, _SUBKERNEL):
        for y in range(0, kernel.height, _SUBKERNEL):
            yield min(kernel.height - y, _SUBKERNEL) * min(kernel.width - x, _SUBKERNEL)


def _mac_cycles(accelerator: AcceleratorConfig, work: Workload, units: Shape) -> float:
    """Return the MAC array's cycles for one OFM block of ``units`` microblocks."""
    depth = min(work.ifm_block_depth, work.ifm.depth)
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
    area, weights = units.height * units.width, 32 * work.unit.depth // 8
    width = work.ifm_bits // 8
    if work.kind is BlockKind.POOLING:
        return 1, max(4, elements) * units.elements * (work.ifm_bits // 2)
    if work.kind is BlockKind.DEPTHWISE:
        steps = -(-elements // 4)
        return steps, max(weights, 4 * area * width) * steps * units.depth
    halved = 2 if work.sparse else 1
    weights //= accelerator.cores  # the decoders fill their parts of the buffer side by side
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
