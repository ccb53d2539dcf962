# SPDX-License-Identifier: Apache-2.0
"""Trained networks on random inputs; the longer ones with ``-m slow``."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest

from ethosu_model.harness import HostRunner
from tests.support.networks.trained import NETWORKS, TrainedNetwork, mobilenet_v2, quantised
from tests.support.npu_corpus.check import Difference, MicroReference, Reference, compare
from tests.support.npu_corpus.network import Array
from tests.support.npu_corpus.targets import TARGETS, Target, compile_for, target_named

_SAMPLED = ("ethos-u55-128/Shared_Sram", "ethos-u65-512/Dedicated_Sram")
_INPUTS = 2


@pytest.fixture(scope="session")
def int8_network(tmp_path_factory: pytest.TempPathFactory) -> Callable[[TrainedNetwork], bytes]:
    """Return a function that quantises a network once per session."""
    folder: Path = tmp_path_factory.mktemp("networks")
    made: dict[str, bytes] = {}

    def get(network: TrainedNetwork) -> bytes:
        if network.id not in made:
            made[network.id] = quantised(network, folder)
        return made[network.id]

    return get


class WholeNetwork:
    """A quantised network with random inputs and what LiteRT makes of them."""

    def __init__(self, tflite: bytes, inputs: int = _INPUTS) -> None:
        self._tflite = tflite
        reference = Reference(tflite)
        rng = np.random.default_rng(0)
        self._inputs = [
            [
                rng.integers(-128, 128, detail["shape"]).astype(detail["dtype"])
                for detail in reference.input_details()
            ]
            for _ in range(inputs)
        ]
        self._wanted = [reference.run(values) for values in self._inputs]

    @cached_property
    def _wanted_by_tflm(self) -> list[list[Array]]:
        reference = MicroReference(self._tflite)
        return [reference.run(values) for values in self._inputs]

    def difference(self, target: Target, *, from_tflm: bool = False) -> Difference:
        """Compile for ``target``, run every input, and compare all outputs."""
        runner = HostRunner(compile_for(target, self._tflite), target.config)
        wanted = self._wanted_by_tflm if from_tflm else self._wanted
        got = [runner.run(values) for values in self._inputs]
        return compare(
            [pair for a, b in zip(got, wanted, strict=True) for pair in zip(a, b, strict=True)]
        )


def assert_exact(whole: WholeNetwork, target: Target, *, litert_steps: int = 0) -> None:
    """Fail unless the NPU model equals TFLite Micro, and LiteRT to within its known steps."""
    found = whole.difference(target)
    assert found.elements
    assert found.largest <= litert_steps, (target.name, found)
    assert whole.difference(target, from_tflm=True).different == 0, target.name


def _parameters() -> list[object]:
    return [pytest.param(n, id=n.id, marks=[pytest.mark.slow] if n.slow else []) for n in NETWORKS]


@pytest.mark.parametrize("network", _parameters())
def test_network_is_bit_exact(
    network: TrainedNetwork, int8_network: Callable[[TrainedNetwork], bytes]
) -> None:
    whole = WholeNetwork(int8_network(network))
    for name in _SAMPLED:
        assert_exact(whole, target_named(name), litert_steps=network.litert_steps)


@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.id)
def test_network_is_bit_exact_on_every_configuration(
    network: TrainedNetwork, int8_network: Callable[[TrainedNetwork], bytes]
) -> None:
    whole = WholeNetwork(int8_network(network), inputs=1)
    for target in TARGETS:
        assert_exact(whole, target, litert_steps=network.litert_steps)


@pytest.mark.slow
def test_mobilenet_v2_224_is_bit_exact(tmp_path: Path) -> None:
    whole = WholeNetwork(mobilenet_v2(tmp_path), inputs=1)
    for name in _SAMPLED:
        assert_exact(whole, target_named(name))
