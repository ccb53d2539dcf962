# SPDX-License-Identifier: Apache-2.0
"""What is loaded of a program, whatever its headers say, and where it sleeps."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest

from ethosu_model.config import AcceleratorConfig
from open_board import loaded
from open_board.errors import BoardError
from open_board.job import BoardJob
from open_board.loaded import Segment, segments_of, sleep_instructions

_HEADER_BYTES, _ENTRY_BYTES = 52, 32
_CODES = {
    b"\x30\xbf": "WFI",
    b"\x20\xbf": "WFE",
    b"\xaf\xf3\x03\x80": "WFI.W",
    b"\xaf\xf3\x02\x80": "WFE.W",
}


def _elf(path: Path, body: bytes, *addresses: int) -> BoardJob:
    """Write a program of which each segment is the whole ``body``."""
    start = _HEADER_BYTES + _ENTRY_BYTES * len(addresses)
    header = struct.pack(
        "<16sHHIIIIIHHHHHH",
        *(b"\x7fELF\x01\x01\x01", 2, 40, 1, 1, _HEADER_BYTES, 0, 0),
        *(_HEADER_BYTES, _ENTRY_BYTES, len(addresses), 0, 0, 0),
    )
    size = len(body)
    table = (struct.pack("<8I", 1, start, at, at, size, size + 4, 7, 4) for at in addresses)
    path.write_bytes(header + b"".join(table) + body)
    return BoardJob(AcceleratorConfig.parse("ethos-u55-128"), path)


def test_segments_are_read_as_the_table_says(tmp_path: Path) -> None:
    job = _elf(tmp_path / "some.axf", b"abcdef", 0, 0x2000)
    assert segments_of(job) == [
        Segment(0, 0, b"abcdef", 10, writable=True),
        Segment(0x2000, 0x2000, b"abcdef", 10, writable=True),
    ]


def test_segments_of_the_same_bytes_cost_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loaded, "MAX_IMAGE_BYTES", 10_000)
    job = _elf(tmp_path / "some.axf", bytes(3000), *range(0, 64 * 16, 16))
    with pytest.raises(BoardError, match=r"some\.axf: its segments hold more than 10,000 bytes"):
        segments_of(job)


def _expected(data: bytes) -> dict[int, int]:
    return {
        at: len(code)
        for code in _CODES
        for at in range(0, len(data), 2)
        if data[at : at + len(code)] == code
    }


@pytest.mark.parametrize("seed", range(20))
def test_all_sleeps_are_found(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loaded, "_CHUNK_BYTES", 8)
    draw = random.Random(seed)  # noqa: S311 no secret
    parts = [*_CODES, b"\xaf", b"\xaf\xf3", b"\x03\x80", b"\x00"]
    data = b"".join(draw.choices(parts, k=60))
    found = sleep_instructions([Segment(0, 0, data, len(data))])
    assert found == _expected(data)


def test_data_full_of_sleeps_is_searched_no_further() -> None:
    data = b"\x30\xbf" * (1 << 22)
    found = sleep_instructions([Segment(0, 0x100, data, len(data))], limit=5)
    assert found == {0x100 + 2 * index: 2 for index in range(5)}
