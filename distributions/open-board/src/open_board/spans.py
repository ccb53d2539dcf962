# SPDX-License-Identifier: Apache-2.0
"""A set of addresses, kept as the fewest spans that hold them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

Span = tuple[int, int]  # first address, and the first behind


class Spans:
    """Addresses in ascending, disjoint spans that do not touch each other."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def __iter__(self) -> zip[Span]:
        return zip(self._starts, self._ends, strict=True)

    def __len__(self) -> int:
        return len(self._starts)

    def add(self, start: int, end: int) -> None:
        """Put a span in."""
        first = bisect_left(self._ends, start)
        last = bisect_right(self._starts, end)
        if first < last:
            start = min(start, self._starts[first])
            end = max(end, self._ends[last - 1])
        self._starts[first:last] = [start]
        self._ends[first:last] = [end]

    def remove(self, start: int, end: int) -> None:
        """Take a span out."""
        first = bisect_right(self._ends, start)
        last = bisect_left(self._starts, end)
        left = [
            (a, b)
            for a, b in (
                (self._starts[first], start) if first < last else (0, 0),
                (end, self._ends[last - 1]) if first < last else (0, 0),
            )
            if a < b
        ]
        self._starts[first:last] = [a for a, _ in left]
        self._ends[first:last] = [b for _, b in left]

    def overlap(self, start: int, end: int) -> bool:
        """Tell whether any address of a span is in the set."""
        index = bisect_right(self._ends, start)
        return index < len(self._starts) and self._starts[index] < end
