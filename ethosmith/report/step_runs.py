# SPDX-License-Identifier: Apache-2.0
"""Run the steps of a build: the line of each, how long it took, how far a long run of many is.

How long a step takes is no function of its inputs, so it is in no output but a file beside all of
them, which only the report reads. The SCons process imports this, so it needs nothing but the
standard library.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_json, write_text
from ethosmith.report.progress import Progress, duration_text

_SHOWN_EVERY_S = 5.0


class AnnouncedSteps:
    """Runs the commands of steps whose labels SCons has announced in the same thread before.

    SCons says first what it is about to do (PRINT_CMD_LINE_FUNC), then does it.

    Args:
        progress: shows the steps.
        times: gets to know how long each took.
        at_once: write what is announced as it is, as for ``verbose=1``.

    Attributes:
        from_cache: how many steps have come from the build cache.
        remote: runs steps on other machines; None: there are none.
        counted: the `LongRun` of each step that counts for one, by its first output.
    """

    def __init__(self, progress: Progress, times: StepTimes, *, at_once: bool) -> None:
        self.progress = progress
        self.times = times
        self.from_cache = 0
        self.counted: dict[str, Any] = {}
        self.remote: Any = None
        self._at_once = at_once
        self._thread = threading.local()

    def announce(self, text: str, target: Any, source: Any, env: Any) -> None:
        """Take what SCons would print; its signature is SCons's."""
        del source
        self._thread.output = str(target[0]) if target else ""
        if self._at_once or env.GetOption("no_exec"):
            self.progress.line(text)
        else:
            self._thread.label = text

    def run(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        owns_terminal: bool = False,
        text: str | None = None,
    ) -> int:
        """Run the command of the step that was announced; as `Progress.run`."""
        label, output = (getattr(self._thread, name, "") for name in ("label", "output"))
        self._thread.label = self._thread.output = ""
        started_s = time.monotonic()
        expected_s = self.times.all().get(output) if self.progress.is_live else None
        code = self.progress.run(
            label,
            command,
            environment,
            owns_terminal=owns_terminal,
            text=text,
            expected_s=expected_s,
        )
        if code == 0 and output:
            self.times.note(output, time.monotonic() - started_s)
        return code

    def elsewhere(self, act: Callable[[], Any]) -> Any:
        """Show the step that was announced while ``act`` runs it on another machine.

        Returns:
            What ``act`` returns. None: the step did not run, and is still the one announced.
        """
        label, output = (getattr(self._thread, name, "") for name in ("label", "output"))
        with self.progress.step(label) as running:
            done = act()
            if done is not None:
                for line in done.shown.splitlines():
                    self.progress.line(line)
                self.progress.ended(running)
                self.times.note(output, running.elapsed_s)
                self._thread.label = self._thread.output = ""
        return done


class StepTimes:
    """The times of all builds up to now, by the first output of each step.

    Those of this build are written as they come.

    Args:
        path: the file; need not be there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._noted: dict[str, float] = {}

    def note(self, output: str, duration_s: float) -> None:
        """Remember that the step of ``output`` took ``duration_s`` seconds."""
        with self._lock:
            self._noted[output] = round(duration_s, 2)
            # At once: the report, a step of the same build, reads them.
            self._save()

    def all(self) -> dict[str, float]:
        """Return the latest time of each step in seconds, by its first output."""
        with self._lock:
            return {**self._read(), **self._noted}

    def _save(self) -> None:
        """Write them; without this build's, if there is no place for them."""
        with suppress(OSError):
            times = {**self._read(), **self._noted}
            write_text(self._path, json.dumps(times, indent=0, sort_keys=True) + "\n")

    def _read(self) -> dict[str, float]:
        try:
            kept = read_json(self._path)
        except EthosmithError:
            return {}  # none, or of another version: what was measured is only unknown then
        times = kept.items() if isinstance(kept, dict) else ()
        return {name: float(time) for name, time in times if isinstance(time, int | float)}


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
