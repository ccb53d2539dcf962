# SPDX-License-Identifier: Apache-2.0
"""One memory behind the data cache: the CPU's view of it, what is in it, and what the two share."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator

from open_board.guest_memory import PhysicalMemory
from open_board.spans import Span, Spans

LINE_BYTES = 32
_PAGE_BYTES = 0x1000
_COMPLEMENT = bytes(range(256))[::-1]
# Of the default memory map of Armv8-M, where the NPU reaches.
_WRITE_THROUGH = ((0x00000000, 0x20000000), (0x80000000, 0xA0000000))


class Bank:
    """One memory: what the CPU sees, what is in it, and where the two last agreed.

    Attributes:
        bases: Its aliases.
        size_bytes: Its size.
        memory: What is in it: the NPU's view.
        agreed: What the CPU saw when a line was last the same for both.
        stale: Offsets of lines that the NPU has written and the CPU not invalidated.
        written: Those of them that the job at hand has written.
        base: The alias that the NPU used last.
    """

    def __init__(self, bases: tuple[int, ...], size_bytes: int, cpu: PhysicalMemory) -> None:
        self.bases = bases
        self.size_bytes = size_bytes
        self.base = bases[0]
        self.memory = mmap.mmap(-1, size_bytes)
        self.agreed = mmap.mmap(-1, size_bytes)
        self.stale = Spans()
        self.written = Spans()
        self._cpu = cpu
        self._pages: dict[int, bytes] = {}

    def forget(self) -> None:
        """Fetch the CPU's view anew: it has run."""
        self._pages.clear()

    def cpu(self, offset: int, size_bytes: int) -> bytes:
        """Return the CPU's view, each page fetched once until `forget`."""
        first, end = offset // _PAGE_BYTES, -(-(offset + size_bytes) // _PAGE_BYTES)
        pages = b"".join(self._page(number) for number in range(first, end))
        start = offset - first * _PAGE_BYTES
        return pages[start : start + size_bytes]

    def _page(self, number: int) -> bytes:
        if number not in self._pages:
            address = self.bases[0] + number * _PAGE_BYTES
            self._pages[number] = self._cpu.read(address, _PAGE_BYTES)
        return self._pages[number]

    def cpu_line(self, offset: int) -> bytes:
        """Return a line of the CPU's view as it is now."""
        return self._cpu.read(self.bases[0] + offset, LINE_BYTES)

    def store(self, offset: int, data: bytes) -> None:
        """Change the CPU's view."""
        self._cpu.write(self.bases[0] + offset, data)

    def hide_written(self) -> None:
        """Take from the CPU's view what the NPU has written since the last call."""
        for start, end in self.written:
            data = self.memory[start:end]
            view = data if is_write_through(self.base + start) else data.translate(_COMPLEMENT)
            self.store(start, view)
            self.agreed[start:end] = view
        self.written = Spans()

    def load(self, offset: int, data: bytes) -> None:
        """Take ``data`` for the CPU's view and the memory alike."""
        self.memory[offset : offset + len(data)] = data
        self.agreed[offset : offset + len(data)] = data

    def close(self) -> None:
        """Give the memory back."""
        self.memory.close()
        self.agreed.close()


def is_write_through(address: int) -> bool:
    """Tell whether the default memory map lets writes through to memory at once."""
    return any(start <= address < end for start, end in _WRITE_THROUGH)


def lines_of(start: int, end: int) -> Span:
    """Return the span of the whole lines that hold a span."""
    return start // LINE_BYTES * LINE_BYTES, -(-end // LINE_BYTES) * LINE_BYTES


def populated(fd: int) -> Iterator[Span]:
    """Yield the spans of a sparse file that hold anything."""
    size_bytes = os.fstat(fd).st_size
    at = 0
    while at < size_bytes:
        try:
            start = os.lseek(fd, at, os.SEEK_DATA)
        except OSError:
            return  # nothing behind
        at = os.lseek(fd, start, os.SEEK_HOLE)
        yield start, at
