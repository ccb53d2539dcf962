# SPDX-License-Identifier: Apache-2.0
"""The state of an LSTM over 20 steps on the board: kept or reset as the descriptor says.

Two samples of ten windows each hold the same input in every window, so outputs differ by the
state alone. The build itself compares all of them with the host.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.networks.gates import network_named
from tests.support.project_copy import ProjectCopy

_WINDOWS = 10
_APPLICATION = """\
#include "application.h"

extern "C" const char *application_window_count(const struct sample *, const struct tensor_info *,
                                                uint32_t *count) {
    *count = 10;
    return nullptr;
}

extern "C" const char *application_preprocess(const struct sample *, struct input *input) {
    for (uint32_t i = 0; i < tensor_element_count(input->info); i++) {
        input_set(input, i, static_cast<float>(i % 7) / 3.0f - 1.0f);
    }
    return nullptr;
}

extern "C" const char *application_postprocess(const struct output *output,
                                               struct answer *answer) {
    answer->text = "step";
    answer->score = output_get(output, 0);
    return nullptr;
}
"""
_DESCRIPTOR = """\
schema: 1
name: {name}
title: An LSTM over a sequence of windows
model:
  name: lstm
  source: {{path: ../lstm.tflite}}
  reset_state: {reset}
quantise: {{representative: {{seed: 0}}}}
samples:
  - {{name: first, seed: 1}}
  - {{name: second, seed: 1}}
sources: [../steps.cc]
"""
_RESETS = ("sample", "inference", "never")


@pytest.fixture(scope="module")
def tensors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[list[str]]]:
    """By ``reset_state``, the outputs of both samples, window by window."""
    pytest.importorskip("tflite_micro")
    project = ProjectCopy.fresh(tmp_path_factory.mktemp("state") / "a project").cached()
    usecases = Path("usecases")
    for reset in _RESETS:
        name = f"steps_{reset}"
        text = _DESCRIPTOR.format(name=name, reset=reset)
        project.write(f"{usecases / name / 'usecase.yaml'}", text)
    project.write(f"{usecases / 'steps.cc'}", _APPLICATION)
    network = network_named("LSTM with drawn zero points")
    (project.root / usecases / "lstm.tflite").write_bytes(network)
    outcome = project.build(*(f"steps_{reset}" for reset in _RESETS))
    assert "Equal: every output tensor is that of TensorFlow Lite Micro" in outcome.stdout
    found = {}
    for reset in _RESETS:
        path = f"build/fvp/ethos-u55-128-shared_sram/steps_{reset}_verified.json"
        found[reset] = [one["tensors"] for one in json.loads(project.read(path))["samples"]]
    assert {len(one) for both in found.values() for one in both} == {_WINDOWS}
    return found


@pytest.mark.long
def test_the_state_lasts_as_long_as_the_descriptor_says(
    tensors: dict[str, list[list[str]]],
) -> None:
    first, second = tensors["sample"]
    assert len(set(first)) > 3, "the state should move, else nothing is tested"
    assert second == first
    assert tensors["inference"] == [[first[0]] * _WINDOWS] * 2
    kept, goes_on = tensors["never"]
    assert kept == first
    assert goes_on[0] != first[0]
