# SPDX-License-Identifier: Apache-2.0
"""Each step runs from the command line on a real image, and its outputs fit together."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ethosmith.images import fit, images_txt, memory_page, sections, size

from .small_image import Linked

PLATFORM = str(Path(__file__).parents[3] / "platforms/mps3/platform.yaml")


def test_an_image_becomes_a_card(small: Linked, tmp_path: Path) -> None:
    image = ["--axf", str(small.axf), "--platform", PLATFORM]
    sections.main([*image, "--output-dir", str(tmp_path)])
    output = tmp_path / "images.txt"
    images_txt.main(["--platform", PLATFORM, "--sectors", str(tmp_path), "--output", str(output)])
    text = output.read_bytes()
    assert b"TOTALIMAGES: 2\r\n" in text
    listed = {line.rpartition(b"\\")[2].decode() for line in text.split(b"\r\n") if b"FILE" in line}
    assert listed == {path.name for path in tmp_path.glob("*.bin")} == {"itcm.bin", "ddr.bin"}


def test_plan_before_the_link_is_what_the_image_then_uses(small: Linked, tmp_path: Path) -> None:
    output, sizes = tmp_path / "fit.json", tmp_path / "size.json"
    objects = ["--object", str(small.axf.with_suffix(".o"))]
    mode = ["--platform", PLATFORM, "--memory-mode", "Shared_Sram"]
    fit.main([*mode, *objects, "--size", "labels=0x20", "--output", str(output)])
    image = ["--axf", str(small.axf), "--map", str(small.map), "--platform", PLATFORM]
    size.main([*image, "--json", str(sizes)])
    planned = {item["region"]: item["parts"] for item in json.loads(output.read_text())}
    used = {item["region"]: item["classes"] for item in json.loads(sizes.read_text())["regions"]}
    assert planned["SRAM"] == {"scratch": 4096} == used["SRAM"]
    assert planned["DDR"] == {"weights": 100, "samples": 100, "labels": 32}
    # The linker script ends the weights at a multiple of 32.
    assert used["DDR"] == {"model weights": 128, "samples": 100}


def test_page_is_written(small: Linked, tmp_path: Path) -> None:
    output = tmp_path / "small.htm"
    image = ["--axf", str(small.axf), "--map", str(small.map), "--platform", PLATFORM]
    memory_page.main([*image, "--output", str(output)])
    assert output.read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("step", ["sections", "images_txt", "fit", "size", "memory_page"])
def test_step_loads_neither_numpy_nor_a_framework(step: str) -> None:
    program = (
        f"import ethosmith.images.{step}, sys; "
        "print(sorted({'numpy', 'tensorflow', 'ethosu', 'capstone'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    assert done.stdout.strip() == b"[]"
