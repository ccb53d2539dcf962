# SPDX-License-Identifier: Apache-2.0
"""The samples' window: what the firmware finds there are the items, and they never overflow it."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from ethosmith.accuracy.samples_window import (
    Window,
    batches,
    check_image,
    window_bytes,
    window_of,
    window_source,
)
from ethosmith.accuracy.set_file import Item
from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.platform import load_platform
from ethosmith.images.elf import Elf, Section
from tests.support.project_copy import ROOT

_PLATFORM = ROOT / "platforms/fvp/platform.yaml"
_WINDOW = Window("DDR", 0x7800_0000, 4096)


def _as_firmware_reads(data: bytes, window: Window, symbols: dict[str, int]) -> list[Item]:
    """Follow firmware/runtime/sample.h: a count, and rows of name, data, size and file."""

    def at(address: int) -> int:
        return address - window.address

    (count,) = struct.unpack_from("<I", data, at(symbols["sample_count"]))
    found = []
    for row in range(count):
        name, start, size, file = struct.unpack_from("<4I", data, at(symbols["samples"]) + 16 * row)
        assert start % 16 == 0 and file == 0
        text = data[at(name) : data.index(b"\0", at(name))].decode()
        found.append(Item(text, "", data[at(start) : at(start) + size]))
    return found


def _symbols(source: str) -> dict[str, int]:
    words = [
        line.split(".set ")[1].split("\\n")[0] for line in source.splitlines() if ".set" in line
    ]
    return {name: int(value, 16) for name, value in (word.split(", ") for word in words)}


@pytest.mark.parametrize("count", [1, 2, 5])
def test_the_firmware_finds_the_items(count: int) -> None:
    items = [Item(f"item-{i}", "", bytes([i + 1]) * (17 * i + 1)) for i in range(count)]
    symbols = _symbols(window_source("kws", _WINDOW, "usecase.yaml"))
    assert _as_firmware_reads(window_bytes(_WINDOW, items), _WINDOW, symbols) == items


def test_parts_fit_the_window_and_lose_nothing() -> None:
    items = [Item(str(i), "", bytes(300 + 61 * (i % 7))) for i in range(40)]
    parts = list(batches(_WINDOW, items, 6))
    assert [item for part in parts for item in part] == items
    assert all(len(window_bytes(_WINDOW, part)) <= _WINDOW.size_bytes for part in parts)
    assert max(map(len, parts)) == 6
    # Full to the last byte: 16 for the count, 16 for a row, 16 for a name.
    just = Item("just", "", bytes(4096 - 48))
    assert len(window_bytes(_WINDOW, next(batches(_WINDOW, [just], 6)))) == 4096
    with pytest.raises(EthosmithError, match="'over': 4049 bytes"):
        list(batches(_WINDOW, [Item("over", "", bytes(4049))], 6))


def test_an_image_that_reaches_into_the_window_is_refused() -> None:
    window = window_of(load_platform(_PLATFORM))
    assert (window.address, window.end) == (0x7800_0000, 0x8000_0000)
    for start, size, fits in [(0x77FF_FFF0, 16, True), (0x77FF_FFF0, 17, False)]:
        section = Section(".model", start, size, 4, start, 0, is_code=False, is_writable=False)
        image = Elf(Path("a.axf"), b"", 0, (section,), ())
        if fits:
            check_image(image, window)
        else:
            with pytest.raises(EthosmithError, match=r"a.axf: its section .model reaches"):
                check_image(image, window)
