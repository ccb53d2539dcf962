# SPDX-License-Identifier: Apache-2.0
"""Show how several fetches get on at once: a bar each on a terminal, lines elsewhere."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import Protocol, Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn


class FetchProgress(Protocol):
    """What fetches tell while they run, from several threads."""

    def started(self, name: str, text: str) -> None:
        """The fetch ``name`` begins."""

    def advanced(self, name: str, percent: int) -> None:
        """So much of it has arrived."""

    def ended(self, name: str, text: str) -> None:
        """It is done."""

    def note(self, message: str) -> None:
        """Something a person may want to know, in one line."""


class FetchLines:
    """Writes a line when a fetch begins and when it ends."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def started(self, name: str, text: str) -> None:
        """Write what is fetched."""
        del name
        self.note(f"fetching {text}")

    def advanced(self, name: str, percent: int) -> None:
        """Write nothing: a log wants no moving bar."""

    def ended(self, name: str, text: str) -> None:
        """Write what came of it."""
        del name
        self.note(text)

    def note(self, message: str) -> None:
        """Write the message as a line."""
        with self._lock:
            self._stream.write(f"{message}\n")
            self._stream.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        del kind, error, trace


class FetchBars:
    """Draws a bar for each fetch that runs."""

    def __init__(self, console: Console) -> None:
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            console=console,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}

    def started(self, name: str, text: str) -> None:
        """Draw the bar."""
        self._tasks[name] = self._bars.add_task(text, total=100)

    def advanced(self, name: str, percent: int) -> None:
        """Move the bar."""
        self._bars.update(self._tasks[name], completed=percent)

    def ended(self, name: str, text: str) -> None:
        """Put a line in the bar's place."""
        if name in self._tasks:
            self._bars.remove_task(self._tasks.pop(name))
        self.note(text)

    def note(self, message: str) -> None:
        """Write the message above the bars."""
        self._bars.console.print(message, markup=False, highlight=False)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        del kind, error, trace
        self._bars.stop()


def fetch_progress_for(stream: TextIO | None = None) -> FetchLines | FetchBars:
    """Return bars if the stream (standard error by default) is a terminal, else lines."""
    stream = sys.stderr if stream is None else stream
    return FetchBars(Console(file=stream)) if stream.isatty() else FetchLines(stream)
