# SPDX-License-Identifier: Apache-2.0
"""What a stage makes of a PyTorch network is there in its int8 network: ``-m slow``.

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
from tests.support.npu_corpus.targets import compile_for, target_named
from tests.support.vela_weights import stream_bytes

pytestmark = pytest.mark.slow

_SPARSITY, _VALUES = 0.6, 16
_REFUSED = {
    "no function": "bad.py: has no function fine_tune(network, *, epochs, seed, begin_epoch)",
    "no training": "bad.py: fine_tune() did not train the network: it has to take steps of a",
    "raises": "bad.py:2: OSError: no data",
    "no epoch": "bad.py: fine_tune() did not call begin_epoch(epoch) at the start of each epoch",
    "computed": "bad.py: the weights of 'last' are computed from others (weight_norm",
    "branches": "bad.py:17: quantisation-aware training takes a network whose forward() does not",
}


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return needs.made_by_pytorch("pytorch_conditioning", tmp_path_factory.mktemp("conditioned"))


def test_zeros_and_values_reach_the_int8_network_and_velas_stream(folder: Path) -> None:
    kernels = [one for one in np.load(folder / "conditioned_kernels.npz").values() if one.size > 64]
    deep = [one for one in kernels if one.shape[1:2] == (1,)]
    held = [one for one in kernels if one.shape[1:2] != (1,)]
    assert (len(deep), len(held)) == (1, 3)
    for kernel in held:
        assert float((kernel == 0).mean()) == pytest.approx(_SPARSITY, abs=1 / kernel.size)
        assert np.unique(kernel).size <= _VALUES
    assert np.unique(deep[0]).size > _VALUES
    assert 0 < stream_bytes(folder / "conditioned.tosa") < stream_bytes(folder / "plain.tosa") / 2


def test_conditioned_network_is_bit_exact_on_the_npu(folder: Path) -> None:
    target = target_named("ethos-u55-128/Shared_Sram")
    model = compile_for(target, (folder / "conditioned.tosa").read_bytes(), "TOSA")
    runner, arrays = HostRunner(model, target.config), np.load(folder / "conditioned.npz")
    pairs = [
        (*runner.run([arrays[f"input_{number}_0"]]), arrays[f"output_{number}_0"])
        for number in range(2)
    ]
    found = compare(pairs)
    assert found.elements
    assert found.different == 0


def test_the_same_training_gives_the_same_bytes(folder: Path) -> None:
    trained = (folder / "trained.pt").read_bytes()
    assert trained == (folder / "again.pt").read_bytes()
    assert trained != (folder / "clustered.pt").read_bytes()


@pytest.mark.parametrize("name", _REFUSED)
def test_a_script_or_network_that_cannot_be_trained_is_named(name: str, folder: Path) -> None:
    said = json.loads((folder / "refused.json").read_text("utf-8"))[name]
    assert said.replace(f"{folder}/", "").startswith(_REFUSED[name])
    assert "\n" not in said
