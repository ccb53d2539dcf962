# SPDX-License-Identifier: Apache-2.0
"""The map parser against maps that the linker really writes."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.images.elf import read_image, read_symbols
from ethosmith.images.link_map import (
    PADDING,
    Contribution,
    LinkMap,
    parse_link_map,
    plain_origin,
    read_link_map,
)
from tests.support.small_image import MAIN, NANO_MEMSET, Linked, link, run


def map_of(linked: Linked) -> LinkMap:
    return read_link_map(linked.map, [item.name for item in read_image(linked.axf).sections])


def origin_of(linked: Linked, symbol: str) -> str:
    address = next(
        item.address for item in read_symbols(read_image(linked.axf)).sized if item.name == symbol
    )
    found = map_of(linked).at(address)
    assert found is not None
    return found.origin


@pytest.mark.parametrize(
    ("symbol", "origin"),
    [
        ("table", r"small\.o"),
        ("weights", r"small\.o"),
        ("add", r"own libraries/libadd\.a\(add\.o\)"),
        ("memset", NANO_MEMSET),
    ],
)
def test_symbol_is_found_in_its_object(small: Linked, symbol: str, origin: str) -> None:
    assert re.fullmatch(origin, origin_of(small, symbol))


def test_contributions_cover_each_section_exactly(small: Linked) -> None:
    link_map = map_of(small)
    for section in read_image(small.axf).sections:
        items = [i for i in link_map.contributions if i.output_section == section.name]
        assert sum(item.size_bytes for item in items) == section.size_bytes, section.name
        assert all(one.end == two.address for one, two in pairwise(items))


def test_long_section_name_on_its_own_line_is_read(tmp_path: Path) -> None:
    name = "a_function_whose_section_name_is_too_long_for_its_column"
    extra = f"__attribute__((noipa)) int {name}(int n) {{ return n * 3; }}\n"
    call = MAIN.replace("for (;;) {}", f"for (;;) initialised[0] = {name}(3);")
    linked = link(tmp_path, f"int {name}(int);\n{call}{extra}")
    found = [item for item in map_of(linked).contributions if item.name == f".text.{name}"]
    assert [item.origin for item in found] == ["small.o"]


def test_left_out_sections_count_as_discarded_only(small: Linked) -> None:
    disassembly = run("arm-none-eabi-nm", "-S", "small.o", cwd=small.axf.parent)
    unused = next(line.split() for line in disassembly.splitlines() if line.endswith(" unused"))
    link_map = map_of(small)
    assert link_map.discarded_bytes is not None
    assert link_map.discarded_bytes >= int(unused[1], 16) > 0
    assert not [item for item in link_map.contributions if item.name == ".text.unused"]


def test_link_time_optimisation_leaves_no_random_name(tmp_path: Path) -> None:
    linked = link(tmp_path, options=("-flto",))
    text = linked.map.read_text()
    assert ".ltrans0.ltrans.o" in text
    origins = {item.origin for item in map_of(linked).contributions}
    assert "link-time optimisation, part 0" in origins
    assert not [origin for origin in origins if "ltrans" in origin or origin.startswith("/")]


def test_padding_has_its_own_name() -> None:
    text = (
        "\nLinker script and memory map\n\n"
        ".text           0x00000000       0x40\n"
        " .text          0x00000000        0x3 a.o\n"
        " *fill*         0x00000003        0xd \n"
        " .text          0x00000010       0x30 tools here/lib.a(b.o)\n"
    )
    assert parse_link_map(text, [".text"], source="x").contributions == (
        Contribution(".text", ".text", 0, 3, "a.o"),
        Contribution(".text", PADDING, 3, 13, ""),
        Contribution(".text", ".text", 16, 48, "tools here/lib.a(b.o)"),
    )


@pytest.mark.parametrize(
    ("file", "origin"),
    [
        ("/usr/lib/a b/libc.a(x.o)", "libc.a(x.o)"),
        ("build/obj/main.c.o", "build/obj/main.c.o"),
        ("./build//main.o", "build/main.o"),
        ("C:\\tools\\libm.a(y.o)", "libm.a(y.o)"),
        ("/var/ccA1b2C3.ltrans12.ltrans.o", "link-time optimisation, part 12"),
        ("", ""),
    ],
)
def test_origin_is_the_same_on_every_machine(file: str, origin: str) -> None:
    assert plain_origin(file) == origin


def test_other_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.map"
    path.write_bytes(b"\xff\x00 no map")
    with pytest.raises(EthosmithError, match=r"a\.map: not a map of GNU ld or LLD"):
        read_link_map(path, [".text"])
