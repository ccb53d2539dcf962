# SPDX-License-Identifier: Apache-2.0
"""Show the UART's output without the lines that only programs read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from open_board.job import UartSink

_MAX_LINE_BYTES = 1 << 16


@contextmanager
def without_lines(words: Sequence[str], sink: UartSink) -> Iterator[UartSink]:
    """Give a sink that hands lines on to ``sink`` unless their first word is in ``words``.

    A line is handed on when it has ended; the last one at the latest when the block ends.
    """
    if not words:
        yield sink
        return
    hidden = frozenset(word.encode() for word in words)
    waiting = bytearray()

    def take(data: bytes) -> None:
        waiting.extend(data)
        *lines, rest = bytes(waiting).split(b"\n")
        waiting[:] = rest
        shown = b"".join(line + b"\n" for line in lines if line.split(b" ", 1)[0] not in hidden)
        if len(waiting) > _MAX_LINE_BYTES:  # no line of ours
            shown += waiting
            waiting.clear()
        if shown:
            sink(shown)

    try:
        yield take
    finally:
        if waiting:
            sink(bytes(waiting))
