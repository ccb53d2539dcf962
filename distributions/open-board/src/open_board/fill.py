# SPDX-License-Identifier: Apache-2.0
"""RAM as found after power-on: the pattern that Arm's Fast Models begin with, and no zeros."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from open_board.guest_memory import PhysicalMemory
from open_board.loaded import Segment
from open_board.machine import CPU_RAMS, DDR, SharedRam

PATTERN = bytes.fromhex("cfdfdfdfdfdfdfcf")  # words 0xdfdfdfcf and 0xcfdfdfdf in turn

_MIB = 1 << 20
# DDR has 2 GiB: it is filled where programs lie and around each of their segments only.
_DDR_FILLED = (
    (0x60000000, _MIB),
    (0x70000000, 16 * _MIB),
    (0x90000000, 4 * _MIB),
    (0x92000000, _MIB),
    (0x93000000, _MIB),
)
_BEHIND_SEGMENT = _MIB
_CHUNK = PATTERN * (_MIB // len(PATTERN))

Span = tuple[int, int]  # first address, and the first behind


def pattern(start: int, size_bytes: int) -> bytes:
    """Return what ``size_bytes`` bytes from address ``start`` hold at power-on."""
    phase = start % len(PATTERN)
    whole = -(-(phase + size_bytes) // len(PATTERN))
    return (PATTERN * whole)[phase : phase + size_bytes]


def ram_gaps(segments: Sequence[Segment]) -> list[Span]:
    """Return the spans of the on-chip RAMs that no segment occupies, by their first alias."""
    gaps: list[Span] = []
    for ram in CPU_RAMS:
        taken = [span for segment in segments for span in _within(ram, segment)]
        base = ram.bases[0]
        gaps += ((base + a, base + b) for a, b in _between(taken, 0, ram.size_bytes))
    return gaps


def unloaded(segments: Sequence[Segment]) -> list[Span]:
    """Return the spans that belong to segments and hold none of their bytes."""
    ends = (
        (segment.load_address + len(segment.data), segment.load_address + segment.size_bytes)
        for segment in segments
    )
    return [(start, end) for start, end in ends if start < end]


def fill_ddr(ddr: PhysicalMemory, segments: Sequence[Segment]) -> None:
    """Fill the parts of DDR that programs use, around what is loaded there."""
    taken = [(s.load_address, s.load_address + s.size_bytes) for s in segments]
    spans = [(start, start + size_bytes) for start, size_bytes in _DDR_FILLED]
    spans += [(start, end + _BEHIND_SEGMENT) for start, end in taken if start >= DDR.base]
    done = list(taken)
    for start, end in spans:
        for gap in list(_between(done, start, min(end, DDR.end))):
            fill(ddr, gap)
            done.append(gap)


def fill(memory: PhysicalMemory, span: Span) -> None:
    """Fill one span."""
    start, end = span
    while start < end:
        size_bytes = min(end - start, _MIB)
        whole = start % len(PATTERN) == 0 and size_bytes == _MIB
        memory.write(start, _CHUNK if whole else pattern(start, size_bytes))
        start += size_bytes


def _within(ram: SharedRam, segment: Segment) -> Iterator[Span]:
    for base in ram.bases:
        start = max(segment.load_address - base, 0)
        end = min(segment.load_address + segment.size_bytes - base, ram.size_bytes)
        if start < end:
            yield start, end


def _between(taken: Iterable[Span], start: int, end: int) -> Iterator[Span]:
    """Yield what is left of a span."""
    for first, behind in sorted(taken):
        if first >= end:
            break
        if start < first:
            yield start, first
        start = max(start, behind)
    if start < end:
        yield start, end
