# SPDX-License-Identifier: Apache-2.0
"""Networks with operators for the CPU, and the CPU alone, by way of Arm's inference runner."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.litert import litert
from tests.support.networks.mixed import npu_cpu_npu
from tests.support.project_copy import ProjectCopy

pytestmark = pytest.mark.long

_MODEL = "with operators for the CPU.tflite"
_VARIANT = "inference_runner@with operators for the CPU"
_WORDS = ("usecase=inference_runner", f"model={_MODEL}")
_FOLDERS = {"none": "cpu-prebuilt", "ethos-u55-64": "ethos-u55-64-shared_sram-prebuilt"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    copy = ProjectCopy.fresh(tmp_path_factory.mktemp("prebuilt") / "a project").cached()
    (copy.root / _MODEL).write_bytes(npu_cpu_npu())
    return copy


@pytest.fixture(scope="module")
def built(project: ProjectCopy) -> ProjectCopy:
    """Build and run on an NPU and on the CPU alone, and compare the two."""
    project.build(*_WORDS, "runtime=prebuilt", f"npu={','.join(_FOLDERS)}", "sweep", "report")
    return project


def test_our_own_runtime_names_the_operators_and_the_way_out(project: ProjectCopy) -> None:
    outcome = project.scons(*_WORDS)
    assert outcome.exit_code == 2
    assert "2 operators cannot run on the NPU" in outcome.stderr
    assert "usecase=inference_runner runtime=prebuilt" in outcome.stderr
    assert "GATHER    gathered_a" in outcome.stderr


def _json(project: ProjectCopy, npu: str, what: str) -> Any:
    return json.loads(project.read(f"build/fvp/{_FOLDERS[npu]}/{_VARIANT}_{what}.json"))


@pytest.mark.parametrize("npu", _FOLDERS)
def test_outputs_equal_litert(npu: str, built: ProjectCopy) -> None:
    samples = _json(built, npu, "verified")["samples"]
    assert len(samples) == 5
    assert len({tensor for sample in samples for tensor in sample["tensors"]}) > 5
    for sample in samples:
        inputs = built.read_bytes(f"build/usecases/{_VARIANT}/inputs/{sample['name']}.bin")
        assert sample["tensors"] == litert(npu_cpu_npu(), inputs)
        assert sample["counts"]["cpu_instructions"] > 5000
        assert (sample["counts"]["npu_cycles"] > 0) == (npu != "none")


def test_the_image_is_the_pinned_one(built: ProjectCopy) -> None:
    manifest = _json(built, "none", "manifest")
    assert manifest["prebuilt_image"]["package"] == "mlia-ethos-u"
    assert manifest["configuration"]["runtime"] == "prebuilt"
    pins = {package["name"]: package["sha256"] for package in manifest["packages"]}
    assert manifest["prebuilt_image"]["sha256"] == pins["mlia-ethos-u"]
    assert not manifest["libraries"]
    bill = _json(built, "none", "bom.cdx")
    assert {part["name"] for part in bill["components"]} == {"mlia-ethos-u", Path(_MODEL).stem}


def test_comparisons_set_instructions_beside_cycles(built: ProjectCopy) -> None:
    cpu, npu = csv.DictReader(built.read("build/sweep.csv").splitlines())
    assert (cpu["npu"], cpu["npu_cycles"], cpu["vela_cycles"]) == ("none", "0", "")
    assert int(cpu["cpu_instructions"]) > 5000
    assert int(npu["npu_cycles"]) > 0
    index = built.read("build/report.htm")
    assert "CPU alone</a>" in index
    assert f"{int(cpu['cpu_instructions']):,}" in index
    page = built.read(f"build/fvp/cpu-prebuilt/{_VARIANT}_report.htm")
    assert "NPU cycles" not in page
    assert "CPU instructions" in page


def test_another_network_runs_again_and_nothing_else_does(built: ProjectCopy) -> None:
    words = (*_WORDS, "runtime=prebuilt", "npu=none")
    project = ProjectCopy(built.root)  # with no cache: an earlier run of this test filled that
    assert project.build(*words).steps == set()
    (project.root / _MODEL).write_bytes(npu_cpu_npu(seed=2))
    verbs = {step.split(" ", 1)[0] for step in project.build(*words).steps}
    assert verbs == {"QUANTISE", "INPUTS", "EXPECT", "RUN", "VERIFY"}


def test_a_network_that_the_runner_cannot_take_fails_with_its_reason(built: ProjectCopy) -> None:
    platform = "platforms/fvp/platform.yaml"
    built.replace(platform, "size_kib: 32768}", "size_kib: 1}")
    outcome = built.scons(*_WORDS, "runtime=prebuilt", "npu=none")
    assert outcome.exit_code == 2
    assert "bytes; the board's window at 0x90000000 holds 1024" in outcome.stderr
    assert "Traceback" not in outcome.text
