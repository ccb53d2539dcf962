# SPDX-License-Identifier: Apache-2.0
"""How far a long run of many steps is, how fast, and how long it will take.

The SCons process imports this, so it needs nothing but the standard library.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ethosmith.report.progress import duration_text

_SHOWN_EVERY_S = 5.0


class LongRun:
    """Steps that count for items each. Threads may share it.

    Args:
        name: what the terminal shows.
        clock: returns seconds.
    """

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._name, self._clock = name, clock
        self._items: dict[str, int] = {}
        self._finished: set[str] = set()
        self._lock = threading.Lock()
        self._began_s: float | None = None
        self._shown_s = 0.0
        self._run_items = 0

    def expect(self, step: str, items: int) -> None:
        """Count ``items`` for a step."""
        self._items[step] = items

    def begin(self) -> None:
        """Note that a step begins to run: from the first on, the rate is measured."""
        with self._lock:
            if self._began_s is None:
                self._began_s = self._shown_s = self._clock()

    def end(self, step: str, is_done: Callable[[str], bool]) -> str:
        """Note that a step has run.

        Args:
            step: of `expect`.
            is_done: tells of any other step whether it has run, or had nothing to do.

        Returns:
            A line to show; empty: one was shown just now.
        """
        with self._lock:
            now_s = self._clock()
            self._finished.add(step)
            self._run_items += self._items[step]
            left = sum(
                items
                for one, items in self._items.items()
                if one not in self._finished and not is_done(one)
            )
            if left and now_s - self._shown_s < _SHOWN_EVERY_S:
                return ""
            self._shown_s = now_s
            elapsed_s = max(now_s - (self._began_s or now_s), 1e-3)
        rate = self._run_items / elapsed_s
        total = sum(self._items.values())
        text = f"{self._name}: {total - left:,} of {total:,} items, {rate:.1f} a second"
        return f"{text}, {duration_text(left / rate, digits=0)} left" if left else text
