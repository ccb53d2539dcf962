# SPDX-License-Identifier: Apache-2.0
"""Show a build's steps: a line for each that has ended and, on a terminal, one for what runs.

The SCons process imports this, so it needs nothing but the standard library.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import IO, Any, TextIO

from ethosmith.core.program import signal_name
from ethosmith.core.terminal import Look

_VERB_WIDTH = 10
_REDRAW_S = 0.2
_ERASE = "\r\x1b[K"
_CYAN, _DIM, _PLAIN = "\x1b[36m", "\x1b[2m", "\x1b[0m"


@dataclass
class Running:
    """A step that runs.

    Attributes:
        label: its verb and name, as ``VERB      name``.
        owns_terminal: it draws on the terminal itself.
        expected_s: how long it took the last time; None: nobody knows.
        started_s: of the monotonic clock.
    """

    label: str
    owns_terminal: bool
    expected_s: float | None = None
    started_s: float = field(default_factory=time.monotonic)

    @property
    def elapsed_s(self) -> float:
        """For how long it has been running."""
        return time.monotonic() - self.started_s


class Progress:
    """Shows the steps of one build. Steps may run in several threads.

    Args:
        stream: where the lines go.
        look: what ``stream`` can show.
    """

    def __init__(self, stream: TextIO, look: Look) -> None:
        self._stream = stream
        self._look = look
        self._lock = threading.RLock()
        self._running: list[Running] = []
        self._drawn = False
        self._drawer: threading.Thread | None = None
        self._begun = threading.Event()

    @property
    def is_live(self) -> bool:
        """Whether a line changes while steps run."""
        return self._look.live

    @contextmanager
    def step(
        self, label: str, *, owns_terminal: bool = False, expected_s: float | None = None
    ) -> Iterator[Running]:
        """Show ``label`` while the block runs. No label: show nothing."""
        running = Running(label, owns_terminal, expected_s)
        if label and self._look.live:
            with self._lock:
                self._running.append(running)
                self._draw()
            self._start_drawing()
        try:
            yield running
        finally:
            with self._lock:
                self._erase()
                if running in self._running:
                    self._running.remove(running)
                self._draw()

    def ended(self, running: Running) -> None:
        """Write the line of a step that has done its work."""
        if running.label:
            self.line(self._finished_text(running))

    def line(self, text: str) -> None:
        """Write a line above what changes."""
        with self._lock:
            self._erase()
            self._put(f"{text}\n")
            self._draw()

    def run(
        self,
        label: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        owns_terminal: bool = False,
        text: str | None = None,
        expected_s: float | None = None,
    ) -> int:
        """Run a command as a step, and show what it says; ``text`` is its standard input.

        On a terminal, ``expected_s`` is shown beside the time that it has taken.

        It inherits all open descriptors: among them is the build's lock, for it may outlive
        a build that is killed.

        Raises:
            OSError: the program cannot be started.
        """
        shown = self.step(label, owns_terminal=owns_terminal, expected_s=expected_s)
        with shown as running:
            inherit = owns_terminal or not label or not self._look.live
            call = _call if inherit else self._relay
            code = call(command, dict(environment), text)
            if code == 0:
                self.ended(running)
            elif code < 0:
                what = " ".join(label.split()) or command[0]
                self.line(f"error: {what}: ended by {signal_name(-code)}")
        return code

    def _relay(
        self, command: Sequence[str], environment: Mapping[str, str], text: str | None
    ) -> int:
        """Run ``command`` and write its lines above what changes."""
        with (
            _as_input(text) as given,
            subprocess.Popen(
                command,
                env=environment,
                close_fds=False,
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            ) as process,
        ):
            for line in process.stdout or ():
                self.line(line.rstrip("\n"))
        return process.returncode

    def _finished_text(self, running: Running) -> str:
        verb, name = running.label[:_VERB_WIDTH], running.label[_VERB_WIDTH:]
        duration = duration_text(running.elapsed_s)
        if not self._look.colour:
            return f"{verb}{name}  {duration}"
        return f"{_CYAN}{verb}{_PLAIN}{name}  {_DIM}{duration}{_PLAIN}"

    def _start_drawing(self) -> None:
        self._begun.set()
        if self._drawer is None:
            self._drawer = threading.Thread(target=self._keep_drawing, daemon=True)
            self._drawer.start()

    def _keep_drawing(self) -> None:
        while self._begun.wait():
            time.sleep(_REDRAW_S)
            with self._lock:
                self._draw()
                if not self._running:
                    self._begun.clear()

    def _draw(self) -> None:
        shown = [running for running in self._running if not running.owns_terminal]
        if not shown or len(shown) < len(self._running):
            self._erase()
            return
        text = running_text(shown, shutil.get_terminal_size().columns - 1)
        colour = (_DIM, _PLAIN) if self._look.colour else ("", "")
        self._put(f"{_ERASE}{colour[0]}{text}{colour[1]}")
        self._drawn = True

    def _erase(self) -> None:
        if self._drawn:
            self._put(_ERASE)
            self._drawn = False

    def _put(self, text: str) -> None:
        # A terminal may be closed at any time; SCons would wait for ever for a thread that
        # ended by an exception.
        with suppress(OSError) if self._look.live else nullcontext():
            self._stream.write(text)
            self._stream.flush()

    @contextmanager
    def above(self) -> Iterator[None]:
        """Make room for a block that writes lines to the terminal by itself."""
        with self._lock:
            self._erase()
            yield
            self._draw()


class StreamAbove:
    """A stream whose lines go above what changes, whoever writes them.

    Args:
        progress: makes room.
        stream: the terminal.
    """

    def __init__(self, progress: Progress, stream: TextIO) -> None:
        self._progress = progress
        self._stream = stream

    def write(self, text: str) -> int:
        """Write ``text``, which ends with a line end as all that SCons writes does."""
        with self._progress.above(), suppress(OSError):  # as in `Progress`
            self._stream.write(text)
            self._stream.flush()
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def progress_of_this_process() -> Progress:
    """Return the progress on standard output; on a terminal, other output goes above it."""
    stream = sys.stdout
    look = Look.of(stream)
    if look.live and not sys.stderr.isatty():
        look = Look(live=False, colour=look.colour)
    progress = Progress(stream, look)
    if look.live:
        sys.stdout = StreamAbove(progress, sys.stdout)
        sys.stderr = StreamAbove(progress, sys.stderr)
    return progress


def running_text(running: Sequence[Running], width: int) -> str:
    """Return what runs now in at most ``width`` characters."""
    words = [f"{' '.join(step.label.split(None, 1))} {_so_far(step)}" for step in running]
    text = f"{len(words)} running: {', '.join(words)}" if len(words) > 1 else words[0]
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def _so_far(step: Running) -> str:
    """Return for how long a step has been running, and of how long where that is known."""
    elapsed = duration_text(step.elapsed_s, digits=0)
    expected_s = step.expected_s
    # A short one has ended before anybody has read it; a late one is no news of use.
    if expected_s is None or expected_s < 1 or step.elapsed_s > expected_s:
        return elapsed
    return f"{elapsed} of about {duration_text(expected_s, digits=0)}"


def duration_text(duration_s: float, digits: int = 1) -> str:
    """Return a time for people: ``0.6 s``, ``2 min 5 s``."""
    if round(duration_s, digits) < 60:
        return f"{duration_s:.{digits}f} s"
    minutes, seconds = divmod(round(duration_s), 60)
    return f"{minutes} min {seconds} s"


def _call(command: Sequence[str], environment: Mapping[str, str], text: str | None) -> int:
    with _as_input(text) as given:
        return subprocess.call(command, env=environment, close_fds=False, stdin=given)


@contextmanager
def _as_input(text: str | None) -> Iterator[IO[bytes] | None]:
    """Yield a file with ``text`` for a process to read; None: it reads what this one would.

    A file, for a process that ends without reading a pipe would end its writer.
    """
    if text is None:
        yield None
        return
    with tempfile.TemporaryFile() as file:
        file.write(text.encode())
        file.seek(0)
        yield file
