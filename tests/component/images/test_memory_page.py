# SPDX-License-Identifier: Apache-2.0
"""The page says what the image holds, needs nothing else, and is the same everywhere."""

from __future__ import annotations

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ethosmith.descriptors.platform import Platform, load_platform
from ethosmith.images.elf import read_image
from ethosmith.images.link_map import read_link_map
from ethosmith.images.memory_page import page_of, render
from tests.support.project_copy import ROOT
from tests.support.small_image import NANO_MEMSET, REGIONS, Linked, link, run

PLATFORMS = ROOT / "platforms"
VOID = {"meta", "input", "link", "br"}


class Outline(HTMLParser):
    """The text of every table row; complains about elements that do not nest."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.rows: list[list[str]] = []
        self.ids: list[str] = []
        self.references: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.ids += [str(values["id"])] if "id" in values else []
        for name in ("href", "aria-labelledby", "data-tables"):
            self.references += [str(values[name]).lstrip("#")] if name in values else []
        assert "src" not in values
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td") and self.rows:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if {"th", "td"} & set(self.open):
            self.rows[-1][-1] += data


@pytest.fixture(scope="module")
def platform() -> Platform:
    return load_platform(PLATFORMS / "fvp/platform.yaml").replace(regions=REGIONS)


def page_text(linked: Linked, platform: Platform) -> str:
    image = read_image(linked.axf)
    link_map = read_link_map(linked.map, [section.name for section in image.sections])
    return render(page_of(image, platform, link_map))


def outline(text: str) -> Outline:
    result = Outline()
    result.feed(text)
    result.close()
    assert result.open == []
    return result


def test_page_names_regions_parts_symbols_and_objects(small: Linked, platform: Platform) -> None:
    rows = [[cell.strip() for cell in row] for row in outline(page_text(small, platform)).rows]
    assert ["DDR", "228", "256.0 KiB", "0.09", "", "ddr.bin"] in rows
    assert ["BRAM"] not in [row[:1] for row in rows]
    assert ["model weights", "128", "56.1"] in rows
    assert ["scratch", "scratch", "4,096", "0x31000000", "small.o"] in rows
    memset = next(row for row in rows if row[0] == "memset")
    assert memset[1] == "code"
    assert re.fullmatch(NANO_MEMSET, memset[4])
    assert any(row[0] == "own libraries/libadd.a(add.o)" for row in rows)


def test_references_lead_somewhere(small: Linked, platform: Platform) -> None:
    found = outline(page_text(small, platform))
    assert len(set(found.ids)) == len(found.ids)
    assert set(found.references) <= set(found.ids)


def test_stack_is_estimated_and_compared_with_its_room(small: Linked, platform: Platform) -> None:
    text = re.sub(r"<[^>]*>", "", page_text(small, platform))
    reserved = re.search(r"Reserved: 2,048 bytes\.\s+Estimated need: (\d+) bytes, [\d.]+ %", text)
    assert reserved
    assert 200 < int(reserved[1]) < 400


def test_page_needs_no_network_and_tells_no_path(small: Linked, platform: Platform) -> None:
    text = page_text(small, platform)
    assert "://" not in text
    assert "url(" not in text
    assert str(small.axf.parent) not in text
    assert "/usr/" not in text
    assert "default-src 'none'" in text


def test_page_is_the_same_wherever_the_image_was_linked(
    small: Linked, platform: Platform, tmp_path: Path
) -> None:
    again = link(tmp_path / "elsewhere" / "twice nested")
    assert page_text(again, platform) == page_text(small, platform)
    shutil.copy(small.axf, tmp_path / "small.axf")
    copied = Linked(tmp_path / "small.axf", small.map)
    assert page_text(copied, platform) == page_text(small, platform)


def test_names_from_the_image_are_escaped(
    small: Linked, platform: Platform, tmp_path: Path
) -> None:
    script = "<script>alert(1)</script>"
    axf = tmp_path / "small.axf"
    run("arm-none-eabi-objcopy", "--redefine-sym", f"add={script}", small.axf, axf, cwd=tmp_path)
    text = page_text(Linked(axf, small.map), platform)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert text.count("<script>") == 1
