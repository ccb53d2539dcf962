# SPDX-License-Identifier: Apache-2.0
"""The bus as the NPU sees it: reads, writes and bus faults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class BusFault(Exception):  # noqa: N818 - the architecture's own word
    """An access that no memory answers.

    Attributes:
        address: First address of the access that failed.
    """

    def __init__(self, address: int) -> None:
        super().__init__(f"no memory answers at 0x{address:x}")
        self.address = address


class Memory(Protocol):
    """What the NPU's AXI ports reach."""

    def read(self, address: int, size_bytes: int) -> bytes:
        """Return ``size_bytes`` bytes from ``address``; raise BusFault if not all are memory."""

    def write(self, address: int, data: bytes) -> None:
        """Store ``data`` at ``address``; raise BusFault if not all of it falls on memory."""


@dataclass
class _Block:
    base: int
    data: bytearray


class ArrayMemory:
    """Memory made of separate arrays in this process, for hosts without a board."""

    def __init__(self) -> None:
        self._blocks: list[_Block] = []

    def add(self, base: int, size_bytes: int) -> None:
        """Map ``size_bytes`` zero bytes at ``base``.

        Raises:
            ValueError: The range overlaps one that is mapped already.
        """
        for block in self._blocks:
            if base < block.base + len(block.data) and block.base < base + size_bytes:
                raise ValueError(f"0x{base:x} overlaps the block at 0x{block.base:x}")
        self._blocks.append(_Block(base, bytearray(size_bytes)))

    def read(self, address: int, size_bytes: int) -> bytes:
        """Return the bytes at ``address``; see Memory."""
        block = self._find(address, size_bytes)
        start = address - block.base
        return bytes(memoryview(block.data)[start : start + size_bytes])

    def write(self, address: int, data: bytes) -> None:
        """Store ``data`` at ``address``; see Memory."""
        block = self._find(address, len(data))
        start = address - block.base
        block.data[start : start + len(data)] = data

    def _find(self, address: int, size_bytes: int) -> _Block:
        for block in self._blocks:
            if block.base <= address and address + size_bytes <= block.base + len(block.data):
                return block
        raise BusFault(address)
