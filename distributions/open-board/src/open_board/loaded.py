# SPDX-License-Identifier: Apache-2.0
"""What QEMU loads before reset: the program's segments and raw images, with their addresses."""

from __future__ import annotations

import contextlib
import struct
import sys
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from open_board.errors import BoardError
from open_board.files import MAX_IMAGE_BYTES, open_regular, read_bytes, size_of
from open_board.job import BoardJob
from open_board.spans import Span

_HEADER = struct.Struct("<16sHHIIIIIHHHHHH")
_SEGMENT = struct.Struct("<IIIIIIII")
_PT_LOAD, _PF_W = 1, 1 << 1
_MAX_SEGMENTS = 64
# More are not watched.
MAX_SLEEPS = 256
_CHUNK_BYTES = 1 << 20
# The types of `array` by their size in bytes.
_WORDS = {2: "H", 4: "I"}
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
        writable: The program may write it.
    """

    load_address: int
    address: int
    data: bytes
    size_bytes: int
    writable: bool = False


def segments_of(job: BoardJob) -> list[Segment]:
    """Return the segments of a job's program or images, as far as they are whole.

    Raises:
        BoardError: A file cannot be read, or is too large, or its segments are.
    """
    if job.axf is not None:
        size_of(job.axf)
        with open_regular(job.axf) as file:
            return list(_elf_segments(file, job.axf))
    images = ((image.address, read_bytes(image.path)) for image in job.images)
    return [Segment(address, address, data, len(data)) for address, data in images]


def _elf_segments(elf: BinaryIO, path: Path) -> Iterator[Segment]:
    """Yield the segments; nothing else of the file is read, such as its debug information."""
    start = elf.read(_HEADER.size)
    if len(start) < _HEADER.size:
        return
    header = _HEADER.unpack(start)
    table, entry_bytes, count = header[5], header[9], header[10]
    left = MAX_IMAGE_BYTES
    for index in range(min(count, _MAX_SEGMENTS)):
        elf.seek(table + index * entry_bytes)
        entry = elf.read(_SEGMENT.size)
        if len(entry) < _SEGMENT.size:
            return
        kind, offset, address, load_address, file_bytes, size_bytes, flags, _ = _SEGMENT.unpack(
            entry
        )
        if kind == _PT_LOAD and size_bytes:
            elf.seek(offset)
            data = elf.read(min(file_bytes, left + 1))
            left -= len(data)
            if left < 0:
                # Such as segments that are all the same part of the file.
                raise BoardError(f"{path}: its segments hold more than {MAX_IMAGE_BYTES:,} bytes")
            size_bytes = max(size_bytes, len(data))
            yield Segment(load_address, address, data, size_bytes, bool(flags & _PF_W))


def read_only_spans(segments: Iterable[Segment]) -> list[Span]:
    """Return start and end of what the program does not say that it writes."""
    return [
        (each.address, each.address + each.size_bytes) for each in segments if not each.writable
    ]


def sleep_instructions(segments: list[Segment], limit: int = MAX_SLEEPS) -> dict[int, int]:
    """Return address and size of WFI and WFE in the segments, and of bytes like them.

    At most ``limit`` of each kind and segment: data may be full of them.
    """
    return {
        segment.address + at: len(code)
        for segment in segments
        for code in _SLEEPS
        for at in _aligned(segment.data, code, limit)
    }


def _aligned(data: bytes, code: bytes, limit: int) -> list[int]:
    """Return where an instruction of 2 or 4 bytes is, at even places."""
    value, width = int.from_bytes(code, sys.byteorder), len(code)
    found: list[int] = []
    for first in range(0, width, 2):
        for begin in range(first, len(data) - width + 1, _CHUNK_BYTES):
            chunk = data[begin : begin + _CHUNK_BYTES]
            words = array(_WORDS[width], chunk[: len(chunk) // width * width])
            at = -1
            with contextlib.suppress(ValueError):  # no further one in this chunk
                while len(found) < limit:
                    at = words.index(value, at + 1)
                    found.append(begin + at * width)
    return sorted(found)
