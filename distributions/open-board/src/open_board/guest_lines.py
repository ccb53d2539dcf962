# SPDX-License-Identifier: Apache-2.0
"""Copies of the stopped CPU's memory by line, fetched ahead where the last time tells which."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from open_board.gdb_client import GdbClient, parse_memory, read_memory, write_memory
from open_board.machine import is_memory
from open_board.spans import Span

LINE_SHIFT = 6
LINE_BYTES = 1 << LINE_SHIFT
_OFFSET = LINE_BYTES - 1
_MAX_READ_BYTES = 1024  # QEMU's answer has to fit into its packet
_MAX_GAP_BYTES = 512
_MAX_LEARNED = 4096


class NotedLine(NamedTuple):
    """Some bytes of a line, as they were.

    Attributes:
        number: Of the line.
        mask: Ones where these bytes are, the lowest address in the lowest bits.
        value: The bytes; zero where the mask is.
    """

    number: int
    mask: int
    value: int


class GuestLines:
    """Memory as the CPU sees it during one stop, and what is to be written to it."""

    def __init__(self, gdb: GdbClient) -> None:
        """Read through ``gdb``."""
        self._gdb = gdb
        self._ahead: dict[int, bytearray] = {}
        self._lines: dict[int, bytearray] = {}  # what this stop has taken
        self._absent: set[int] = set()
        self._dirty: set[int] = set()
        self._journal: list[tuple[int, bytes]] = []
        self._learned: dict[int, tuple[Span, ...]] = {}
        self._pc = 0
        self._noting = False
        self._noted: dict[int, NotedLine] = {}
        self._written: dict[int, int] = {}  # masks

    def packets(self, pc: int) -> list[bytes]:
        """Return the packets that read what a stop at ``pc`` took the last time."""
        return [read_memory(start, end - start) for start, end in self._learned.get(pc, ())]

    def begin(self, pc: int, expected: int, answers: Sequence[bytes] = ()) -> None:
        """Take the answers to `packets` for ``expected``; the CPU has stopped at ``pc``."""
        for each in (self._ahead, self._lines, self._absent, self._dirty, self._journal):
            each.clear()
        self._noting = False
        self._pc = pc
        for (start, end), answer in zip(self._learned.get(expected, ()), answers, strict=False):
            self._keep(start, end, answer)

    def end(self) -> None:
        """Remember what this stop took."""
        if len(self._learned) < _MAX_LEARNED or self._pc in self._learned:
            self._learned[self._pc] = tuple(_joined(_spans(self._lines)))

    def line(self, number: int) -> bytearray | None:
        """Return a line of memory; None where there is none that the CPU can read."""
        line = self._lines.get(number)
        if line is None and number not in self._absent:
            line = self._ahead.get(number) or self._fetch(number)
            if line is None:
                self._absent.add(number)
            else:
                self._lines[number] = line
        return line

    def read(self, address: int, size_bytes: int) -> bytes | None:
        """Return memory; None where there is none that the CPU can read."""
        number, at = address >> LINE_SHIFT, address & _OFFSET
        line = self._lines.get(number) or self.line(number)
        if line is None:
            return None
        if self._noting:
            self._note(number, at, size_bytes)
        if at + size_bytes <= LINE_BYTES:
            return bytes(line[at : at + size_bytes])
        first = LINE_BYTES - at
        rest = self.read(address + first, size_bytes - first)
        return None if rest is None else bytes(line[at:]) + rest

    def write(self, address: int, data: bytes) -> bool:
        """Keep ``data`` to be written; False where the CPU cannot read."""
        noting, self._noting = self._noting, False  # what it overwrites makes no difference
        old = self.read(address, len(data))
        self._noting = noting
        if old is None:
            return False
        self._journal.append((address, old))
        self._put(address, data)
        return True

    def written(self) -> list[tuple[int, bytes]]:
        """Return address and bytes of what has been written since the last `mark`, in order."""
        return [(address, self._bytes(address, len(old))) for address, old in self._journal]

    def mark(self) -> None:
        """Keep what has been written so far."""
        self._journal.clear()

    def undo(self) -> None:
        """Forget what has been written since the last `mark`."""
        for address, old in reversed(self._journal):
            self._put(address, old)
        self._journal.clear()

    def take_writes(self, wanted: Callable[[int], bool] = lambda _: True) -> list[bytes]:
        """Return the packets that write what has been changed.

        Args:
            wanted: Chooses by address; all other changes are kept for another time.
        """
        taken = [number for number in self._dirty if wanted(number << LINE_SHIFT)]
        self._dirty.difference_update(taken)
        return [
            write_memory(start, b"".join(self._lines[n] for n in _numbers(start, end)))
            for start, end in _spans(taken)
        ]

    # -- what is read before it is written ----------------------------------------------

    def note(self) -> None:
        """Note what is read before it is written, up to `noted`."""
        self._noting = True
        self._noted.clear()
        self._written.clear()

    def noted(self) -> tuple[NotedLine, ...]:
        """Return what has been noted, and note no more."""
        self._noting = False
        return tuple(self._noted.values())

    def note_line(self, number: int) -> None:
        """Note that all of a line has been looked at."""
        if self._noting:
            self._note(number, 0, LINE_BYTES)

    def holds(self, noted: NotedLine) -> bool:
        """Tell whether bytes are as they were."""
        line = self._lines.get(noted.number) or self.line(noted.number)
        return line is not None and int.from_bytes(line, "little") & noted.mask == noted.value

    def _note(self, number: int, at: int, size_bytes: int) -> None:
        known = self._noted.get(number, NotedLine(number, 0, 0))
        fresh = _mask(at, size_bytes) & ~known.mask & ~self._written.get(number, 0)
        if fresh:
            value = int.from_bytes(self._lines[number], "little") & fresh
            self._noted[number] = NotedLine(number, known.mask | fresh, known.value | value)

    # -- lines --------------------------------------------------------------------------

    def _put(self, address: int, data: bytes) -> None:
        number, at = address >> LINE_SHIFT, address & _OFFSET
        here = data[: LINE_BYTES - at]
        self._lines[number][at : at + len(here)] = here
        self._dirty.add(number)
        if self._noting:
            self._written[number] = self._written.get(number, 0) | _mask(at, len(here))
        if len(here) < len(data):
            self._put(address + len(here), data[len(here) :])

    def _bytes(self, address: int, size_bytes: int) -> bytes:
        """Return bytes of lines that have been taken."""
        number, at = address >> LINE_SHIFT, address & _OFFSET
        here = bytes(self._lines[number][at : at + size_bytes])
        rest = size_bytes - len(here)
        return here + self._bytes(address + len(here), rest) if rest else here

    def _fetch(self, number: int) -> bytearray | None:
        start = number << LINE_SHIFT
        if not is_memory(start, LINE_BYTES):
            return None
        answer = self._gdb.request(read_memory(start, LINE_BYTES))
        self._keep(start, start + LINE_BYTES, answer)
        return self._ahead.get(number)

    def _keep(self, start: int, end: int, answer: bytes) -> None:
        if answer.startswith(b"E"):
            return
        data = bytearray(parse_memory(answer))
        for number in _numbers(start, end):
            at = (number << LINE_SHIFT) - start
            self._ahead[number] = data[at : at + LINE_BYTES]


def _mask(at: int, size_bytes: int) -> int:
    """Return ones in the bits of some bytes of a line; what is beyond its end is left out."""
    return (1 << 8 * min(size_bytes, LINE_BYTES - at)) - 1 << 8 * at


def _numbers(start: int, end: int) -> range:
    """Return the numbers of the lines from one address to another."""
    return range(start >> LINE_SHIFT, end >> LINE_SHIFT)


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Join spans that are near to one another: a packet costs more than some bytes."""
    joined: list[Span] = []
    for start, end in spans:
        if joined and _is_near(joined[-1], (start, end)):
            start = joined.pop()[0]  # noqa: PLW2901 - the span begins with the one before
        joined.append((start, end))
    return joined


def _is_near(before: Span, span: Span) -> bool:
    size_bytes = span[1] - before[0]
    near = span[0] - before[1] <= _MAX_GAP_BYTES and size_bytes <= _MAX_READ_BYTES
    return near and is_memory(before[0], size_bytes)


def _spans(numbers: Iterable[int]) -> Iterable[Span]:
    """Yield start and end in bytes of runs of lines, none too long for one packet."""
    start = end = -1
    for number in sorted(numbers):
        at = number << LINE_SHIFT
        if at != end or end - start >= _MAX_READ_BYTES:
            if end > start:
                yield start, end
            start = at
        end = at + LINE_BYTES
    if end > start:
        yield start, end
