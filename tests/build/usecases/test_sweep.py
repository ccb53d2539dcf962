# SPDX-License-Identifier: Apache-2.0
"""`scons sweep` of a folder: one network that fails takes no other along, and no kill what ran."""

from __future__ import annotations

import csv
import json

import pytest

from tests.support.kills import kill_at_first_note
from tests.support.networks.dense import dense_network
from tests.support.project_copy import ProjectCopy

_FOLDER = "build/fvp/ethos-u55-128-shared_sram"
_WORDS = ("sweep", "usecase=inference_runner", "npu=ethos-u55-128", "model=nets")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    """A folder of a damaged network and two good ones."""
    copy = ProjectCopy.fresh(tmp_path_factory.mktemp("sweep") / "a project").cached()
    (copy.root / "nets").mkdir()
    (copy.root / "nothing").mkdir()
    for name, seed in (("b", 4), ("c", 5)):
        (copy.root / f"nets/{name}.tflite").write_bytes(dense_network((40, 32, 7), seed=seed))
    (copy.root / "nets/a.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    return copy


def _rows(project: ProjectCopy) -> list[str]:
    return [row["usecase"] for row in csv.DictReader(project.read("build/sweep.csv").splitlines())]


@pytest.mark.slow
def test_a_killed_sweep_goes_on_and_a_damaged_network_is_named(project: ProjectCopy) -> None:
    ran = f"RUN       {_FOLDER}/inference_runner@b.axf"
    kill_at_first_note(project, *_WORDS, "-k")
    outcome = project.scons(*_WORDS, "-k")
    assert outcome.exit_code != 0
    assert f"RESUMED   {_FOLDER}/inference_runner@b_result.json" in outcome.stdout
    assert ran not in outcome.stdout
    assert "error: nets/a.h5: " in outcome.text
    assert _rows(project) == ["inference_runner@b", "inference_runner@c"]
    (left_out,) = json.loads(project.read("build/sweep.json"))["left_out"]
    assert left_out.startswith("inference_runner@a on ethos-u55-128 Shared_Sram: build/")
    # Without the damaged one it ends well, and runs nothing again.
    (project.root / "nets/a.h5").unlink()
    outcome = project.build(*_WORDS)
    assert {step for step in outcome.steps if step.startswith("RUN ")} == set()
    assert _rows(project) == ["inference_runner@b", "inference_runner@c"]
    assert json.loads(project.read("build/sweep.json"))["left_out"] == []


def test_a_folder_without_networks_is_an_error(project: ProjectCopy) -> None:
    outcome = project.scons(*_WORDS[:-1], "model=nothing")
    assert outcome.exit_code == 2
    assert outcome.stderr == (
        "error: model=nothing: no network in it; expected .h5, .keras, .tflite, .pt2, .onnx\n"
    )
