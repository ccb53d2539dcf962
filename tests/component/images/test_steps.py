# SPDX-License-Identifier: Apache-2.0
"""The image steps run on a real image, and their outputs fit together."""

from __future__ import annotations

import json
from pathlib import Path

from ethosmith.steps.check_fit import CheckFit
from ethosmith.steps.draw_memory_page import DrawMemoryPage
from ethosmith.steps.measure_size import MeasureSize
from ethosmith.steps.write_images_txt import WriteImagesTxt
from ethosmith.steps.write_sectors import WriteSectors
from tests.support.project_copy import ROOT
from tests.support.small_image import Linked

PLATFORM = ROOT / "platforms/mps3/platform.yaml"


def test_an_image_becomes_a_card(small: Linked, tmp_path: Path) -> None:
    files = tuple(tmp_path / name for name in ("itcm.bin", "ddr.bin"))
    WriteSectors(axf=small.axf, platform=PLATFORM, folder=tmp_path, files=files).run()
    output = tmp_path / "images.txt"
    WriteImagesTxt(platform=PLATFORM, sectors=files, folder=tmp_path, output=output).run()
    text = output.read_bytes()
    assert b"TOTALIMAGES: 2\r\n" in text
    listed = {line.rpartition(b"\\")[2].decode() for line in text.split(b"\r\n") if b"FILE" in line}
    assert listed == {path.name for path in tmp_path.glob("*.bin")} == {"itcm.bin", "ddr.bin"}


def test_plan_before_the_link_is_what_the_image_then_uses(small: Linked, tmp_path: Path) -> None:
    output, sizes = tmp_path / "fit.json", tmp_path / "size.json"
    CheckFit(
        platform=PLATFORM,
        memory_mode="Shared_Sram",
        objects=(small.axf.with_suffix(".o"),),
        sizes={"labels": 0x20},
        output=output,
    ).run()
    MeasureSize(axf=small.axf, map=small.map, platform=PLATFORM, output=sizes).run()
    planned = {item["region"]: item["parts"] for item in json.loads(output.read_text())}
    used = {item["region"]: item["classes"] for item in json.loads(sizes.read_text())["regions"]}
    assert planned["SRAM"] == {"scratch": 4096} == used["SRAM"]
    assert planned["DDR"] == {"weights": 100, "samples": 100, "labels": 32}
    # The linker script ends the weights at a multiple of 32.
    assert used["DDR"] == {"model weights": 128, "samples": 100}


def test_page_is_written(small: Linked, tmp_path: Path) -> None:
    output = tmp_path / "small.htm"
    DrawMemoryPage(axf=small.axf, map=small.map, platform=PLATFORM, output=output).run()
    assert output.read_text().startswith("<!DOCTYPE html>")
