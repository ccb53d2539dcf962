# SPDX-License-Identifier: Apache-2.0
"""Where the time of the open board's inferences goes: stops, copies, the NPU's model, the guest."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from ethosu_model.executor import Executor
from open_board.deadline import Deadline
from open_board.gdb_client import GdbClient, Stop
from open_board.qtest_client import QtestClient
from open_board.session import Session


@dataclass
class BoardTimes:
    """Seconds of host time since the first job of the NPU.

    Attributes:
        begun_s: When that job began; 0 before.
        stops: How often QEMU stopped the CPU.
        model_s: Jobs in the NPU's model, without copies.
        copies_s: Memory moved from and to QEMU, and interrupt lines.
        guest_s: QEMU at work, and waits for it, from a resumption to the next stop.
        worked_s: Processor time of QEMU and of this process from then to the program's end.
    """

    begun_s: float = 0.0
    stops: int = 0
    model_s: float = 0.0
    copies_s: float = 0.0
    guest_s: float = 0.0
    worked_s: float = 0.0
    _processor_s: Callable[[], float | None] = field(default=lambda: None, repr=False)
    _resumed_s: float = field(default=0.0, repr=False)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the first job began."""
        return time.perf_counter() - self.begun_s

    def line(self, name: str, jobs: int, elapsed_s: float) -> str:
        """Return what of one inference's time went where, in milliseconds."""
        each = {
            "model": self.model_s,
            "copies": self.copies_s,
            "guest": self.guest_s,
            f"{self.stops / jobs:.1f} stops": elapsed_s
            - (self.model_s + self.copies_s + self.guest_s),
        }
        parts = ", ".join(f"{part} {1e3 * seconds / jobs:.2f}" for part, seconds in each.items())
        worked = f"{jobs / self.worked_s:.0f}" if self.worked_s else "unknown"
        return (
            f"{name}: {jobs} inferences, {jobs / elapsed_s:.0f} a second,"
            f" {worked} a second of processor time;"
            f" each {1e3 * elapsed_s / jobs:.2f} ms: {parts}"
        )

    def run_job(self, call: Callable[[], Any]) -> Any:
        """Time a job of the model."""
        begun_s, copied_s = time.perf_counter(), self.copies_s
        if not self.begun_s:
            self.begun_s, self.worked_s = begun_s, -(self._processor_s() or 0.0)
        result = call()
        self.model_s += time.perf_counter() - begun_s - (self.copies_s - copied_s)
        return result

    def copy(self, call: Callable[[], Any]) -> Any:
        """Time a request to qtest."""
        begun_s = time.perf_counter()
        result = call()
        self.copies_s += (time.perf_counter() - begun_s) if self.begun_s else 0.0
        return result

    def watch(self, processor_s: Callable[[], float | None]) -> None:
        """Take what tells the processor time."""
        self._processor_s = processor_s

    def ended(self) -> None:
        """Note that the program has ended; QEMU still runs."""
        self.worked_s += self._processor_s() or 0.0

    def resumed(self) -> None:
        """Note that QEMU goes on."""
        self._resumed_s = time.perf_counter()

    def stopped(self) -> None:
        """Note that QEMU has stopped."""
        if self.begun_s:
            self.stops += 1
            self.guest_s += time.perf_counter() - max(self._resumed_s, self.begun_s)


@contextlib.contextmanager
def timed_board() -> Iterator[BoardTimes]:
    """Time all boards that run meanwhile."""
    times = BoardTimes()
    run, request = Executor.run, QtestClient._request
    resume, parse = GdbClient.resume, Stop.parse
    session, watch = Session.run, Deadline.watch

    def timed_session(self: Session) -> int:
        try:
            return session(self)
        finally:
            times.ended()

    def noted_watch(self: Deadline, processor_s: Callable[[], float | None]) -> None:
        times.watch(processor_s)
        watch(self, processor_s)

    def timed_run(self: Executor, *arguments: Any) -> Any:
        return times.run_job(lambda: run(self, *arguments))

    def timed_request(self: QtestClient, line: str) -> Any:
        return times.copy(lambda: request(self, line))

    def timed_resume(self: GdbClient, *arguments: Any, **named: Any) -> None:
        resume(self, *arguments, **named)
        times.resumed()

    def timed_parse(packet: bytes) -> Stop:
        times.stopped()
        return parse(packet)

    with (
        mock.patch.object(Session, "run", timed_session),
        mock.patch.object(Deadline, "watch", noted_watch),
        mock.patch.object(Executor, "run", timed_run),
        mock.patch.object(QtestClient, "_request", timed_request),
        mock.patch.object(GdbClient, "resume", timed_resume),
        mock.patch.object(Stop, "parse", timed_parse),
    ):
        yield times
