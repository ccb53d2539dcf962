# SPDX-License-Identifier: Apache-2.0
"""The use of each region is what the linker's own count and the sections say."""

from __future__ import annotations

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.images.elf import read_image
from ethosmith.images.link_map import read_link_map
from ethosmith.images.usage import RegionUsage, as_json, measure
from tests.support.small_image import REGIONS, Linked, run


def usages_of(linked: Linked, *, with_map: bool = True) -> dict[str, RegionUsage]:
    image = read_image(linked.axf)
    names = [section.name for section in image.sections]
    link_map = read_link_map(linked.map, names) if with_map else None
    return {item.region.name: item for item in measure(image, REGIONS, link_map)}


def section_sizes(linked: Linked) -> dict[str, int]:
    lines = run("arm-none-eabi-size", "-A", linked.axf, cwd=linked.axf.parent).splitlines()
    words = [line.split() for line in lines if line.startswith(".")]
    return {row[0]: int(row[1]) for row in words}


@pytest.mark.parametrize("with_map", [True, False])
def test_used_bytes_are_the_sections_of_the_region(small: Linked, with_map: bool) -> None:
    sizes, usages = section_sizes(small), usages_of(small, with_map=with_map)
    program = (".vectors", ".text", ".rodata", ".data")
    assert usages["ITCM"].used_bytes == sum(sizes[name] for name in program)
    assert usages["DTCM"].used_bytes == sum(sizes[name] for name in (".stack", ".data", ".bss"))
    assert usages["SRAM"].used_bytes == sizes[".scratch"] == 4096
    assert usages["DDR"].used_bytes == sizes[".model.weights"] + sizes[".samples"]


def test_parts_have_their_classes(small: Linked) -> None:
    sizes, usages = section_sizes(small), usages_of(small)
    itcm = usages["ITCM"].bytes_by_class
    assert itcm["vectors"] == 8
    assert itcm["initial values"] == sizes[".data"] == 12
    assert itcm["constants"] == sizes[".rodata"] == 16
    assert itcm["code"] + itcm.get("padding", 0) == sizes[".text"]
    assert usages["DTCM"].bytes_by_class == {"data": 12, "bss": 300, "stack": 2048}
    assert usages["DDR"].bytes_by_class == {"model weights": 128, "samples": 100}
    assert sum(itcm.values()) == usages["ITCM"].used_bytes


def test_gap_counts_as_free(small: Linked) -> None:
    ddr = usages_of(small)["DDR"]
    assert [(span.start, span.end) for span in ddr.spans] == [(0, 128), (0x1000, 0x1064)]
    assert ddr.free_bytes == 256 * 1024 - 228


def test_section_outside_the_regions_is_refused(small: Linked) -> None:
    image = read_image(small.axf)
    with pytest.raises(EthosmithError, match=r"\.model\.weights at 0x70000000 .* is outside"):
        measure(image, REGIONS[:3])
    tiny = (*REGIONS[:2], REGIONS[2].replace(size_kib=3), REGIONS[3])
    with pytest.raises(EthosmithError, match=r"\.scratch at 0x31000000 extends 1,024 bytes past"):
        measure(image, tiny)


def test_json_divides_all_that_is_used(small: Linked) -> None:
    for region in as_json(usages_of(small).values()):
        assert sum(region["classes"].values()) == region["used_bytes"]
        assert region["used_bytes"] + region["free_bytes"] == region["size_bytes"]
