# SPDX-License-Identifier: Apache-2.0
"""Inputs and outputs of a network read from its .tflite, or from the JSON beside a .tosa."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.models.int8_check import network_spec_of
from tests.support.networks.dense import dense_network


def test_json_of_a_network_gives_the_same_as_its_tflite(tmp_path: Path) -> None:
    network = tmp_path / "net.tflite"
    network.write_bytes(dense_network((40, 32, 7), seed=4))
    specs = network_spec_of(network)
    assert [one.shape for one in (*specs.inputs, *specs.outputs)] == [(1, 40), (1, 7)]
    beside = tmp_path / "net.json"
    beside.write_text(json.dumps(specs.as_json()), "utf-8")
    assert network_spec_of(beside) == specs


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"inputs": [1], "outputs": []}', '{"inputs": []}']
)
def test_anything_else_ends_in_one_line(text: str, tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    path.write_text(text, "utf-8")
    with pytest.raises(EthosmithError, match=r"net\.json: not a valid "):
        network_spec_of(path)
