# SPDX-License-Identifier: Apache-2.0
"""Accelerator configurations."""

from __future__ import annotations

import subprocess
import sys

import pytest
from ethosu.vela.architecture_features import Accelerator, ArchitectureFeatures
from ethosu.vela.driver_actions import build_id_word

from ethosu_model.config import ACCELERATORS, AcceleratorConfig
from ethosu_model.errors import ModelError


@pytest.mark.parametrize("config", ACCELERATORS, ids=lambda config: config.name)
def test_configuration_agrees_with_velas_architecture(config: AcceleratorConfig) -> None:
    vela = ArchitectureFeatures.accelerator_configs[Accelerator(config.name)]
    assert config.macs == vela.macs * vela.cores
    assert config.cores == vela.cores
    assert config.shram_kib == vela.shram_banks
    for ours, theirs in (
        (config.ofm_microblock, vela.ofm_ublock),
        (config.ifm_microblock, vela.ifm_ublock),
    ):
        assert (ours.height, ours.width, ours.depth) == (
            theirs.height,
            theirs.width,
            theirs.depth,
        )


def test_config_register_of_128_macs_is_what_arms_driver_accepts() -> None:
    assert AcceleratorConfig.parse("ethos-u55-128").config_register == 0x1807


def test_architecture_version_is_that_of_velas_register_definitions() -> None:
    identification = AcceleratorConfig.parse("ethos-u55-128", "r0p0-0").id_register
    assert identification & 0xFFFF0000 == build_id_word()


def test_unknown_name_tells_the_nearest_one() -> None:
    with pytest.raises(ModelError, match="did you mean 'ethos-u55-128'"):
        AcceleratorConfig.parse("ethos-u55-129")


def test_import_stays_light_for_the_build_graph() -> None:
    code = "import ethosu_model.config, sys; print('numpy' in sys.modules, 'ethosu' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == ["False", "False"]


@pytest.mark.parametrize(
    ("name", "revision", "expected"),
    [
        ("ethos-u55-128", "", 0x10104201),
        ("ethos-u55-128", "r0p0-0", 0x10064000),
        ("ethos-u65-512", "", 0x10066001),
        ("ethos-u65-512", "r0p0-0", 0x10066000),
    ],
)
def test_id_is_that_of_the_products_current_or_older_revision(
    name: str, revision: str, expected: int
) -> None:
    assert AcceleratorConfig.parse(name, revision).id_register == expected


def test_unknown_revision_tells_the_known_ones() -> None:
    with pytest.raises(ModelError, match=r"no revision 'r1p0'.*known: r2p0-1, r0p0-0"):
        AcceleratorConfig.parse("ethos-u55-128", "r1p0")
