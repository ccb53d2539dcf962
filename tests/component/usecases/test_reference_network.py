# SPDX-License-Identifier: Apache-2.0
"""The oracle's fully connected layers round as TFLM's, which the NPU follows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ethosmith.models.int8_check import interpreter_of
from ethosmith.verify.reference import reference_network
from tests.support.networks.dense import dense_network

_INPUT_SETS = 200
NETWORKS: dict[str, dict[str, Any]] = {
    "one layer": {"sizes": (64, 10)},
    "no bias": {"sizes": (33, 7), "bias": False},
    "several rows": {"sizes": (48, 20), "rows": 5},
    "four layers": {"sizes": (40, 32, 8, 32, 40)},
}


def _run(interpreter: Any, values: Any) -> Any:
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], values)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


@pytest.mark.parametrize("name", NETWORKS)
def test_every_output_equals_tflm(name: str) -> None:
    tflm = pytest.importorskip("tflite_micro")
    network = dense_network(**NETWORKS[name], seed=len(name))
    reference = interpreter_of(reference_network(network), name)
    micro = tflm.runtime.Interpreter.from_bytes(network)
    shape = reference.get_input_details()[0]["shape"]
    random = np.random.default_rng(1)
    seen = set()
    for _ in range(_INPUT_SETS):
        values = random.integers(-128, 128, shape, np.int8)
        micro.set_input(values, 0)
        micro.invoke()
        got = _run(reference, values)
        assert np.array_equal(got, micro.get_output(0))
        seen |= set(got.ravel().tolist())
    assert len(seen) > 64, "the outputs should cover their range, else little was compared"


def test_litert_alone_would_be_off_by_one() -> None:
    """Why the rewriting is there; if this fails, it can go."""
    network = dense_network(sizes=(64, 10), seed=9)
    plain = interpreter_of(network, "plain")
    reference = interpreter_of(reference_network(network), "reference")
    random = np.random.default_rng(2)
    sets = [random.integers(-128, 128, (1, 64), np.int8) for _ in range(1000)]
    apart = [
        np.abs(_run(plain, values).astype(int) - _run(reference, values)).max() for values in sets
    ]
    assert max(apart) == 1


def test_inputs_and_outputs_keep_their_place() -> None:
    network = dense_network(sizes=(16, 12, 4), rows=3, seed=3)
    plain, reference = (
        interpreter_of(content, "network") for content in (network, reference_network(network))
    )
    for kind in ("get_input_details", "get_output_details"):
        one, other = getattr(plain, kind)()[0], getattr(reference, kind)()[0]
        assert one["shape"].tolist() == other["shape"].tolist()
        assert one["quantization"] == other["quantization"]
