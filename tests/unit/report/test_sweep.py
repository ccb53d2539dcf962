# SPDX-License-Identifier: Apache-2.0
"""A sweep leaves out what cannot be, says so, and gives the same figures to people and programs."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.platform import Platform, load_platform
from ethosmith.graph.configuration import configurations, sweep_configurations
from ethosmith.graph.options import check_options
from ethosmith.report.comparison import Figures
from ethosmith.report.sweep import csv_text, table_text
from ethosmith.report.vela_figures import Estimate
from tests.support.project_copy import ROOT


@pytest.fixture(scope="module")
def platform() -> Platform:
    return load_platform(ROOT / "platforms/fvp/platform.yaml")


def test_combinations_that_cannot_be_are_left_out_with_the_reason(platform: Platform) -> None:
    given = {"npu": "ethos-u55-64,ethos-u65-256", "memory_mode": "Sram_Only,Dedicated_Sram"}
    values = check_options(given)
    found, left_out = sweep_configurations(platform, values)
    assert [(c.npu_name, c.memory_mode) for c in found] == [
        ("ethos-u55-64", "Sram_Only"),
        ("ethos-u65-256", "Sram_Only"),
        ("ethos-u65-256", "Dedicated_Sram"),
    ]
    assert [reason.split(" on ")[0] for reason in left_out] == [
        "memory mode Dedicated_Sram is not for ethos-u55-64"
    ]
    with pytest.raises(EthosmithError, match="Dedicated_Sram is not for ethos-u55-64"):
        configurations(platform, values)


def test_without_npu_every_npu_of_the_platform_is_meant(platform: Platform) -> None:
    found, left_out = sweep_configurations(platform, check_options({}))
    assert [c.npu_name for c in found] == list(platform.npu.accelerator_configs)
    assert left_out == []


@pytest.mark.parametrize("given", [{"npu": "ethos-u55-127"}, {"memory_mode": "Shared_Ram"}])
def test_a_wrong_name_is_an_error_in_a_sweep_too(platform: Platform, given: dict[str, str]) -> None:
    with pytest.raises(EthosmithError, match="unknown"):
        sweep_configurations(platform, check_options(given))


def test_nothing_that_fits_is_an_error(platform: Platform) -> None:
    values = check_options({"npu": "ethos-u55-64", "memory_mode": "Dedicated_Sram"})
    with pytest.raises(EthosmithError, match="no combination fits: memory mode Dedicated_Sram"):
        sweep_configurations(platform, values)


def _figures(accelerator: str, npu_cycles: int) -> Figures:
    return Figures(
        usecase="kws",
        usecase_name="kws",
        own_files=(),
        revision="",
        target="fvp",
        accelerator_config=accelerator,
        memory_mode="Shared_Sram",
        runtime="direct",
        estimate=Estimate(2000, 1500, 5e8, 4e-6, 10, {}, {}),
        npu_cycles=npu_cycles,
        cpu_instructions=None,
        beats={"axi0_rd": 30, "axi0_wr": 20, "axi1_rd": 10},
        answers=(),
        simulator="open board 7.2",
        remark="",
        used_bytes={"SRAM": 4096, "DDR": 65536},
        flash_bytes=70000,
        ram_bytes=40000,
        stem=Path("build/kws"),
    )


def test_csv_has_plain_numbers_and_the_table_the_same_for_people() -> None:
    images = [_figures("ethos-u55-32", 1234567), _figures("ethos-u55-128", 9)]
    first, second = csv.DictReader(csv_text(images).splitlines())
    assert (first["npu"], first["npu_cycles"], first["vela_ms"]) == (
        "ethos-u55-32",
        "1234567",
        "0.004",
    )
    assert second["ddr_bytes"] == "65536"
    lines = table_text(images, ["Sram_Only is not for it"]).splitlines()
    assert len({len(line) for line in lines[:3]}) == 1, "the columns do not line up"
    assert "1,234,567" in lines[1]
    assert lines[3].startswith("Ran on: open board 7.2.")
    assert lines[4] == "left out: Sram_Only is not for it"
