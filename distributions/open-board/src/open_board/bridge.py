# SPDX-License-Identifier: Apache-2.0
"""Serve the CPU's accesses to the NPU's registers from the NPU model.

QEMU stops before each access to the register page. The instruction is carried out here
in its stead, and the CPU goes on behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cached_property

from open_board.board_npu import BoardNpu
from open_board.emulation import Stopped, carry_out, loaded_value, stopped_at
from open_board.gdb_client import GdbClient
from open_board.guest_memory import NpuMemory
from open_board.instruction import Access, decode
from open_board.job import NpuStatistics, Outcome, RunError
from open_board.machine import (
    ADAPTER_PAGE_BYTES,
    ADAPTER_PAGES,
    NPU_PAGES,
    is_secure_alias,
    npu_register,
    page_offset,
)
from open_board.npu_registers import GuardedNpu, NpuRegisters
from open_board.realism import Realism
from open_board.timing_adapter import TimingAdapters

_WORD_BYTES = 4
_SOME_LOAD = b"\x08\x68\x00\xbf"  # ldr r0, [r1]; nop


@dataclass(frozen=True)
class NpuAccess:
    """One access to the register page.

    Attributes:
        offset: Offset of its first byte in the page.
        is_load: The CPU reads.
    """

    offset: int
    is_load: bool


@dataclass(frozen=True)
class Served:
    """An instruction that has been carried out for the CPU.

    Attributes:
        changes: gdb packets that give the CPU its new register values; send them before it
            goes on.
        accesses: Offset in the NPU's page and direction of each access.
    """

    changes: list[bytes]
    accesses: list[NpuAccess]


class NpuBridge:
    """Carry out loads and stores that reach the NPU or its timing adapters.

    Attributes:
        statistics: What was counted so far.
        adapters: The timing adapters.
    """

    def __init__(
        self,
        gdb: GdbClient,
        make_npu: Callable[[], NpuRegisters],
        memory: NpuMemory,
        set_interrupt: Callable[[bool], None],
        realism: Realism,
    ) -> None:
        """Serve the CPU behind ``gdb``.

        Args:
            gdb: The stopped CPU.
            make_npu: Makes the model; called by `prepare`, or at the first access.
            memory: What the model works on; written back after each job.
            set_interrupt: Drives the CPU's interrupt input.
            realism: How closely the board follows the hardware.
        """
        self._gdb = gdb
        self._make_npu = make_npu
        self._memory = memory
        self._set_interrupt = set_interrupt
        self._interrupt = False
        self._realism = realism
        self.statistics = NpuStatistics()
        self.adapters = TimingAdapters(realism)

    @cached_property
    def _npu(self) -> BoardNpu:
        return BoardNpu(GuardedNpu(self._make_npu()), self._realism, self._memory.set_non_secure)

    @property
    def running(self) -> bool:
        """A job of the NPU goes on."""
        return self._npu.running

    def finish_job(self) -> None:
        """End the job that goes on, and raise its interrupt."""
        self._npu.finish()
        self._update_interrupt()

    def prepare(self) -> None:
        """Load the decoder and make the model now; worth it while the CPU is busy booting."""
        decode(_SOME_LOAD, 0)
        _ = self._npu

    def serve(self) -> Served:
        """Carry out the instruction at which the CPU has stopped.

        Raises:
            RunError: The access is one that the hardware has no answer to, or that the
                bridge cannot decode.
        """
        stopped = stopped_at(self._gdb)
        offsets = [_register_offset(access, stopped) for access in stopped.accesses]
        changes = carry_out(stopped, self._load, self._store)
        self._update_interrupt()
        return Served(
            changes,
            [
                NpuAccess(offset, access.is_load)
                for offset, access in zip(offsets, stopped.accesses, strict=True)
            ],
        )

    def is_at_npu(self) -> bool:
        """Tell whether the stopped CPU's next instruction is one that `serve` carries out."""
        try:
            accesses = stopped_at(self._gdb).accesses
        except RunError:
            return False  # no load or store
        return any(_page_of(access.address, 1) is not None for access in accesses)

    def peek(self, offset: int) -> int:
        """Return a register's word, for a debugger; reading has no side effects."""
        return self._npu.peek(offset)

    def _load(self, access: Access) -> int:
        offset = _offset(access)
        word = self._read_word(access.address, offset - offset % _WORD_BYTES)
        return loaded_value(access, word)

    def _read_word(self, address: int, offset: int) -> int:
        if npu_register(address, 1) is None:
            return self.adapters.read(offset)
        self._count(register_reads=1)
        return self._npu.read(offset)

    def _store(self, access: Access, value: int) -> None:
        """Write a register; a narrow store leaves the other bytes of the word as they read."""
        offset = _offset(access)
        lane = offset % _WORD_BYTES
        word = value
        is_npu = npu_register(access.address, 1) is not None
        if access.size_bytes < _WORD_BYTES:
            mask = (1 << 8 * access.size_bytes) - 1
            read = self._npu.peek if is_npu else self.adapters.read
            old = read(offset - lane)
            word = old & ~(mask << 8 * lane) | (value & mask) << 8 * lane
        if not is_npu:
            self.adapters.write(offset - lane, word)
            return
        self._count(register_writes=1)
        if self._npu.write(offset - lane, word, secure=is_secure_alias(access.address)):
            self._end_job()

    def _end_job(self) -> None:
        self._memory.write_back()
        fault = self._npu.inner.last_fault
        self.statistics = replace(
            self.statistics,
            jobs=self.statistics.jobs + 1,
            **asdict(self._npu.inner.totals),
            faults=self.statistics.faults + ((str(fault),) if fault else ()),
        )

    def _update_interrupt(self) -> None:
        level = self._npu.irq
        if level != self._interrupt:
            self._set_interrupt(level)
            self._interrupt = level

    def _count(self, *, register_reads: int = 0, register_writes: int = 0) -> None:
        old = self.statistics
        self.statistics = replace(
            old,
            register_reads=old.register_reads + register_reads,
            register_writes=old.register_writes + register_writes,
        )


def _page_of(address: int, size_bytes: int) -> int | None:
    """Return the offset in the NPU's page or the adapters', or None if it is in neither."""
    offset = npu_register(address, size_bytes)
    if offset is not None:
        return offset
    return page_offset(ADAPTER_PAGES, ADAPTER_PAGE_BYTES, address, size_bytes)


def is_served(watch_address: int | None) -> bool:
    """Tell whether a watchpoint is one of those over the pages that the bridge serves."""
    return watch_address in NPU_PAGES or watch_address in ADAPTER_PAGES


def _offset(access: Access) -> int:
    offset = _page_of(access.address, access.size_bytes)
    if offset is None:  # checked before
        raise AssertionError(f"0x{access.address:08x}")
    return offset


def _register_offset(access: Access, stopped: Stopped) -> int:
    offset = _page_of(access.address, access.size_bytes)
    if offset is None or offset % access.size_bytes:
        problem = "is not aligned" if offset is not None else "is only partly in the NPU's page"
        raise RunError(
            Outcome.BAD_ACCESS,
            f"the access to 0x{access.address:08x} by '{stopped.instruction.text}' at"
            f" 0x{stopped.registers.pc:08x} {problem}",
        )
    return offset
