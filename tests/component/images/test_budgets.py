# SPDX-License-Identifier: Apache-2.0
"""A budget fails at its line of the descriptor, and names what takes most."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.steps.check_cycle_budget import CheckCycleBudget
from ethosmith.steps.check_memory_budget import CheckMemoryBudget
from ethosmith.steps.measure_size import MeasureSize
from tests.support.project_copy import ROOT
from tests.support.small_image import Linked

_PLATFORM = ROOT / "platforms/mps3/platform.yaml"
_USECASE = """\
budgets:
  - flash_bytes: 100
    ram_bytes: 200
    regions: {SRAM: 4096}
    npu_cycles: 60
"""


@pytest.fixture
def usecase(tmp_path: Path) -> Path:
    path = tmp_path / "usecase.yaml"
    path.write_text(_USECASE)
    return path


def limit(allowed: int, *location: str | int) -> dict[str, Any]:
    return {"location": ["budgets", 0, *location], "allowed": allowed}


@pytest.fixture
def sizes(small: Linked, tmp_path: Path) -> Path:
    path = tmp_path / "size.json"
    MeasureSize(axf=small.axf, map=small.map, platform=_PLATFORM, output=path).run()
    return path


def memory(small: Linked, usecase: Path, sizes: Path, *limits: dict[str, Any]) -> CheckMemoryBudget:
    return CheckMemoryBudget(
        usecase=usecase,
        limits=limits,
        usage=sizes,
        axf=small.axf,
        map=small.map,
        platform=_PLATFORM,
        output=sizes.with_name("budget.json"),
    )


def test_bytes_at_the_limit_are_within_it_and_one_more_is_not(
    small: Linked, usecase: Path, sizes: Path
) -> None:
    regions = json.loads(sizes.read_text())["regions"]
    used = {region["region"]: region["used_bytes"] for region in regions}
    step = memory(small, usecase, sizes, limit(used["SRAM"], "regions", "SRAM"))
    step.run()
    assert json.loads(step.output.read_text())[0]["used"] == used["SRAM"] > 0
    too_small = limit(used["SRAM"] - 1, "regions", "SRAM")
    with pytest.raises(EthosmithError) as caught:
        memory(small, usecase, sizes, too_small).run()
    assert str(caught.value).startswith(
        f"{usecase}:4:21: {small.axf.name}: SRAM {used['SRAM']:,} bytes,"
        f" budget {used['SRAM'] - 1:,} (1 too many); largest: "
    )


def test_flash_and_ram_are_told_apart_and_together_are_everything(
    small: Linked, usecase: Path, sizes: Path
) -> None:
    regions = json.loads(sizes.read_text())["regions"]
    everything = sum(region["used_bytes"] for region in regions)
    step = memory(
        small, usecase, sizes, limit(everything, "flash_bytes"), limit(everything, "ram_bytes")
    )
    step.run()
    flash, ram = (one["used"] for one in json.loads(step.output.read_text()))
    assert flash + ram == everything
    assert min(flash, ram) > 0
    with pytest.raises(EthosmithError) as caught:
        memory(small, usecase, sizes, limit(1, "flash_bytes"), limit(1, "ram_bytes")).run()
    assert f"{usecase}:2:18: {small.axf.name}: flash {flash:,} bytes, budget 1" in str(caught.value)
    assert f"{usecase}:3:16: {small.axf.name}: RAM {ram:,} bytes, budget 1" in str(caught.value)


def run_of(cycles: list[int], windows: list[int]) -> str:
    samples = [{"name": f"s{c}", "counts": {"npu_cycles": c}, "windows": []} for c in cycles]
    summed = {"npu_cycles": sum(windows)}
    long = [{"npu_cycles": count} for count in windows]
    return json.dumps({"samples": [*samples, {"name": "long", "counts": summed, "windows": long}]})


def test_the_slowest_inference_counts_not_the_sum_of_a_long_sample(
    usecase: Path, tmp_path: Path
) -> None:
    verified, output = tmp_path / "verified.json", tmp_path / "budget.json"
    verified.write_text(run_of([40, 60], [30, 50]))
    kept = limit(60, "npu_cycles")
    CheckCycleBudget(usecase=usecase, limits=(kept,), verified=verified, output=output).run()
    assert json.loads(output.read_text())[0]["used"] == 60
    verified.write_text(run_of([40, 60], [30, 61]))
    with pytest.raises(EthosmithError) as caught:
        CheckCycleBudget(usecase=usecase, limits=(kept,), verified=verified, output=output).run()
    assert str(caught.value) == (
        f"{usecase}:5:17: 61 NPU cycles for an inference of the sample long, budget 60 (1 too many)"
    )
