# SPDX-License-Identifier: Apache-2.0
"""The board's memory from outside: as the NPU reaches it, and for loading and dumping.

DDR is shared with QEMU page by page, so it costs nothing to reach. The on-chip RAMs are
QEMU's own; what the NPU touches of them during a job is fetched once and written back
at the job's end, while the CPU stands still.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterable
from typing import Protocol

from ethosu_model.memory import BusFault
from open_board.machine import DDR, NPU_RAMS, SharedRam, is_secure_alias

_PAGE_BYTES = 0x1000
_MAX_PLACES = 4096


class PhysicalMemory(Protocol):
    """A way to read and write physical memory while the CPU stands still."""

    def read(self, address: int, size_bytes: int) -> bytes:
        """Return memory."""

    def write(self, address: int, data: bytes) -> None:
        """Store ``data``."""


class SharedDdr:
    """The board's DDR as one mapping that QEMU and this process share.

    Attributes:
        fd: Descriptor of the memory; QEMU opens it by its number.
    """

    def __init__(self, fd: int) -> None:
        """Map ``fd``, a file of the DDR's size."""
        self.fd = fd
        self._bytes = mmap.mmap(fd, DDR.size_bytes)

    def read(self, address: int, size_bytes: int) -> bytes:
        """Return memory; see PhysicalMemory."""
        start = address - DDR.base
        return self._bytes[start : start + size_bytes]

    def write(self, address: int, data: bytes) -> None:
        """Store ``data``; see PhysicalMemory."""
        start = address - DDR.base
        self._bytes[start : start + len(data)] = data

    def close(self) -> None:
        """Unmap the memory."""
        self._bytes.close()


