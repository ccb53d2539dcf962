# SPDX-License-Identifier: Apache-2.0
"""Read tables of a flatbuffer from anywhere through bounds, by the numbers of their fields.

The library flatbuffers checks no bounds in Python. What does not fit ends in an exception of
`DAMAGED`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

_MAX_ITEMS, _MAX_TEXT_BYTES = 100_000, 4096
DAMAGED = (struct.error, IndexError, ValueError, TypeError, OverflowError, RecursionError)


class Table:
    """A table of a flatbuffer, whose fields are read by their number in the schema."""

    def __init__(self, content: bytes, at: int) -> None:
        self._content, self._at = content, at
        (distance,) = struct.unpack_from("<i", content, self._inside(at, 4))
        self._vtable = at - distance
        (self._vtable_bytes,) = struct.unpack_from("<H", content, self._inside(self._vtable, 4))
        self._inside(self._vtable, self._vtable_bytes)

    @classmethod
    def root(cls, content: bytes) -> Table:
        """Return the table that a flatbuffer begins with."""
        return cls(content, struct.unpack_from("<I", content, 0)[0])

    def scalar(self, field: int, kind: str, default: int) -> int:
        """Return a number; ``kind`` is as of the module struct."""
        at = self._field(field)
        return default if at is None else int(struct.unpack_from(f"<{kind}", self._content, at)[0])

    def number(self, field: int, kind: str) -> float:
        """Return a number of eight bytes; 0 if it is not there."""
        at = self._field(field)
        return 0 if at is None else float(struct.unpack_from(f"<{kind}", self._content, at)[0])

    def table(self, field: int) -> Table:
        """Return a table; ValueError: it is not there."""
        at = self._field(field)
        if at is None:
            raise ValueError(f"table {field} is missing")
        return Table(self._content, self._target(at))

    def tables(self, field: int) -> Iterator[Table]:
        """Yield the tables of a vector."""
        start, count = self._vector(field, 4)
        for index in range(count):
            yield Table(self._content, self._target(start + 4 * index))

    def integers(self, field: int) -> list[int]:
        """Return a vector of int32."""
        start, count = self._vector(field, 4)
        return list(struct.unpack_from(f"<{count}i", self._content, start))

    def raw(self, field: int, limit_bytes: int = _MAX_TEXT_BYTES) -> bytes:
        """Return a vector of bytes, at most ``limit_bytes`` of it."""
        start, count = self._vector(field, 1)
        return self._content[start : start + min(count, limit_bytes)]

    def text(self, field: int) -> str:
        """Return a string, fit for a message; empty if it is not there."""
        found = self.raw(field).decode("utf-8", "replace")
        return "".join(letter if letter.isprintable() else "?" for letter in found)

    def _field(self, number: int) -> int | None:
        entry = 4 + 2 * number
        if entry + 2 > self._vtable_bytes:
            return None
        (offset,) = struct.unpack_from("<H", self._content, self._vtable + entry)
        return self._inside(self._at + offset, 1) if offset else None

    def _vector(self, field: int, element_bytes: int) -> tuple[int, int]:
        """Return where a vector's elements start, and how many there are."""
        at = self._field(field)
        if at is None:
            return 0, 0
        vector = self._target(at)
        (count,) = struct.unpack_from("<I", self._content, self._inside(vector, 4))
        if element_bytes > 1 and count > _MAX_ITEMS:
            raise ValueError(f"a vector has {count} elements")
        return self._inside(vector + 4, element_bytes * count), count

    def _target(self, at: int) -> int:
        """Return the place that the offset at ``at`` leads to."""
        (offset,) = struct.unpack_from("<I", self._content, self._inside(at, 4))
        return self._inside(at + int(offset), 4)

    def _inside(self, at: int, size_bytes: int) -> int:
        if at < 0 or at + size_bytes > len(self._content):
            raise ValueError(f"an offset leads to byte {at} of {len(self._content)}")
        return at
