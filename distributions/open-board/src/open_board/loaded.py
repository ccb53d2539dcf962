# SPDX-License-Identifier: Apache-2.0
"""What QEMU loads before reset: the program's segments and raw images, with their addresses."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from open_board.files import read_bytes
from open_board.job import BoardJob

_HEADER = struct.Struct("<16sHHIIIIIHHHHHH")
_SEGMENT = struct.Struct("<IIIIIIII")
_PT_LOAD = 1
_MAX_SEGMENTS = 64
# WFI and WFE, narrow and wide (Armv8-M ARM, C2.4).
_SLEEPS = (b"\x30\xbf", b"\x20\xbf", b"\xaf\xf3\x03\x80", b"\xaf\xf3\x02\x80")


@dataclass(frozen=True)
class Segment:
    """A part of the program.

    Attributes:
        load_address: Where its bytes are put before reset.
        address: Where it lies while it runs.
        data: Its bytes.
        size_bytes: Its size; what exceeds the bytes is not loaded.
    """

    load_address: int
    address: int
    data: bytes
    size_bytes: int


def segments_of(job: BoardJob) -> list[Segment]:
    """Return the segments of a job's program or images, as far as they are whole.

    Raises:
        BoardError: A file cannot be read.
    """
    if job.axf is not None:
        return list(_elf_segments(read_bytes(job.axf)))
    images = ((image.address, read_bytes(image.path)) for image in job.images)
    return [Segment(address, address, data, len(data)) for address, data in images]


def _elf_segments(elf: bytes) -> Iterator[Segment]:
    if len(elf) < _HEADER.size:
        return
    header = _HEADER.unpack_from(elf)
    table, entry_bytes, count = header[5], header[9], header[10]
    for index in range(min(count, _MAX_SEGMENTS)):
        at = table + index * entry_bytes
        if at + _SEGMENT.size > len(elf):
            return
        kind, offset, address, load_address, file_bytes, size_bytes, _, _ = _SEGMENT.unpack_from(
            elf, at
        )
        if kind == _PT_LOAD and size_bytes:
            data = elf[offset : offset + file_bytes]
            yield Segment(load_address, address, data, max(size_bytes, len(data)))


def sleep_instructions(segments: list[Segment]) -> dict[int, int]:
    """Return address and size of each WFI and WFE in the segments, and of bytes like them."""
    found = {}
    for segment in segments:
        for code in _SLEEPS:
            at = segment.data.find(code)
            while at >= 0:
                if at % 2 == 0:
                    found[segment.address + at] = len(code)
                at = segment.data.find(code, at + 1)
    return found
