# SPDX-License-Identifier: Apache-2.0
"""Serve the CPU's accesses to the NPU's registers from the NPU model.

QEMU stops before each access to the register page. The instruction is carried out here
in its stead, and the CPU goes on behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from typing import NamedTuple

from open_board import uart_device
from open_board.board import Board
from open_board.board_npu import BoardNpu
from open_board.emulation import Stopped, Stops, carry_out, loaded_value, stopped_at
from open_board.gdb_client import CoreRegisters, GdbClient
from open_board.guest_lines import GuestLines
from open_board.guest_memory import NpuMemory
from open_board.instruction import Access, decode
from open_board.job import NpuStatistics, Outcome, RunError
from open_board.lookahead import Lookahead
from open_board.machine import is_npu_memory, is_secure_alias
from open_board.npu_registers import GuardedNpu, NpuRegisters, starts_job
from open_board.paths import Path, Paths, Recording, Step, overlaid
from open_board.realism import Realism
from open_board.served import NpuAccess, Served
from open_board.spans import Span
from open_board.timing_adapter import TimingAdapters

_WORD_BYTES = 4
_MAX_OFFSETS = 4096
_SOME_LOAD = b"\x08\x68\x00\xbf"  # ldr r0, [r1]; nop


class _Walked(NamedTuple):
    """What has been served, and the registers behind it."""

    accesses: list[NpuAccess]
    after: CoreRegisters


class NpuBridge:
    """Carry out loads and stores that reach the NPU or what else of the board QEMU lacks.

    Attributes:
        board: Where these are.
        register_reads: Words that were read from the NPU's page so far.
        register_writes: Words that were written to it.
        adapters: The timing adapters.
    """

    def __init__(
        self,
        board: Board,
        gdb: GdbClient,
        make_npu: Callable[[], NpuRegisters],
        memory: NpuMemory,
        set_interrupt: Callable[[bool], None],
        realism: Realism,
        send: Callable[[bytes], None] = lambda _: None,
        read_only: Sequence[Span] = (),
        *,
        follows: bool = True,
    ) -> None:
        """Serve the CPU behind ``gdb``.

        Args:
            board: What is served, and where.
            gdb: The stopped CPU.
            make_npu: Makes the model; called by `prepare`, or at the first access.
            memory: What the model works on; written back after each job.
            set_interrupt: Drives the CPU's interrupt input.
            realism: How closely the board follows the hardware.
            send: Takes what the program sends on a UART that QEMU lacks.
            read_only: Parts of the program that the CPU may not be able to write.
            follows: Carry out what is between two accesses; otherwise the CPU does, and all that
                is carried out is what leads to where it sleeps.
        """
        self.board = board
        self._offsets: dict[tuple[int, int], int | None] = {}
        self._watched = {address for address, _ in board.served}
        self._gdb = gdb
        self._stops = Stops(gdb)
        self._make_npu = make_npu
        self._memory = memory
        self._set_interrupt = set_interrupt
        self._interrupt = False
        self._realism = realism
        self._send = send
        self._sleep = Lookahead(
            GuestLines(gdb), board.served, gdb.breakpoints, read_only, careful=not follows
        )
        self._ahead = self._sleep if follows else None
        self._paths = Paths()
        self._of_jobs = NpuStatistics()
        self.register_reads = self.register_writes = 0
        self.adapters = TimingAdapters(realism)

    @cached_property
    def _npu(self) -> BoardNpu:
        return BoardNpu(GuardedNpu(self._make_npu()), self._realism, self._memory.set_non_secure)

    @property
    def statistics(self) -> NpuStatistics:
        """What was counted so far."""
        return replace(
            self._of_jobs,
            register_reads=self.register_reads,
            register_writes=self.register_writes,
        )

    @property
    def instructions(self) -> int:
        """Instructions beside the accesses that were carried out here; QEMU has not seen them."""
        return self._sleep.instructions

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

    def serve(self, *, alone: bool = False) -> Served:
        """Carry out the instruction at which the CPU has stopped, and those like it right behind.

        It is as if the CPU had stopped at each: nothing else may happen between two of them, so
        the last one is the one that starts a job or raises the interrupt.

        Args:
            alone: Carry out one instruction only, for a debugger.

        Raises:
            RunError: The access is one that the hardware has no answer to, or that the
                bridge cannot decode.
        """
        ahead = None if alone else self._ahead
        at_stop = self._stops.look(ahead.lines if ahead is not None else None)
        if ahead is None:
            walked = self._walk(at_stop, alone=alone)
        else:
            ahead.begin(at_stop.registers)
            walked = self._repeat_or_walk(at_stop, ahead)
        self._update_interrupt()
        writes = ahead.end() if ahead is not None else []
        return Served(walked.after, at_stop.registers, walked.accesses, writes)

    def _repeat_or_walk(self, at_stop: Stopped, ahead: Lookahead) -> _Walked:
        """Do what was done behind such a stop before, or find out what the program does."""
        before, lines, breakpoints = at_stop.registers, ahead.lines, self._gdb.breakpoints
        path = self._paths.find(before, lines, breakpoints)
        if path is not None:
            return self._repeat(path, before, ahead)
        if not self._paths.wanted(before.pc):
            return self._walk(at_stop, ahead)
        recording = Recording(at_stop, lines, breakpoints)
        walked = self._walk(at_stop, ahead, recording)
        path = recording.path(walked.after)
        if path is not None:
            self._paths.keep(before.pc, path)
        return walked

    def _walk(
        self,
        at_stop: Stopped,
        ahead: Lookahead | None = None,
        recording: Recording | None = None,
        *,
        alone: bool = False,
    ) -> _Walked:
        """Carry out an access, and those behind it as far as they can be found."""
        known = self._progress
        accesses: list[NpuAccess] = []
        stopped: Stopped | None = at_stop
        while stopped is not None:
            places = self._register_accesses(stopped)
            accesses += places
            changes = carry_out(stopped, self._load, self._store)
            registers = stopped.registers.changed(changes)
            ended = alone or self._progress != known
            if recording is not None:
                recording.step(stopped, places, changes, ended=ended, after=registers)
            stopped = None if ended else self._following(stopped, registers, ahead, recording)
        return _Walked(accesses, registers)

    def _repeat(self, path: Path, before: CoreRegisters, ahead: Lookahead) -> _Walked:
        """Do again what a path did, as long as the NPU answers as it did."""
        known = self._progress
        accesses: list[NpuAccess] = []
        for step in path.steps:
            ahead.repeat(step)
            accesses += step.places
            loaded = self._access_again(step)
            ended = self._progress != known
            if loaded != step.loaded or ended != step.ended:
                rest = self._leave(step, before, loaded, None if ended else ahead)
                return _Walked(accesses + rest.accesses, rest.after)
        return _Walked(accesses, overlaid(before, path.after, path.written))

    def _access_again(self, step: Step) -> tuple[int, ...]:
        """Carry out the accesses of a step, and return what its loads find."""
        general = step.stopped.registers.general
        for access in step.accesses:
            if not access.is_load:
                self._store(access, general[access.register])
        return tuple(self._load(access) for access in step.accesses if access.is_load)

    def _leave(
        self, step: Step, before: CoreRegisters, loaded: Sequence[int], ahead: Lookahead | None
    ) -> _Walked:
        """Go on behind a step whose accesses were otherwise than its path's; None: no further."""
        stopped = replace(step.stopped, registers=step.registers(before))
        found = iter(loaded)
        changes = carry_out(stopped, lambda _: next(found), lambda _access, _value: None)
        registers = stopped.registers.changed(changes)
        following = ahead.next_access(registers, stopped.registers.pc) if ahead else None
        return _Walked([], registers) if following is None else self._walk(following, ahead)

    @property
    def _progress(self) -> tuple[bool, bool, int]:
        """What ends a walk when it changes: interrupt to raise, a job that runs, jobs done."""
        rises = self._npu.irq and not self._interrupt
        return rises, self._npu.running, self._of_jobs.jobs

    def address_before(self, registers: CoreRegisters) -> int | None:
        """Return what the last load before the stopped CPU's instruction has read, if known."""
        return self._sleep.address_before(registers)

    def arrive(self, addresses: Container[int]) -> tuple[Served, bool] | None:
        """Carry out the load at which the CPU has stopped, and what follows up to ``addresses``.

        Returns:
            What has been carried out, and whether one of ``addresses`` is what comes next. None if
            the load is not known.
        """
        ahead = self._sleep
        try:
            registers = self._stops.look(ahead.lines).registers
        except RunError:
            return None
        ahead.begin(registers)
        arrived = ahead.reach(registers, addresses)
        after = arrived or ahead.load(registers)
        writes = ahead.end()
        return (
            None if after is None else (Served(after, registers, [], writes), arrived is not None)
        )

    def _following(
        self,
        stopped: Stopped,
        registers: CoreRegisters,
        ahead: Lookahead | None,
        recording: Recording | None,
    ) -> Stopped | None:
        """Return the next access that is served, as far as it can be found."""
        if ahead is not None:
            return ahead.next_access(registers, stopped.registers.pc, recording)
        following = stopped.following(registers)
        if following is None:
            return None
        offsets = [self._offset(each.address, each.size_bytes) for each in following.accesses]
        return following if offsets and None not in offsets else None

    def _register_accesses(self, stopped: Stopped) -> list[NpuAccess]:
        return [
            NpuAccess(self._register_offset(access, stopped), access.is_load)
            for access in stopped.accesses
        ]

    def is_at_npu(self) -> bool:
        """Tell whether the stopped CPU's next instruction is one that `serve` carries out."""
        try:
            accesses = stopped_at(self._gdb).accesses
        except RunError:
            return False  # no load or store
        return any(self._offset(access.address, 1) is not None for access in accesses)

    def is_served(self, watch_address: int | None) -> bool:
        """Tell whether a watchpoint is one of those over what the bridge serves."""
        return watch_address in self._watched

    def peek(self, offset: int) -> int:
        """Return a register's word, for a debugger; reading has no side effects."""
        return self._npu.peek(offset)

    def _load(self, access: Access) -> int:
        return loaded_value(access, self._read_word(access.address & ~(_WORD_BYTES - 1)))

    def _read_word(self, address: int) -> int:
        offset = self.board.npu_register(address, _WORD_BYTES)
        if offset is not None:
            self.register_reads += 1
            return self._npu.read(offset)
        offset = self.board.adapter_register(address, _WORD_BYTES)
        if offset is not None:
            return self.adapters.read(offset)
        if self.board.uart_register(address, _WORD_BYTES) is not None:
            return 0  # STATE: nothing received, and there is room
        return self.board.constant(address, _WORD_BYTES) or 0

    def _store(self, access: Access, value: int) -> None:
        """Write a register; a narrow store leaves the other bytes of the word as they read."""
        lane = access.address % _WORD_BYTES
        address = access.address - lane
        offset = self.board.npu_register(address, _WORD_BYTES)
        if offset is None:
            self._store_beside_npu(access, value)
            return
        word = _merged(access, value, lambda: self._npu.peek(offset))
        self.register_writes += 1
        if self._ahead is not None and starts_job(offset, word):
            self._gdb.change(self._ahead.lines.take_writes(is_npu_memory))
        if self._npu.write(offset, word, secure=is_secure_alias(address)):
            self._end_job()

    def _store_beside_npu(self, access: Access, value: int) -> None:
        """Write a timing adapter; constants stay what they are."""
        address = access.address & ~(_WORD_BYTES - 1)
        offset = self.board.adapter_register(address, _WORD_BYTES)
        if offset is not None:
            self.adapters.write(offset, _merged(access, value, lambda: self.adapters.read(offset)))
        elif self.board.uart_register(access.address, 1) == uart_device.DATA:
            self._send(bytes([value & 0xFF]))

    def _end_job(self) -> None:
        self._memory.write_back()
        fault = self._npu.inner.last_fault
        self._of_jobs = replace(
            self._of_jobs,
            jobs=self._of_jobs.jobs + 1,
            **asdict(self._npu.inner.totals),
            faults=self._of_jobs.faults + ((str(fault),) if fault else ()),
        )

    def _update_interrupt(self) -> None:
        level = self._npu.irq
        if level != self._interrupt:
            self._set_interrupt(level)
            self._interrupt = level

    def _offset(self, address: int, size_bytes: int) -> int | None:
        """Return the offset in the page that is served, or None if there is none."""
        key = address, size_bytes
        if key not in self._offsets:
            if len(self._offsets) >= _MAX_OFFSETS:
                self._offsets.clear()
            self._offsets[key] = self._find_offset(address, size_bytes)
        return self._offsets[key]

    def _find_offset(self, address: int, size_bytes: int) -> int | None:
        offset = self.board.npu_register(address, size_bytes)
        if offset is None:
            offset = self.board.adapter_register(address, size_bytes)
        if offset is None:
            offset = self.board.uart_register(address, size_bytes)
        if offset is None and self.board.constant(address, size_bytes) is not None:
            offset = address % _WORD_BYTES
        return offset

    def _register_offset(self, access: Access, stopped: Stopped) -> int:
        offset = self._offset(access.address, access.size_bytes)
        if offset is None or offset % access.size_bytes:
            problem = "is not aligned" if offset is not None else "is only partly in the NPU's page"
            raise RunError(
                Outcome.BAD_ACCESS,
                f"the access to 0x{access.address:08x} by '{stopped.instruction.text}' at"
                f" 0x{stopped.registers.pc:08x} {problem}",
            )
        return offset


def _merged(access: Access, value: int, read: Callable[[], int]) -> int:
    """Return the word that a store leaves behind."""
    if access.size_bytes == _WORD_BYTES:
        return value
    lane, mask = access.address % _WORD_BYTES, (1 << 8 * access.size_bytes) - 1
    return read() & ~(mask << 8 * lane) | (value & mask) << 8 * lane
