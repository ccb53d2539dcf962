# SPDX-License-Identifier: Apache-2.0
"""Copies of the stopped CPU's memory by line, fetched ahead where the last time tells which."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from open_board.gdb_client import GdbClient, parse_memory, read_memory, write_memory
from open_board.machine import is_memory
from open_board.spans import Span

LINE_SHIFT = 6
LINE_BYTES = 1 << LINE_SHIFT
_OFFSET = LINE_BYTES - 1
_MAX_READ_BYTES = 1024  # QEMU's answer has to fit into its packet
_MAX_LEARNED = 4096


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

    def packets(self, pc: int) -> list[bytes]:
        """Return the packets that read what a stop at ``pc`` took the last time."""
        return [read_memory(start, end - start) for start, end in self._learned.get(pc, ())]

    def begin(self, pc: int, expected: int, answers: Sequence[bytes] = ()) -> None:
        """Take the answers to `packets` for ``expected``; the CPU has stopped at ``pc``."""
        for each in (self._ahead, self._lines, self._absent, self._dirty, self._journal):
            each.clear()
        self._pc = pc
        for (start, end), answer in zip(self._learned.get(expected, ()), answers, strict=False):
            self._keep(start, end, answer)

    def end(self) -> None:
        """Remember what this stop took."""
        if len(self._learned) < _MAX_LEARNED or self._pc in self._learned:
            self._learned[self._pc] = tuple(_spans(self._lines))

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
        if at + size_bytes <= LINE_BYTES:
            return bytes(line[at : at + size_bytes])
        first = LINE_BYTES - at
        rest = self.read(address + first, size_bytes - first)
        return None if rest is None else bytes(line[at:]) + rest

    def write(self, address: int, data: bytes) -> bool:
        """Note ``data`` to be written; False where the CPU cannot read."""
        old = self.read(address, len(data))
        if old is None:
            return False
        self._journal.append((address, old))
        self._put(address, data)
        return True

    def mark(self) -> None:
        """Keep what has been written so far."""
        self._journal.clear()

    def undo(self) -> None:
        """Forget what has been written since the last `mark`."""
        for address, old in reversed(self._journal):
            self._put(address, old)
        self._journal.clear()

    def take_writes(self) -> list[bytes]:
        """Return the packets that write what has been changed."""
        packets = [
            write_memory(start, b"".join(self._lines[n] for n in _numbers(start, end)))
            for start, end in _spans(self._dirty)
        ]
        self._dirty.clear()
        return packets

    def _put(self, address: int, data: bytes) -> None:
        number, at = address >> LINE_SHIFT, address & _OFFSET
        here = data[: LINE_BYTES - at]
        self._lines[number][at : at + len(here)] = here
        self._dirty.add(number)
        if len(here) < len(data):
            self._put(address + len(here), data[len(here) :])

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


def _numbers(start: int, end: int) -> range:
    """Return the numbers of the lines from one address to another."""
    return range(start >> LINE_SHIFT, end >> LINE_SHIFT)


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
