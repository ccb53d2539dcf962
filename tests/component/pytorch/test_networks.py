# SPDX-License-Identifier: Apache-2.0
"""PyTorch networks on the NPU model, against TOSA's reference model: ``-m slow``.

Skipped without the PyTorch environment: ``python -m ethosmith environment pytorch``.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ethosu_model.harness import HostRunner
from tests.support import needs
from tests.support.npu_corpus.check import compare
from tests.support.npu_corpus.targets import U85_TARGETS, compile_for, target_named

pytestmark = pytest.mark.slow

NETWORKS = (
    "ds_cnn",
    "resnet_8",
    "resnet_18",
    "mobilenet_v1",
    "mobilenet_v2",
    "mobilenet_v3",
    "efficientnet",
    "squeezenet",
    "unet",
    "tcn",
    "autoencoder",
    "vision_transformer",
    "cells",
    "two_and_two",
)
# Vela refuses a convolution of the others with int16, or Arm's quantizer a matrix product.
_WITH_INT16 = ("ds_cnn", "resnet_8", "tcn", "autoencoder", "two_and_two")
_ALL = (*NETWORKS, *(f"{name}_as_int16" for name in _WITH_INT16))
_TARGETS = (
    "ethos-u55-32/Shared_Sram",
    "ethos-u55-128/Shared_Sram",
    "ethos-u55-256/Shared_Sram",
    "ethos-u65-256/Dedicated_Sram",
    "ethos-u65-512/Dedicated_Sram",
)


@pytest.fixture(scope="session")
def lowered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with all networks as TOSA, and what the references make of inputs."""
    return needs.made_by_pytorch("pytorch", tmp_path_factory.mktemp("pytorch"), *_ALL)


@pytest.mark.parametrize("name", _ALL)
def test_network_is_bit_exact(name: str, lowered: Path) -> None:
    error = lowered / f"{name}.error"
    assert not error.exists(), error.read_text("utf-8")
    arrays = np.load(lowered / f"{name}.npz")
    # Lowered as for Ethos-U55, which restricts what TOSA may hold, for Ethos-U85 too.
    for target in (*map(target_named, _TARGETS), *U85_TARGETS):
        model = compile_for(target, (lowered / f"{name}.tosa").read_bytes(), "TOSA")
        runner, pairs = HostRunner(model, target.config), []
        for number in range(2):
            given = [arrays[key] for key in arrays if key.startswith(f"input_{number}_")]
            made = [arrays[key] for key in arrays if key.startswith(f"output_{number}_")]
            pairs += list(zip(runner.run(given), made, strict=True))
        found = compare(pairs)
        assert found.elements
        assert found.different == 0, (target.name, found)


@pytest.mark.parametrize("name", NETWORKS)
def test_pytorchs_own_graph_is_as_near_as_documented(name: str, lowered: Path) -> None:
    # It rounds in floating point: docs/pytorch.md has the figures.
    found = json.loads((lowered / f"{name}.json").read_text("utf-8"))["pytorch"]
    assert found["elements"]
    assert found["largest"] <= 2, found
