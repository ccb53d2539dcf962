# SPDX-License-Identifier: Apache-2.0
"""Trained networks on Ethos-U85, each on one configuration; on all of them if slow."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.component.npu_networks.test_networks import WholeNetwork, assert_exact
from tests.support.networks.trained import (
    NETWORKS,
    TrainedNetwork,
    mobilenet_v2,
    quantised,
    recurrent,
    seeded_network,
)
from tests.support.npu_corpus.targets import U85_TARGETS

# The keyword and image networks of MLPerf Tiny, and others of the package.
_SHARE = {"keyword_spotting.h5", "image_classification.h5", "keyword_spotting_alexa.tflite"}


def _named(names: set[str]) -> list[TrainedNetwork]:
    return [network for network in NETWORKS if network.id in names]


@pytest.mark.parametrize("network", _named(_SHARE), ids=lambda network: network.id)
def test_network_is_bit_exact(network: TrainedNetwork, tmp_path: Path) -> None:
    target = U85_TARGETS[sum(map(ord, network.id)) % len(U85_TARGETS)]
    whole = WholeNetwork(quantised(network, tmp_path), inputs=1)
    assert_exact(whole, target, litert_steps=network.litert_steps)


@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.id)
def test_network_is_bit_exact_on_every_configuration(
    network: TrainedNetwork, tmp_path: Path
) -> None:
    whole = WholeNetwork(quantised(network, tmp_path), inputs=1)
    for target in U85_TARGETS:
        assert_exact(whole, target, litert_steps=network.litert_steps)


@pytest.mark.slow
def test_mobilenet_v2_224_is_bit_exact(tmp_path: Path) -> None:
    whole = WholeNetwork(mobilenet_v2(tmp_path), inputs=1)
    for target in U85_TARGETS[::4]:
        assert_exact(whole, target)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mobilenet_v3_small_224", "mobilenet_v3_large_224"])
def test_mobilenet_v3_224_is_bit_exact(name: str, tmp_path: Path) -> None:
    whole = WholeNetwork(seeded_network(name, tmp_path), inputs=1)
    for target in U85_TARGETS[::4]:
        assert_exact(whole, target)


@pytest.mark.slow
def test_lstm_is_bit_exact(tmp_path: Path) -> None:
    whole = WholeNetwork(recurrent(tmp_path), inputs=2)
    for target in U85_TARGETS:
        assert_exact(whole, target)
