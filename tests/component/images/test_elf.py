# SPDX-License-Identifier: Apache-2.0
"""No ELF file, however damaged, does worse than an error of one line."""

from __future__ import annotations

import random
import struct
import tracemalloc
from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.images.elf import read_image, read_object, read_symbols
from ethosmith.images.stack import estimate, exception_handlers, read_functions
from ethosmith.images.usage import measure
from ethosmith.steps.write_sectors import place_segments
from tests.support.small_image import REGIONS, Linked, run

MUTATIONS = 2500


def test_sections_and_symbols_equal_readelfs(small: Linked) -> None:
    image = read_image(small.axf)
    listing = run("arm-none-eabi-nm", "-S", "--defined-only", small.axf, cwd=small.axf.parent)
    sized = {
        (words[3], int(words[0], 16), int(words[1], 16))
        for words in (line.split() for line in listing.splitlines())
        if len(words) == 4
    }
    assert sized
    table = read_symbols(image)
    assert {(item.name, item.address, item.size_bytes) for item in table.sized} == sized
    loads = {section.name: section.load_address for section in image.sections}
    headers = run("arm-none-eabi-objdump", "-h", small.axf, cwd=small.axf.parent)
    data_row = next(line.split() for line in headers.splitlines() if " .data " in line)
    assert loads[".data"] == int(data_row[4], 16)
    assert loads[".bss"] is None


def damaged(original: bytes, generator: random.Random) -> bytes:
    data = bytearray(original)
    kind = generator.randrange(4)
    if kind == 0:
        return bytes(data[: generator.randrange(len(data))])
    header_bytes, section_table = 52, struct.unpack_from("<I", data, 32)[0]
    for _ in range(generator.randrange(1, 6)):
        start, end = [(0, header_bytes + 200), (section_table, len(data)), (0, len(data))][kind - 1]
        position = generator.randrange(start, end - 4)
        value = generator.choice(
            [0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, generator.getrandbits(32)]
        )
        struct.pack_into("<I", data, position, value)
    return bytes(data)


@pytest.fixture(scope="module")
def original(small: Linked) -> bytes:
    stripped = small.axf.with_name("stripped.axf")
    run("arm-none-eabi-strip", "--strip-debug", "-o", stripped, small.axf, cwd=small.axf.parent)
    return stripped.read_bytes()


def refuses(path: Path) -> bool:
    try:
        image = read_image(path)
        functions = read_functions(image, read_symbols(image))
        estimate(functions, image.entry_address & ~1, exception_handlers(image))
        place_segments(image, REGIONS)
        measure(image, REGIONS)
    except EthosmithError as error:
        assert "\n" not in str(error)
        assert str(error).startswith(f"{path}: ")
        return True
    return False


@pytest.mark.long
def test_damaged_images_give_only_one_line_errors(original: bytes, tmp_path: Path) -> None:
    generator = random.Random(20261122)  # noqa: S311 - repeatable, not secret
    path = tmp_path / "damaged.axf"
    refused = 0
    for _ in range(MUTATIONS):
        path.write_bytes(damaged(original, generator))
        refused += refuses(path)
    assert refused > MUTATIONS // 3


def test_damaged_images_take_no_more_memory_than_their_size_explains(
    original: bytes, tmp_path: Path
) -> None:
    generator = random.Random(20261123)  # noqa: S311 - repeatable, not secret
    path = tmp_path / "damaged.axf"
    tracemalloc.start()
    try:
        for _ in range(MUTATIONS // 10):
            path.write_bytes(damaged(original, generator))
            refuses(path)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 8 << 20


@pytest.mark.parametrize(
    ("offset", "value", "complaint"),
    [
        (0, b"\x7fFLE", "not an ELF file"),
        (4, b"\x02", "64-bit little-endian ELF file; Cortex-M is 32-bit little-endian"),
        (5, b"\x02", "32-bit big-endian ELF file; Cortex-M is 32-bit little-endian"),
        (18, b"\x3e\x00", "ELF machine 62, not Arm"),
        (16, b"\x03\x00", "its ELF type is ET_DYN; link it first"),
        (42, b"\x10\x00", "damaged ELF file: program headers of 16 bytes"),
        (28, b"\xff\xff\xff\x7f", "the program header table ends behind the file's end"),
        (32, b"\xff\xff\xff\x7f", "the section header table ends behind the file's end"),
    ],
)
def test_wrong_kind_of_file_is_named(
    small: Linked, tmp_path: Path, offset: int, value: bytes, complaint: str
) -> None:
    data = bytearray(small.axf.read_bytes())
    data[offset : offset + len(value)] = value
    path = tmp_path / "wrong.axf"
    path.write_bytes(data)
    with pytest.raises(EthosmithError) as raised:
        read_image(path)
    assert complaint in str(raised.value)


def test_object_and_image_are_not_taken_for_each_other(small: Linked) -> None:
    with pytest.raises(EthosmithError, match="its ELF type is ET_EXEC"):
        read_object(small.axf)
    with pytest.raises(EthosmithError, match="its ELF type is ET_REL; link it first"):
        read_image(small.axf.with_suffix(".o"))


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(EthosmithError, match=r"none\.axf: cannot be read: No such file"):
        read_image(tmp_path / "none.axf")
