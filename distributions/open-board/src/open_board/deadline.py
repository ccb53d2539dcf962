# SPDX-License-Identifier: Apache-2.0
"""The moment at which a run has taken too long."""

from __future__ import annotations

import time

from open_board.job import Outcome, RunError

_SHORTEST_TIMEOUT_S = 1.0
_LONGEST_TIMEOUT_S = 20.0


class Deadline:
    """The moment at which a run has taken too long."""

    def __init__(self, limit_s: float | None) -> None:
        """Start the clock; None means no limit."""
        self.limit_s = limit_s
        self._end = float("inf") if limit_s is None else time.monotonic() + limit_s

    @property
    def left_s(self) -> float:
        """Seconds left; negative when the time is over, infinite without a limit."""
        return self._end - time.monotonic()

    def check(self) -> None:
        """Raise RunError when the time is over."""
        if self.left_s < 0:
            raise RunError(Outcome.TIME_LIMIT, f"no end within the limit of {self.limit_s:g} s")

    @property
    def answer_timeout_s(self) -> float:
        """Seconds that the simulator may take to answer, even if the time is over."""
        return max(_SHORTEST_TIMEOUT_S, min(_LONGEST_TIMEOUT_S, self.left_s))
