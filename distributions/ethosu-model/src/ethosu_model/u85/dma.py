# SPDX-License-Identifier: Apache-2.0
"""Ethos-U85's NPU_OP_DMA_START: strided and indexed copies, from and into the table RAM."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from ethosu_model.command_stream import CommandState
from ethosu_model.command_words import Address
from ethosu_model.dma import DmaReport, Endpoint, RunTransfer, read_row, write_row
from ethosu_model.enums import StrideMode
from ethosu_model.faults import AxiChannel, CommandFault
from ethosu_model.job import Job
from ethosu_model.limits import MAX_DMA_BYTES, MAX_DMA_ROWS, check
from ethosu_model.machine import Machine
from ethosu_model.u85.command_words import DmaSourceRegion, DmaTargetRegion
from ethosu_model.u85.commands import Cmd0, Cmd1

Rows = NDArray[np.int64]  # [plane, row]
_ALIGNMENT = 16
_INDEX_BYTES = 4


def prepare_dma(machine: Machine, state: CommandState, job: Job) -> RunTransfer:
    """Return what executes NPU_OP_DMA_START; its rows may depend on indices in memory."""
    return partial(_run, machine, state, job)


def _run(machine: Machine, state: CommandState, job: Job) -> DmaReport:
    """Execute NPU_OP_DMA_START: SIZE1 times SIZE0 rows of DMA0_LEN bytes.

    Each side has its own distances from row to row and from plane to plane. On an indexed side
    a list of 32-bit indices takes the place of the row's number.

    Raises:
        CommandFault: Bad region, alignment, index or size.
        TransferFault: A side meets a bus fault.
    """
    bits = machine.accelerator.address_bits
    mode = state.get(Cmd0.NPU_SET_DMA0_SRC_REGION.stride_mode)
    size0 = state.get(Cmd0.NPU_SET_DMA0_SIZE0.size) if mode > StrideMode.D1 else 1
    size1 = state.get(Cmd0.NPU_SET_DMA0_SIZE1.size) if mode > StrideMode.D2 else 1
    length = state.address(Cmd1.NPU_SET_DMA0_LEN, bits)
    check(size0 * size1, MAX_DMA_ROWS, "rows of DMA")
    check(size0 * size1 * length, MAX_DMA_BYTES, "bytes of DMA")
    machine.budget.spend(0, size0 * size1 * length)
    source = _endpoint(state, job, bits, Cmd0.NPU_SET_DMA0_SRC_REGION, Cmd1.NPU_SET_DMA0_SRC, mode)
    target = _endpoint(state, job, bits, Cmd0.NPU_SET_DMA0_DST_REGION, Cmd1.NPU_SET_DMA0_DST, mode)
    if target.internal and (length % _ALIGNMENT or target.address % _ALIGNMENT):
        raise CommandFault(f"NPU_OP_DMA_START: {length} bytes into the table RAM, not whole 16s")
    plain = np.arange(size0)[None, :].repeat(size1, 0)
    indexed = plain
    if _any_index(state) and plain.size:
        indexed = _indices(machine, state, job, (size1, size0))
    read_at = _addresses(
        source,
        state,
        (Cmd1.NPU_SET_DMA0_SRC_STRIDE0, Cmd1.NPU_SET_DMA0_SRC_STRIDE1),
        indexed if state.get(Cmd0.NPU_SET_DMA0_SRC_REGION.idx_mode) else plain,
        bits,
    )
    write_at = _addresses(
        target,
        state,
        (Cmd1.NPU_SET_DMA0_DST_STRIDE0, Cmd1.NPU_SET_DMA0_DST_STRIDE1),
        indexed if state.get(Cmd0.NPU_SET_DMA0_DST_REGION.idx_mode) else plain,
        bits,
    )
    rows = tuple(zip(read_at, write_at, strict=True))
    for from_address, to_address in rows:
        data = read_row(machine.bus, source, from_address, length, machine.shram)
        write_row(machine.bus, target, to_address, data, machine.shram)
    operands = f"0x{source.address:x} -> 0x{target.address:x}, {length} bytes x {size0 * size1}"
    return DmaReport(operands, source, target, length * size0 * size1, rows, length)


def _endpoint(
    state: CommandState,
    job: Job,
    bits: int,
    region: DmaSourceRegion | DmaTargetRegion,
    offset: Address,
    mode: StrideMode,
) -> Endpoint:
    address = state.address(offset, bits)
    if state.get(region.region_mode):
        return Endpoint(address, None, mode)
    number = state.get(region.region)
    address = (job.region_bases[number] + address) & (1 << bits) - 1
    return Endpoint(address, job.region_ports[number], mode)


def _any_index(state: CommandState) -> bool:
    source = state.get(Cmd0.NPU_SET_DMA0_SRC_REGION.idx_mode)
    target = state.get(Cmd0.NPU_SET_DMA0_DST_REGION.idx_mode)
    if source and target:
        raise CommandFault("NPU_OP_DMA_START: idx_mode on both sides")
    return source or target


def _indices(machine: Machine, state: CommandState, job: Job, sizes: tuple[int, int]) -> Rows:
    """Return the index of each row [plane, row]; IDX_SKIP1 leads from plane to plane."""
    bits = machine.accelerator.address_bits
    number = state.get(Cmd0.NPU_SET_DMA0_IDX_REGION.region)
    start = (job.region_bases[number] + state.address(Cmd1.NPU_SET_DMA0_IDX, bits)) & (
        1 << bits
    ) - 1
    skip = state.stride(Cmd1.NPU_SET_DMA0_IDX_SKIP1, bits)
    planes = []
    for plane in range(sizes[0]):
        address = start + plane * (sizes[1] * _INDEX_BYTES + skip)
        data = machine.bus.read(
            address, sizes[1] * _INDEX_BYTES, job.region_ports[number], AxiChannel.DMA_READ
        )
        planes.append(np.frombuffer(data, "<i4").astype(np.int64))
    indices = np.stack(planes)
    largest = state.get(Cmd1.NPU_SET_DMA0_IDX_MAX.idx_max)
    if indices.min() < 0 or indices.max() > largest:
        raise CommandFault(f"NPU_OP_DMA_START: an index beyond NPU_SET_DMA0_IDX_MAX {largest}")
    return indices


def _addresses(
    side: Endpoint,
    state: CommandState,
    strides: tuple[Address, Address],
    rows: Rows,
    bits: int,
) -> list[int]:
    row, plane = (state.stride(command, bits) for command in strides)
    return [
        side.address + outer * plane + int(index) * row
        for outer, indices in enumerate(rows)
        for index in indices
    ]
