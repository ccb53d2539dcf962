# SPDX-License-Identifier: Apache-2.0
"""What does not fit is told before linking, with region, number and a way out."""

from __future__ import annotations

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.platform import Platform, load_platform
from ethosmith.images.elf import read_object
from ethosmith.steps.check_fit import RegionPlan, check_fit, plan, sizes_of_objects
from tests.support.project_copy import ROOT
from tests.support.small_image import Linked, run

FVP = ROOT / "platforms/fvp/platform.yaml"
MIB = 1 << 20


@pytest.fixture(scope="module")
def fvp() -> Platform:
    return load_platform(FVP)


def by_region(plans: tuple[RegionPlan, ...]) -> dict[str, dict[str, int]]:
    return {item.region: {part.name: part.size_bytes for part in item.parts} for item in plans}


def test_parts_lie_where_the_platform_puts_them(fvp: Platform) -> None:
    sizes = {"command_stream": 10, "weights": 20, "scratch": 30, "samples": 40, "labels": 50}
    placed = by_region(plan(fvp, "Shared_Sram", sizes))
    assert placed["SRAM"] == {"scratch": 30}
    assert placed["DDR"] == {"command_stream": 10, "weights": 20, "samples": 40, "labels": 50}
    assert placed["DTCM"] == {"stack": fvp.stack_bytes}


def test_copied_weights_count_where_they_are_loaded_and_where_they_are_used(fvp: Platform) -> None:
    placed = by_region(plan(fvp, "Sram_Only", {"weights": 20, "scratch": 30}))
    assert placed["SRAM"] == {"weights": 20, "scratch": 30}
    assert placed["DDR"] == {"weights": 20}


def test_last_byte_that_fits_fits(fvp: Platform) -> None:
    check_fit(plan(fvp, "Shared_Sram", {"scratch": 2 * MIB - 32, "scratch_fast": 32}))
    with pytest.raises(EthosmithError, match=r"\(32 bytes too many\)"):
        check_fit(plan(fvp, "Shared_Sram", {"scratch": 2 * MIB - 32, "scratch_fast": 33}))


def test_error_names_region_sizes_parts_and_a_way_out(fvp: Platform) -> None:
    with pytest.raises(EthosmithError) as raised:
        check_fit(plan(fvp, "Sram_Only", {"scratch": 2 * MIB, "weights": 320 * 1024}))
    assert str(raised.value) == (
        "region SRAM: needs 2.31 MiB of 2.00 MiB (327,680 bytes too many): "
        "scratch 2.00 MiB, weights 320.0 KiB; "
        "use another memory_mode, a smaller accelerator config or a smaller model"
    )


def test_every_region_that_is_too_small_is_named(fvp: Platform) -> None:
    sizes = {"scratch": 3 * MIB, "samples": 257 * MIB}
    with pytest.raises(EthosmithError, match=r"region SRAM: .*; region DDR: .*shorter samples"):
        check_fit(plan(fvp, "Shared_Sram", sizes))


def test_misspelt_part_and_mode_are_named(fvp: Platform) -> None:
    with pytest.raises(EthosmithError, match="did you mean 'weights'"):
        plan(fvp, "Shared_Sram", {"weihts": 1})
    with pytest.raises(EthosmithError, match="did you mean 'Shared_Sram'"):
        plan(fvp, "Shared_Sran", {})


def test_sizes_of_objects_are_those_of_their_sections(small: Linked) -> None:
    path = small.axf.with_suffix(".o")
    lines = run("arm-none-eabi-size", "-A", path, cwd=path.parent).splitlines()
    rows = {words[0]: int(words[1]) for words in map(str.split, lines[2:-2])}
    sizes = sizes_of_objects([read_object(path)])
    assert sizes == {
        "command_stream": 0,
        "weights": rows[".model.weights"],
        "scratch": rows[".scratch"],
        "scratch_fast": 0,
        "samples": rows[".samples"],
        "labels": 0,
    }
    assert sizes["weights"] == 100
