# SPDX-License-Identifier: Apache-2.0
"""The moment at which a run has taken too long.

A run's time is its processor time: a machine that is busy with other things ends no run. While
the simulator computes nothing, as with a program that sleeps for ever, the clock's time counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from open_board.job import Outcome, RunError

_SHORTEST_TIMEOUT_S = 5.0
_LONGEST_TIMEOUT_S = 20.0
_INTERVAL_S = 0.2
# A process that gets less than this part of a processor is waiting for something else.
_IDLE_SHARE = 0.01
# Of one interval, whatever the clock says: this process may have been stopped, or suspended.
_MAX_INTERVAL_S = 5.0


def _no_processor_time() -> None:
    return None


class Deadline:
    """The moment at which a run has taken too long."""

    def __init__(
        self, limit_s: float | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start the clock; None means no limit."""
        self.limit_s = limit_s
        self._clock = clock
        self._processor_s: Callable[[], float | None] = _no_processor_time
        self._interval_s = min(_INTERVAL_S, _INTERVAL_S if limit_s is None else limit_s / 8)
        self._used_s = 0.0
        self._last_s = clock()
        self._last_processor_s: float | None = None

    def watch(self, processor_s: Callable[[], float | None]) -> None:
        """Count processor time from now on.

        Args:
            processor_s: returns the processor time of the run's processes, in seconds; None where
                the system does not tell, or when they have ended: then the clock counts.
        """
        self._account(self._clock())
        self._processor_s = processor_s
        self._last_processor_s = processor_s()

    def restart(self) -> None:
        """Count from zero again."""
        self._account(self._clock())
        self._used_s = 0.0

    def processor_s(self) -> float | None:
        """Return the processor time of the run's processes in seconds, where it is known."""
        return self._processor_s()

    @property
    def used_s(self) -> float:
        """Seconds that the run has taken."""
        now_s = self._clock()
        if now_s - self._last_s >= self._interval_s:
            self._account(now_s)
        return self._used_s

    def _account(self, now_s: float) -> None:
        """Add the time since the last look."""
        passed_s = min(now_s - self._last_s, _MAX_INTERVAL_S)
        processor_s = self._processor_s()
        if processor_s is not None and self._last_processor_s is not None:
            worked_s = processor_s - self._last_processor_s
            if worked_s > _IDLE_SHARE * passed_s:
                passed_s = min(passed_s, worked_s)
        self._used_s += passed_s
        self._last_s, self._last_processor_s = now_s, processor_s

    @property
    def left_s(self) -> float:
        """Seconds left; negative when the time is over, infinite without a limit."""
        return float("inf") if self.limit_s is None else self.limit_s - self.used_s

    def check(self) -> None:
        """Raise RunError when the time is over."""
        if self.limit_s is not None and self.used_s > self.limit_s:
            raise RunError(Outcome.TIME_LIMIT, f"no end within the limit of {self.limit_s:g} s")

    @property
    def answer_timeout_s(self) -> float:
        """Seconds that the simulator may take to answer, even if the time is over."""
        return max(_SHORTEST_TIMEOUT_S, min(_LONGEST_TIMEOUT_S, self.left_s))
