# SPDX-License-Identifier: Apache-2.0
"""Show how downloads and fetches get on: a bar each on a terminal, lines elsewhere."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import Protocol, Self, TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)


class DownloadProgress(Protocol):
    """What a download tells while it runs."""

    def started(self, name: str, total_bytes: int | None, done_bytes: int) -> None:
        """A transfer begins, or begins again after ``done_bytes`` that are already here."""

    def advanced(self, size_bytes: int) -> None:
        """So many more bytes have arrived."""

    def finished(self) -> None:
        """The transfer has ended, well or not."""

    def note(self, message: str) -> None:
        """Something a person may want to know, in one line."""


class SilentProgress:
    """Shows nothing."""

    def started(self, name: str, total_bytes: int | None, done_bytes: int) -> None:
        """Show nothing."""

    def advanced(self, size_bytes: int) -> None:
        """Show nothing."""

    def finished(self) -> None:
        """Show nothing."""

    def note(self, message: str) -> None:
        """Show nothing."""


class LineProgress:
    """Writes one line per transfer."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def started(self, name: str, total_bytes: int | None, done_bytes: int) -> None:
        """Say what is fetched and how much of it."""
        size = f" ({size_text(total_bytes)})" if total_bytes is not None else ""
        resumed = f", resumed at {size_text(done_bytes)}" if done_bytes else ""
        self.note(f"fetching {name}{size}{resumed}")

    def advanced(self, size_bytes: int) -> None:
        """Show nothing: a log wants no moving bar."""

    def finished(self) -> None:
        """Show nothing: the caller reports success or failure."""

    def note(self, message: str) -> None:
        """Write the message as a line."""
        self._stream.write(f"{message}\n")
        self._stream.flush()


class BarProgress:
    """Draws one bar per transfer and removes it at the end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def started(self, name: str, total_bytes: int | None, done_bytes: int) -> None:
        """Draw the bar, begun at ``done_bytes``."""
        self.finished()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(binary_units=True),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        self._task = self._bar.add_task(name, total=total_bytes, completed=done_bytes)
        self._bar.start()

    def advanced(self, size_bytes: int) -> None:
        """Move the bar."""
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task, size_bytes)

    def finished(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.stop()
        self._bar = self._task = None

    def note(self, message: str) -> None:
        """Write the message above the bar."""
        self._console.print(message, markup=False, highlight=False)


def progress_for(stream: TextIO | None = None) -> DownloadProgress:
    """Return a bar if the stream (standard error by default) is a terminal, else lines."""
    stream = sys.stderr if stream is None else stream
    return BarProgress(Console(file=stream)) if stream.isatty() else LineProgress(stream)


def size_text(size_bytes: int) -> str:
    """Return a size for people: ``512 B``, ``34.2 MB`` (decimal units)."""
    size = float(size_bytes)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


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
