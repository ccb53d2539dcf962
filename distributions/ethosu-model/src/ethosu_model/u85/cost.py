# SPDX-License-Identifier: Apache-2.0
"""What one operation of Ethos-U85 costs: its traffic, and the workload of the cycle estimate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from ethosu_model.accounting import OperationCost
from ethosu_model.cycles import BlockKind
from ethosu_model.events import traffic_events
from ethosu_model.operands import Kernel, Shape
from ethosu_model.traffic import (
    Traffic,
    block_counts,
    elementwise_traffic,
    ifm_block,
    ifm_traffic,
    ofm_traffic,
    stored_depth,
    whole_blocks,
)
from ethosu_model.u85.channels import Channel
from ethosu_model.u85.commands import Cmd0
from ethosu_model.u85.config import MICROBLOCK_DEPTHS
from ethosu_model.u85.cycles import Workload, estimate
from ethosu_model.u85.enums import Function, Reverse, Transpose
from ethosu_model.u85.ifm_units import ifm_unit

if TYPE_CHECKING:
    from ethosu_model.u85.operation import Operation

_NO_KERNEL = Kernel(1, 1, 1, 1, 1, 1, part_kernel_first=False, decomposition=8)
# Transposes that change rows for columns.
_TURNED = frozenset({Transpose.WHC, Transpose.WCH, Transpose.CWH})

Transfer = tuple[Channel, Traffic]


def cost_of(operation: Operation) -> OperationCost:
    """Return what running ``operation`` costs."""
    accelerator = operation.machine.accelerator
    taken = _ifm_block(operation)
    transfers = [*_inputs(operation, taken), *operation.stream_traffic()]
    if operation.ofm.chain is None:
        transfers.append((Channel.WRITE, ofm_traffic(operation.ofm.fm, operation.block)))
    beats = traffic_events([traffic for _, traffic in transfers], accelerator.axi_bytes)
    counted = tuple(_counted(operation, one, taken) for one in transfers)
    work = _workload(operation, counted, taken)
    before = operation.machine.chain if operation.joins else ()
    operation.machine.chain = chain = (*before, work)
    cycles = estimate(accelerator, *chain)
    if before:
        cycles = replace(cycles, total=cycles.total - estimate(accelerator, *before).total)
    return OperationCost(
        cycles,
        work.ifm_bits,
        beats,
        overlaps=operation.state.get(Cmd0.NPU_SET_BLOCKDEP.blockdep) > 0,
        joins=operation.joins,
    )


def _workload(operation: Operation, transfers: tuple[Transfer, ...], taken: Shape) -> Workload:
    get, works = operation.state.get, operation.work_kind is not BlockKind.ELEMENTWISE
    ifm = operation.inputs[0].fm if operation.inputs else operation.ofm.fm
    transpose = get(Cmd0.NPU_SET_OFM_PRECISION.activation_transpose)
    reverse = get(Cmd0.NPU_SET_OFM_PRECISION.activation_reverse)
    turns = transpose in _TURNED or reverse is Reverse.W
    kernel = operation.window.kernel if works else _NO_KERNEL
    return Workload(
        kind=operation.work_kind,
        ofm=operation.shape,
        stored_depth=stored_depth(replace(operation.ofm.fm, shape=operation.shape)),
        block=operation.block,
        unit=_microblock(operation),
        ifm=ifm.shape,
        ifm_block=taken,
        kernel=kernel,
        part_kernel=works and kernel.part_kernel_first,
        sparse=operation.sparse,
        ifm_bits=8 * ifm.dtype.itemsize,
        ofm_bits=8 * operation.ofm.fm.dtype.itemsize,
        wide=operation.wide,
        divides=operation.divides,
        pairs=not works and len(operation.inputs) > 1,
        chains=operation.ofm.chain is not None,
        activates=turns or operation.activation.function is not Function.LUT_NONE,
        turns=turns,
        transfers=transfers,
    )


def _microblock(operation: Operation) -> Shape:
    microblock = operation.state.get(Cmd0.NPU_SET_ACC_FORMAT.microblock)
    depths = MICROBLOCK_DEPTHS[operation.machine.accelerator.name]
    height, width = (int(side) for side in microblock.name[1:].split("X"))
    return Shape(height, width, depths.get(microblock, min(depths.values())))


def _ifm_block(operation: Operation) -> Shape:
    if operation.kind is BlockKind.ELEMENTWISE:
        return operation.block
    depth = operation.ifm_block_depth
    bits = 8 * operation.inputs[0].fm.dtype.itemsize
    microblock = operation.state.get(Cmd0.NPU_SET_ACC_FORMAT.microblock)
    unit = ifm_unit(operation.machine.accelerator.macs, microblock, depth * bits)
    return ifm_block(operation.block, operation.window, unit, depth)


def _inputs(operation: Operation, taken: Shape) -> Iterable[Transfer]:
    for operand in operation.inputs:
        if operand.chain is not None:
            continue
        fm = operand.fm
        if operation.kind is BlockKind.ELEMENTWISE or operand is not operation.inputs[0]:
            yield Channel.IFM_STREAM, elementwise_traffic(fm, operation.block)
            continue
        counts = block_counts(operation.shape, operation.block)
        read = ifm_traffic(
            fm,
            operation.shape,
            operation.block,
            operation.window,
            taken=taken,
            depth_passes=counts.depth if operation.kind is BlockKind.CONVOLUTION else 1,
        )
        yield Channel.IFM, read


def _counted(operation: Operation, transfer: Transfer, taken: Shape) -> Transfer:
    """Return a transfer as the estimate counts it.

    Scales come again for each OFM block in x and y, and IFM blocks are whole.
    """
    channel, traffic = transfer
    if channel is Channel.SCALE:
        counts = block_counts(operation.shape, operation.block)
        return channel, replace(
            traffic, read_bytes=traffic.read_bytes * counts.height * counts.width
        )
    if channel is Channel.IFM:
        again = operation.kind is BlockKind.CONVOLUTION
        counts = block_counts(operation.shape, operation.block)
        passes = counts.depth if again else 1
        places = counts.height * counts.width * passes
        kernel = operation.window.kernel
        return channel, whole_blocks(traffic, operation.inputs[0].fm, taken, kernel, places)
    return transfer
