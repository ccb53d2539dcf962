# SPDX-License-Identifier: Apache-2.0
"""NPU_OP_DMA_START: copies between memory regions and into SHRAM."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ethosu_model.bus import Bus
from ethosu_model.command_stream import CommandState
from ethosu_model.command_words import Address, DmaRegion
from ethosu_model.commands import Cmd0, Cmd1
from ethosu_model.config import AcceleratorConfig
from ethosu_model.enums import Product, StrideMode
from ethosu_model.faults import AxiChannel, AxiPort, CommandFault
from ethosu_model.job import Job
from ethosu_model.limits import MAX_DMA_BYTES, MAX_DMA_ROWS, check
from ethosu_model.machine import Machine
from ethosu_model.ordering import shram_span
from ethosu_model.spans import Spans, span, union

_ALIGNMENT = 16


@dataclass(frozen=True)
class Endpoint:
    """One side of a transfer: a bus address, or an offset in SHRAM."""

    address: int
    port: AxiPort | None
    stride_mode: StrideMode

    @property
    def internal(self) -> bool:
        """True if this side is SHRAM."""
        return self.port is None


@dataclass(frozen=True)
class DmaReport:
    """What a transfer moved.

    Attributes:
        rows: Where each row came from and went to.
    """

    operands: str
    source: Endpoint
    destination: Endpoint
    size_bytes: int
    rows: tuple[tuple[int, int], ...]
    row_bytes: int

    def accesses(self) -> tuple[Spans, Spans]:
        """Return what it read and what it wrote."""
        sources, targets = zip(*self.rows, strict=True) if self.rows else ((), ())
        return (
            _spans(self.source, sources, self.row_bytes),
            _spans(self.destination, targets, self.row_bytes),
        )


RunTransfer = Callable[[], DmaReport]


def _spans(side: Endpoint, addresses: Iterable[int], size_bytes: int) -> Spans:
    one = shram_span if side.internal else span
    return union(one(address, size_bytes) for address in addresses)


def prepare_dma(machine: Machine, state: CommandState, job: Job) -> RunTransfer:
    """Make NPU_OP_DMA_START ready to be executed, again and again.

    Rows of DMA0_LEN bytes; in 2D and 3D (Ethos-U65) SIZE0 rows with SKIP0 bytes between
    them, SIZE1 times with SKIP1. The skips belong to the side whose stride mode asks for
    them, as regor's EthosU65RCSGenerator::GenerateDMA uses them; the other side is dense.

    Returns:
        What executes it, and raises TransferFault if a side meets a bus fault.

    Raises:
        CommandFault: Bad region, alignment, stride mode or size.
    """
    accelerator, bus, shram = machine.accelerator, machine.bus, machine.shram
    bits = accelerator.address_bits
    source = _endpoint(state, job, bits, Cmd0.NPU_SET_DMA0_SRC_REGION, Cmd1.NPU_SET_DMA0_SRC)
    destination = _endpoint(state, job, bits, Cmd0.NPU_SET_DMA0_DST_REGION, Cmd1.NPU_SET_DMA0_DST)
    length = state.address(Cmd1.NPU_SET_DMA0_LEN, bits)
    _check(accelerator, source, destination, length)
    mode = max(source.stride_mode, destination.stride_mode)
    size0 = state.get(Cmd0.NPU_SET_DMA0_SIZE0.size) if mode > StrideMode.D1 else 1
    size1 = state.get(Cmd0.NPU_SET_DMA0_SIZE1.size) if mode > StrideMode.D2 else 1
    check(size0 * size1, MAX_DMA_ROWS, "rows of DMA")
    check(size0 * size1 * length, MAX_DMA_BYTES, "bytes of DMA")
    read_at = _addresses(source, state, bits, (size0, size1), length)
    write_at = _addresses(destination, state, bits, (size0, size1), length)
    operands = f"{_describe(source)} -> {_describe(destination)}, {length} bytes x {size0 * size1}"
    rows = tuple(zip(read_at, write_at, strict=True))
    report = DmaReport(operands, source, destination, length * size0 * size1, rows, length)

    def run() -> DmaReport:
        machine.budget.spend(0, report.size_bytes)
        for from_address, to_address in report.rows:
            data = read_row(bus, source, from_address, length, shram)
            write_row(bus, destination, to_address, data, shram)
        return report

    return run


def _endpoint(
    state: CommandState, job: Job, bits: int, region: DmaRegion, offset: Address
) -> Endpoint:
    if state.get(region.custom_dma_cs):
        raise CommandFault(f"{region.name} selects a custom DMA, and CONFIG has none")
    address = state.address(offset, bits)
    stride_mode = state.get(region.stride_mode)
    if state.get(region.region_mode):
        return Endpoint(address, None, stride_mode)
    number = state.get(region.region)
    address = (job.region_bases[number] + address) & (1 << bits) - 1
    return Endpoint(address, job.region_ports[number], stride_mode)


def _check(
    accelerator: AcceleratorConfig, source: Endpoint, destination: Endpoint, length: int
) -> None:
    """Alignment: Vela's register_command_stream_util.check_dma_op."""
    everything = accelerator.architecture is Product.U55
    mode = max(source.stride_mode, destination.stride_mode)
    if everything and mode is not StrideMode.D1:
        raise CommandFault(f"DMA stride mode {mode.name} on {accelerator.name}")
    for side in (source, destination):
        if (everything or side.internal) and side.address % _ALIGNMENT:
            raise CommandFault(f"DMA address 0x{side.address:x} is not 16-byte aligned")
    if (everything or destination.internal) and length % _ALIGNMENT:
        raise CommandFault(f"DMA of {length} bytes is not a multiple of 16")


def _addresses(
    side: Endpoint, state: CommandState, bits: int, sizes: tuple[int, int], length: int
) -> list[int]:
    skip0 = state.stride(Cmd1.NPU_SET_DMA0_SKIP0, bits) if side.stride_mode > StrideMode.D1 else 0
    skip1 = state.stride(Cmd1.NPU_SET_DMA0_SKIP1, bits) if side.stride_mode > StrideMode.D2 else 0
    row = length + skip0
    plane = length * sizes[0] + skip1  # the bytes moved, not the rows with their skips
    return [
        side.address + outer * plane + inner * row
        for outer in range(sizes[1])
        for inner in range(sizes[0])
    ]


def read_row(bus: Bus, side: Endpoint, address: int, size_bytes: int, shram: bytearray) -> bytes:
    """Return a row of a transfer; CommandFault if it is beyond SHRAM."""
    if side.port is not None:
        return bus.read(address, size_bytes, side.port, AxiChannel.DMA_READ)
    if address < 0 or address + size_bytes > len(shram):
        raise CommandFault(f"DMA reads beyond SHRAM: 0x{address:x}")
    return bytes(shram[address : address + size_bytes])


def write_row(bus: Bus, side: Endpoint, address: int, data: bytes, shram: bytearray) -> None:
    """Store a row of a transfer; CommandFault if it is beyond SHRAM."""
    if side.port is not None:
        bus.write(address, data, side.port, AxiChannel.DMA_WRITE)
        return
    if address < 0 or address + len(data) > len(shram):
        raise CommandFault(f"DMA writes beyond SHRAM: 0x{address:x}")
    shram[address : address + len(data)] = data


def _describe(side: Endpoint) -> str:
    return f"SHRAM 0x{side.address:x}" if side.internal else f"0x{side.address:x}"
