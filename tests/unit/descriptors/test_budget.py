# SPDX-License-Identifier: Apache-2.0
"""A budget is for the images that it names, and naming none is for all."""

from __future__ import annotations

import pytest

from ethosmith.descriptors.budget import Budget
from ethosmith.descriptors.platform import load_platform
from tests.support.project_copy import ROOT

_IMAGE = ("fvp", "ethos-u55-128", "Shared_Sram", "direct")


@pytest.mark.parametrize(
    ("selected", "wanted"),
    [
        ({}, True),
        ({"target": "fvp", "npu": "ethos-u55-128"}, True),
        ({"memory_mode": "Shared_Sram", "runtime": "direct"}, True),
        ({"target": "mps3"}, False),
        ({"npu": "ethos-u55-64"}, False),
        ({"memory_mode": "Sram_Only"}, False),
        ({"target": "fvp", "runtime": "tflm"}, False),
    ],
    ids=str,
)
def test_it_applies_where_all_that_it_names_fits(selected: dict[str, str], wanted: bool) -> None:
    assert Budget(flash_bytes=1, **selected).applies(*_IMAGE) is wanted  # type: ignore[arg-type]


def test_names_that_the_platform_lacks_are_found_unless_it_is_for_another() -> None:
    platform = load_platform(ROOT / "platforms/mps3/platform.yaml")
    budget = Budget(memory_mode="Dedicated_Sram", regions={"SRAM": 1, "ROM": 1})
    found = [problem.location for problem in budget.problems((), platform)]
    assert found == [("memory_mode",), ("regions", "ROM")]
    assert not list(Budget(target="fvp", regions={"ROM": 1}).problems((), platform))
