# SPDX-License-Identifier: Apache-2.0
"""The example of docs/pytorch.md, from its source and as a .pt2, to verified answers: ``-m slow``.

Skipped without the PyTorch environment: ``python -m ethosmith environment pytorch``.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support import needs
from tests.support.project_copy import ROOT, ProjectCopy

pytestmark = pytest.mark.slow

_VERIFIED = "build/fvp/ethos-u55-128-shared_sram/kws@net_verified.json"
_EXPECTED = "build/usecases/kws@net/expected.json"
_EXPORT = """
import torch
from net import build
torch.manual_seed(0)
torch.export.save(torch.export.export(build().eval(), (torch.zeros(1, 1, 50, 10),)), "net.pt2")
"""


@pytest.fixture(scope="module")
def python() -> str:
    return needs.pytorch()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, python: str) -> ProjectCopy:
    copy = ProjectCopy.fresh(tmp_path_factory.mktemp("pytorch") / "a project").cached()
    text = (ROOT / "docs/pytorch.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(# net\.py\n.*?)```", text, re.DOTALL)
    copy.write("net.py", example)
    subprocess.run([python, "-c", _EXPORT], cwd=copy.root, check=True)
    return copy


def _answers(project: ProjectCopy, model: str) -> list[Any]:
    said = project.build("usecase=kws", "target=fvp", f"model={model}").text
    assert "Equal: every output tensor is that of TOSA's reference model, byte for byte." in said
    assert "WARNING" not in said
    found = json.loads(project.read(_VERIFIED))["samples"]
    assert len(found) >= 5
    return [(one["name"], one["answer"], one["score"]) for one in found]


def test_source_and_pt2_of_one_network_answer_alike(project: ProjectCopy) -> None:
    assert _answers(project, "net.py:build") == _answers(project, "net.pt2")


def test_an_onnx_file_answers_like_any_network(project: ProjectCopy) -> None:
    needs.made_by_pytorch("onnx_files", project.root / "onnx files")
    (project.root / "onnx files/sound.onnx").rename(project.root / "net.onnx")
    _answers(project, "net.onnx")


def test_network_runs_without_a_use_case_of_its_own(project: ProjectCopy) -> None:
    said = project.build("usecase=inference_runner", "model=net.pt2").stdout
    assert "TOSA's reference model, byte for byte" in said


def test_state_dict_beside_the_source_is_what_runs(project: ProjectCopy, python: str) -> None:
    _answers(project, "net.py")
    before = project.read(_EXPECTED)
    saved = (
        "import torch, net; torch.manual_seed(1); torch.save(net.build().state_dict(), 'net.pt')"
    )
    subprocess.run([python, "-c", saved], cwd=project.root, check=True)
    _answers(project, "net.py")
    Path(project.root / "net.pt").unlink()
    assert project.read(_EXPECTED) != before


_MIXED = """
import torch
from torch import nn


class Mixed(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 12, 3)
        self.linear = nn.Linear(12, 12)

    def forward(self, x):
        x = torch.relu(self.conv(x)).mean((2, 3))
        x = torch.fmod(x, 0.07)
        return self.linear(x)


def build():
    return Mixed()


def example_inputs():
    return (torch.zeros(1, 1, 50, 10),)
"""
_RUNNER = ("usecase=inference_runner", "runs=2")


def test_executorch_runs_both_sides_of_a_network_and_its_ready_program(
    project: ProjectCopy,
) -> None:
    project.write("mixed.py", _MIXED)
    refused = project.scons(*_RUNNER, "model=mixed.py")
    assert "aten.fmod.Scalar  mixed.py:14  the NPU has no such operator" in refused.text
    said = project.build(*_RUNNER, "runtime=executorch", "model=mixed.py").text
    assert "aten.fmod.Scalar  mixed.py:14  the NPU has no such operator" in said
    assert "Equal: every output tensor is that of TOSA's reference model, and PyTorch's" in said
    folder = "build/fvp/ethos-u55-128-shared_sram-executorch"
    verified = json.loads(project.read(f"{folder}/inference_runner@mixed@2-runs_verified.json"))
    assert all(one["equal"] and one["counts"]["npu_cycles"] for one in verified["samples"])

    (ready,) = project.root.glob("build/vela/*-executorch/inference_runner@mixed@2-runs/mixed.pte")
    project.root.joinpath("ready.pte").write_bytes(ready.read_bytes())
    said = project.build(*_RUNNER, "runtime=executorch", "model=ready.pte").text
    assert "Not compared: the output tensors of 2 samples" in said
    again = json.loads(project.read(f"{folder}/inference_runner@ready@2-runs_verified.json"))
    tensors = [[one["tensors"] for one in found["samples"]] for found in (verified, again)]
    assert tensors[0] == tensors[1]


@pytest.mark.parametrize(("target", "npu"), [("fvp", "ethos-u65-256"), ("sse320", "ethos-u85-512")])
def test_without_a_runner_the_program_runs_on_the_host(
    target: str, npu: str, project: ProjectCopy
) -> None:
    project.write("mixed.py", _MIXED)
    given = (*_RUNNER, "runtime=executorch", "model=mixed.py", f"target={target}", f"npu={npu}")
    said = project.build(*given).text
    assert "aten.fmod.Scalar  mixed.py:14  the NPU has no such operator" in said
    assert "Equal: every output tensor is that of TOSA's reference model, and PyTorch's" in said
    assert "Not booted: platform" in said
    (path,) = project.root.glob(f"build/{target}/{npu}-*-executorch/*@mixed@2-runs_verified.json")
    verified = json.loads(path.read_text("utf-8"))
    assert all(one["equal"] and one["counts"]["npu_cycles"] for one in verified["samples"])
    assert path.with_name(path.name.replace("_verified.json", ".pte")).is_file()
    refused = project.scons(*given, "run")
    assert f"error: run: platform {target} has no image of runtime=executorch" in refused.text


def test_a_new_use_case_trains_and_runs_on_both_runtimes(project: ProjectCopy) -> None:
    project.build("new", "usecase=waves", "template=pytorch")
    project.build("usecase=waves", "train")
    assert (project.root / "usecases/waves/model/network.pt").is_file()
    said = project.build("usecase=waves", "runtime=direct,executorch").text
    assert "Equal: every output tensor is that of TOSA's reference model, byte for byte." in said
    for setting in ("shared_sram", "shared_sram-executorch"):
        verified = json.loads(
            project.read(f"build/fvp/ethos-u55-128-{setting}/waves_verified.json")
        )
        answers = [(one["name"], one["answer"]) for one in verified["samples"]]
        assert answers == [("slow", "slow"), ("fast", "fast")]
    project.build("usecase=waves", "npu=ethos-u65-256", "pte")
    assert list(project.root.glob("build/fvp/ethos-u65-256-*-executorch/waves.pte"))
