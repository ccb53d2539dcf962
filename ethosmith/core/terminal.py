# SPDX-License-Identifier: Apache-2.0
"""What a terminal can show, and keeping a library's chatter off it.

The chatter bypasses Python's streams. The SCons process imports this, so it needs nothing but the
standard library.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TextIO, cast

_MAX_OUTPUT_BYTES = 4 << 20


class Look(NamedTuple):
    """What may be shown: ``live``: a line that changes; ``colour``: escape sequences for it."""

    live: bool
    colour: bool

    @classmethod
    def of(cls, stream: TextIO, environment: Mapping[str, str] = os.environ) -> Look:
        """Return what suits ``stream``: nothing special in a file, in CI, on a dumb terminal."""
        live = (
            stream.isatty()
            and environment.get("TERM", "dumb") != "dumb"
            and environment.get("CI", "").lower() in {"", "0", "false"}
        )
        return cls(live=live, colour=live and not environment.get("NO_COLOR"))


@contextlib.contextmanager
def captured_output() -> Iterator[Callable[[], str]]:
    """Redirect file descriptors 1 and 2; yield a function that returns the output so far."""
    import tempfile  # noqa: PLC0415 only where a step's library chatters

    with tempfile.TemporaryFile() as log, _redirected(log.fileno()):

        def output() -> str:
            _flush()
            return os.pread(log.fileno(), _MAX_OUTPUT_BYTES, 0).decode("utf-8", "replace")

        yield output


@contextlib.contextmanager
def _redirected(target: int) -> Iterator[None]:
    _flush()
    saved = os.dup(1), os.dup(2)
    os.dup2(target, 1)
    os.dup2(target, 2)
    try:
        yield
    finally:
        _flush()
        for descriptor, original in enumerate(saved, start=1):
            os.dup2(original, descriptor)
            os.close(original)


def _flush() -> None:
    """Write out what waits in Python's streams and in those of C libraries in this process."""
    import ctypes  # noqa: PLC0415 of no use to the SCons process, which starts in milliseconds

    sys.stdout.flush()
    sys.stderr.flush()
    ctypes.CDLL(None).fflush(None)


def reserved_output() -> TextIO:
    """Return a stream on standard output; from now on, all else goes to standard error.

    Also what processes write that are started later.
    """
    sys.stdout.flush()
    own = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(own, "w", encoding="utf-8")


KIB = 1024
MIB = 1024 * KIB


def human_size(size_bytes: int) -> str:
    """Return ``812 B``, ``23.4 KiB`` or ``2.31 MiB``."""
    if size_bytes < KIB:
        return f"{size_bytes} B"
    if size_bytes < MIB:
        return f"{size_bytes / KIB:.1f} KiB"
    return f"{size_bytes / MIB:.2f} MiB"


def percent(part: int, whole: int) -> float:
    """Return ``part`` of ``whole`` in percent; 0 of nothing is 0."""
    return 100.0 * part / whole if whole else 0.0


class UnbrokenStream:
    """A stream that may lose its reader: what is written then goes nowhere, quietly.

    So ``./scons | head`` does its work, and ends with the status of that work.

    Args:
        stream: a text or binary stream with a descriptor.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, data: Any) -> int:
        """Write ``data``, or discard it."""
        try:
            written: int = self._stream.write(data)
        except BrokenPipeError:
            self._discard()
            return len(data)
        return written

    def flush(self) -> None:
        """Flush, or discard what waits."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._discard()

    @property
    def buffer(self) -> UnbrokenStream:
        """The binary stream below a text stream."""
        return UnbrokenStream(self._stream.buffer)

    def _discard(self) -> None:
        """Let the descriptor lead nowhere, for this process and those that it starts."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def protect_streams() -> None:
    """Give this process standard streams that can be written to, whatever its caller closed."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
    for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.dup(number), mode))
    sys.stdout = cast(TextIO, UnbrokenStream(sys.stdout))
    sys.stderr = cast(TextIO, UnbrokenStream(sys.stderr))
