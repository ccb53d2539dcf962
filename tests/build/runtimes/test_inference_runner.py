# SPDX-License-Identifier: Apache-2.0
"""A network's inputs from files: baked into the image, or put into the board's memory."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from tests.support.litert import litert
from tests.support.networks.mixed import all_npu
from tests.support.project_copy import ProjectCopy

pytestmark = pytest.mark.long

_INPUT_BYTES = 5 * 5 * (3 + 4)
_WORDS = ("usecase=inference_runner", "model=net.tflite")
_FOLDER = "build/fvp/ethos-u55-128-shared_sram"
_RNG = np.random.default_rng(5)
_INPUTS = {name: _RNG.integers(-128, 128, _INPUT_BYTES, np.int8) for name in ("array", "plain")}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    copy = ProjectCopy.fresh(tmp_path_factory.mktemp("runner") / "a project").cached()
    (copy.root / "net.tflite").write_bytes(all_npu())
    (copy.root / "in puts").mkdir()
    np.save(copy.root / "in puts/array.npy", _INPUTS["array"])
    _INPUTS["plain"].tofile(copy.root / "in puts/plain.bin")
    np.save(copy.root / "in puts/real.npy", _RNG.normal(size=_INPUT_BYTES))
    copy.build(*_WORDS, "samples=in puts")
    return copy


def test_files_are_the_networks_inputs(project: ProjectCopy) -> None:
    verified = json.loads(project.read(f"{_FOLDER}/inference_runner@net@in puts_verified.json"))
    said = {sample["name"]: sample["tensors"] for sample in verified["samples"]}
    assert said.keys() == {"array", "plain", "real"}
    for name, data in _INPUTS.items():
        assert said[name] == litert(all_npu(), data.tobytes())
    assert len({tensors[0] for tensors in said.values()}) == 3


def test_the_boards_windows_take_inputs_and_give_outputs(project: ProjectCopy) -> None:
    data = np.roll(_INPUTS["plain"], 1).tobytes()
    window = b"EWIN" + len(data).to_bytes(12, "little") + data
    (project.root / "given.bin").write_bytes(window)
    (expected,) = litert(all_npu(), data)
    output_bytes = len(expected) // 2
    command = [sys.executable, "-m", "open_board", "--simulator", "open"]
    command += ["-a", f"{_FOLDER}/inference_runner@net@in puts.axf"]
    command += ["--data", "given.bin@0x92000000", "--dump", f"out.bin@0x93000000,{output_bytes}"]
    subprocess.run(command, cwd=project.root, check=True, capture_output=True)
    assert project.read_bytes("out.bin").hex() == expected


def test_a_sample_of_another_size_is_refused(project: ProjectCopy) -> None:
    (project.root / "short").mkdir()
    (project.root / "short/short.bin").write_bytes(bytes(_INPUT_BYTES - 1))
    outcome = project.scons(*_WORDS, "samples=short")
    assert outcome.exit_code == 2
    problem = f"{_INPUT_BYTES} bytes, or float32 for each element, expected,"
    assert f"{problem} {_INPUT_BYTES - 1} found in short.bin" in outcome.text


def test_runs_are_as_many_seeds(project: ProjectCopy) -> None:
    project.build(*_WORDS, "runs=7")
    verified = json.loads(project.read(f"{_FOLDER}/inference_runner@net@7-runs_verified.json"))
    assert [sample["name"] for sample in verified["samples"]] == [f"run-{n}" for n in range(1, 8)]
    assert len({sample["tensors"][0] for sample in verified["samples"]}) == 7
