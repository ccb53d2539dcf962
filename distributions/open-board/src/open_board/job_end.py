# SPDX-License-Identifier: Apache-2.0
"""When a job of the NPU ends, in the program's eyes.

The board's clock is no measure: while QEMU holds the CPU it may jump. So a job ends at a place
of the program, the same in each run: where it sleeps (WFI or WFE), or after some reads of the
NPU's registers. A program that waits in neither way is waited for in host time, of which a busy
machine may give it little: QEMU's own counts, up to a limit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from open_board.bridge import NpuBridge
from open_board.emulation import advance_it
from open_board.gdb_client import (
    PC,
    XPSR,
    CoreRegisters,
    GdbClient,
    Stop,
    breakpoint_packet,
    watch_packet,
)
from open_board.served import Served

_PATIENCE_S = 0.05
_MAX_PATIENCE_S = 1.0
_MAX_BREAKPOINTS = 256
_READS = 3  # a kind of watchpoint


class JobEnd:
    """Stops the CPU where it sleeps during a job, and ends the job there."""

    def __init__(
        self,
        gdb: GdbClient,
        bridge: NpuBridge,
        sleeps: Mapping[int, int],
        job_sleeps: int = 1,
        processor_s: Callable[[], float | None] = lambda: None,
    ) -> None:
        """Watch a CPU.

        Args:
            gdb: The CPU.
            bridge: Runs the jobs.
            sleeps: Address and size of each WFI and WFE of the program.
            job_sleeps: At which of them a job is over; a timer ends the sleeps before it.
            processor_s: Returns QEMU's processor time in seconds, where it is known.
        """
        self._gdb = gdb
        self._bridge = bridge
        self._sleeps = dict(list(sleeps.items())[:_MAX_BREAKPOINTS])
        self._job_sleeps = job_sleeps
        self._sleeps_left = job_sleeps
        self._inserted = False
        self._end = float("inf")
        self._processor_s = processor_s
        self._last_end = float("inf")
        # What the program reads right before it sleeps. QEMU throws all translated code away when
        # the CPU stops at a breakpoint, but not at a watchpoint.
        self._flag: int | None = None
        self._worked_s: float | None = None

    @property
    def left_s(self) -> float:
        """Seconds of host time until the job ends whatever the program does."""
        return max(0.0, self._end - time.monotonic())

    def packets(self) -> list[bytes]:
        """Return what to tell gdb before the CPU goes on, each to be answered by OK."""
        running = self._bridge.running
        if running == self._inserted:
            return []
        self._inserted = running
        self._sleeps_left = self._job_sleeps
        self._end = time.monotonic() + _PATIENCE_S if running else float("inf")
        self._last_end = self._end + _MAX_PATIENCE_S
        self._worked_s = self._processor_s()
        watch = []
        if self._flag is not None:
            watch.append(watch_packet(_READS, self._flag, 1, remove=not running))
        return [*watch, *(breakpoint_packet(at, remove=not running) for at in self._sleeps)]

    def stopped(self, stop: Stop) -> list[bytes] | None:
        """End the job, if the CPU has stopped where the program sleeps.

        Returns:
            What to tell gdb before the CPU goes on; None if the stop has another cause.
        """
        if not self._inserted:
            return None
        if stop.watch_address is not None:
            return self._before_sleep() if stop.watch_address == self._flag else None
        registers = self._gdb.read_registers()
        if registers.pc not in self._sleeps:
            return None
        if not self._bridge.running:
            return self.packets()
        self._sleeps_left -= 1
        if self._sleeps_left:
            return self._sleep(registers.pc)
        self._bridge.finish_job()
        packets = self.packets()
        if self._job_sleeps == 1 and self._flag is None:
            self._flag = self._bridge.address_before(registers)
        return [*packets, *Served(self._woken(registers), registers, [], []).packets]

    def _woken(self, registers: CoreRegisters) -> CoreRegisters:
        """Return the registers of a CPU that was interrupted while it slept, masked or not."""
        changes = {
            PC: registers.pc + self._sleeps[registers.pc],
            XPSR: advance_it(registers.xpsr),
        }
        return registers.changed(changes)

    def _before_sleep(self) -> list[bytes]:
        """End the job, if the load before which the CPU has stopped leads to where it sleeps."""
        arrived = self._bridge.arrive(self._sleeps)
        if arrived is None:
            packets = [watch_packet(_READS, self._flag or 0, 1, remove=True)]
            self._flag = None
            return packets
        served, asleep = arrived
        if not self._bridge.running:
            return [*self.packets(), *served.packets]
        if not asleep:
            return served.packets
        self._bridge.finish_job()
        return [*self.packets(), *replace(served, after=self._woken(served.after)).packets]

    def _sleep(self, address: int) -> list[bytes]:
        """Let the CPU sleep until something else wakes it."""
        self._gdb.change([breakpoint_packet(address, remove=True)])
        self._gdb.step()
        self._end = time.monotonic() + _PATIENCE_S
        self._worked_s = None
        return [breakpoint_packet(address)]

    def check_time(self) -> None:
        """End a job during which the program neither sleeps nor asks for long."""
        if self.left_s == 0.0:
            if self._had_no_turn():
                self._end = time.monotonic() + _PATIENCE_S / 5
                return
            self._end = float("inf")
            if self._bridge.running:
                self._bridge.finish_job()

    def _had_no_turn(self) -> bool:
        """Say whether the CPU may still run to where it sleeps: the machine had no time for it."""
        now_s = self._processor_s()
        if now_s is None or self._worked_s is None or time.monotonic() > self._last_end:
            return False
        return now_s - self._worked_s < _PATIENCE_S