class RamCopy:
    """What the NPU has touched of one of QEMU's RAMs since the last write-back."""

    def __init__(self, ram: SharedRam, physical: PhysicalMemory) -> None:
        """Copy from and to ``physical`` at the RAM's first alias."""
        self._ram = ram
        self._physical = physical
        self._view = memoryview(bytearray(ram.size_bytes))
        self._fetched: set[int] = set()
        self._dirty: set[int] = set()
        self._usual: set[int] = set()

    def offset(self, address: int, size_bytes: int) -> int | None:
        """Return where the range lies in the RAM, or None if not all of it does."""
        for base in self._ram.bases:
            if base <= address and address + size_bytes <= base + self._ram.size_bytes:
                return address - base
        return None

    def read(self, offset: int, size_bytes: int) -> bytes:
        """Return bytes, fetching the pages that are not here yet."""
        end = offset + size_bytes
        if not self._has(offset, end):
            self._fetch(_pages(offset, size_bytes))
        return bytes(self._view[offset:end])

    def write(self, offset: int, data: bytes) -> None:
        """Store bytes until the write-back; pages written in part are fetched first."""
        end = offset + len(data)
        touched = _pages(offset, len(data))
        if not self._has(offset, end):
            self._fetch_edges(offset, end)
            self._fetched.update(touched)
        self._view[offset:end] = data
        self._dirty.update(touched)

    def _has(self, offset: int, end: int) -> bool:
        """Tell whether all pages of a span have been fetched."""
        first, last, fetched = offset // _PAGE_BYTES, (end - 1) // _PAGE_BYTES, self._fetched
        if first == last:
            return first in fetched
        return fetched.issuperset(range(first, last + 1))

    def _fetch_edges(self, offset: int, end: int) -> None:
        """Fetch the first and the last page of a span, unless all of them is in it."""
        edges = (offset // _PAGE_BYTES, (end - 1) // _PAGE_BYTES)
        whole = range(-(-offset // _PAGE_BYTES), end // _PAGE_BYTES)
        self._fetch(page for page in edges if page not in whole)

    def write_back(self) -> None:
        """Store what was written in QEMU, and forget all pages: the CPU may change them."""
        for start, end in _runs(self._dirty):
            self._physical.write(self._ram.bases[0] + start, bytes(self._view[start:end]))
        self._dirty.clear()
        self._usual, self._fetched = self._fetched, set()

    def _fetch(self, pages: Iterable[int]) -> None:
        missing = {page for page in pages if page not in self._fetched}
        if missing and not self._fetched:
            missing |= self._usual  # jobs are alike: one transfer for what the last one touched
        for start, end in _runs(missing):
            data = self._physical.read(self._ram.bases[0] + start, end - start)
            self._view[start:end] = data
        self._fetched |= missing


def _pages(offset: int, size_bytes: int) -> range:
    """Return the numbers of the pages that the range touches."""
    if not size_bytes:
        return range(0)
    return range(offset // _PAGE_BYTES, (offset + size_bytes - 1) // _PAGE_BYTES + 1)


def _runs(pages: Iterable[int]) -> Iterable[tuple[int, int]]:
    """Yield start and end in bytes of each run of neighbouring pages."""
    start = end = -1
    for page in sorted(pages):
        if page != end:
            if end > start:
                yield start * _PAGE_BYTES, end * _PAGE_BYTES
            start = page
        end = page + 1
    if end > start:
        yield start * _PAGE_BYTES, end * _PAGE_BYTES


class NpuMemory:
    """What the NPU's AXI ports reach: SRAM, BRAM and DDR; the rest is a bus fault.

    Attributes:
        check_time: Raises when the run has taken too long.
        non_secure: The NPU is in the non-secure state, so the secure aliases are bus faults too.
    """

    def __init__(
        self,
        ddr: PhysicalMemory,
        physical: PhysicalMemory,
        check_time: Callable[[], None] = lambda: None,
    ) -> None:
        """Make the NPU's view.

        Args:
            ddr: Reaches DDR.
            physical: Reaches the RAMs that are copied.
            check_time: Called at each access; raises when the run has taken too long.
        """
        self._ddr = ddr
        self.check_time = check_time
        self.non_secure = False
        self._copies = [RamCopy(ram, physical) for ram in NPU_RAMS]
        self._places: dict[tuple[int, int], tuple[PhysicalMemory, int]] = {}

    def read(self, address: int, size_bytes: int) -> bytes:
        """Return memory.

        Raises:
            BusFault: The range is not all memory that the NPU reaches.
        """
        self._check(address)
        key = address, size_bytes
        memory, place = self._places.get(key) or self._find(key)
        return memory.read(place, size_bytes)

    def write(self, address: int, data: bytes) -> None:
        """Store ``data``.

        Raises:
            BusFault: As for ``read``.
        """
        self._check(address)
        key = address, len(data)
        memory, place = self._places.get(key) or self._find(key)
        memory.write(place, data)

    def set_non_secure(self, non_secure: bool) -> None:
        """Take the NPU's security state, before a job."""
        self.non_secure = non_secure

    def write_back(self) -> None:
        """Hand everything that the NPU wrote to the CPU."""
        for copy in self._copies:
            copy.write_back()

    def _check(self, address: int) -> None:
        self.check_time()
        if self.non_secure and is_secure_alias(address):
            raise BusFault(address)

    def _find(self, key: tuple[int, int]) -> tuple[PhysicalMemory, int]:
        """Return the memory of an address and a size, and the place in it; they come again."""
        address, size_bytes = key
        if len(self._places) >= _MAX_PLACES:
            self._places.clear()
        if DDR.holds(address, size_bytes):
            self._places[key] = self._ddr, address
            return self._places[key]
        for copy in self._copies:
            offset = copy.offset(address, size_bytes)
            if offset is not None:
                self._places[key] = copy, offset
                return self._places[key]
        raise BusFault(address)


class BoardMemory:
    """All of the board's memory, for loading and dumping while the CPU stands still."""

    def __init__(self, ddr: PhysicalMemory, physical: PhysicalMemory) -> None:
        """Reach DDR through ``ddr`` and the rest through ``physical``."""
        self._ddr = ddr
        self._physical = physical

    def read(self, address: int, size_bytes: int) -> bytes:
        """Return memory; see PhysicalMemory."""
        return self._memory_of(address, size_bytes).read(address, size_bytes)

    def write(self, address: int, data: bytes) -> None:
        """Store ``data``; see PhysicalMemory."""
        self._memory_of(address, len(data)).write(address, data)

    def _memory_of(self, address: int, size_bytes: int) -> PhysicalMemory:
        return self._ddr if DDR.holds(address, size_bytes) else self._physical
