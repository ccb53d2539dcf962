# SPDX-License-Identifier: Apache-2.0
"""The same application over both runtimes, with fakes of the upstream projects.

The network is that of kws, over seeded random inputs.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.networks.pooled import pooled_network
from tests.support.project_copy import ROOT, ProjectCopy

pytestmark = pytest.mark.long

_FAKES = ROOT / "tests" / "fakes"
_FOLDERS = {
    "tflm": "tflite-micro",
    "cmsis_nn": "CMSIS-NN",
    "cmsis": "CMSIS_6",
    "ethosu_driver": "ethos-u-core-driver",
    "flatbuffers": "flatbuffers",
    "gemmlowp": "gemmlowp",
    "ruy": "ruy",
}
_NETWORK = "ds_cnn_int8.tflite"
_IMAGE = "inference_runner@ds_cnn_int8"
_WORDS = (
    "usecase=inference_runner",
    f"model={_NETWORK}",
    *(f"{name}_dir={_FAKES / folder}" for name, folder in _FOLDERS.items()),
)
_NPU = "build/fvp/ethos-u55-128-shared_sram"


@pytest.fixture(scope="module")
def project(built: ProjectCopy, tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    """Images of both runtimes on the NPU, and of the interpreter on the CPU alone."""
    project = ProjectCopy.fresh(tmp_path_factory.mktemp("tflm") / "a project").cached()
    shutil.copyfile(built.root / "build/usecases/kws" / _NETWORK, project.root / _NETWORK)
    project.build(*_WORDS, "runtime=direct,tflm")
    project.build(*_WORDS, "runtime=tflm", "npu=none")
    return project


def _samples(project: ProjectCopy, folder: str) -> list[dict[str, object]]:
    samples: list[dict[str, object]] = json.loads(project.read(f"{folder}/{_IMAGE}_verified.json"))[
        "samples"
    ]
    return samples


def _uart(project: ProjectCopy, folder: str) -> list[str]:
    lines: list[str] = json.loads(project.read(f"{folder}/{_IMAGE}_result.json"))[
        "uart"
    ].splitlines()
    return lines


def test_both_runtimes_print_the_same_but_for_the_arena(project: ProjectCopy) -> None:
    """NPU cycles and data beats too: both drivers count the same jobs by the same PMU."""

    def lines(folder: str) -> list[str]:
        return [
            line
            for line in _uart(project, folder)
            if not line.startswith(("arena", "identity", "stack"))
        ]

    assert lines(f"{_NPU}-tflm") == lines(_NPU)
    assert len(lines(_NPU)) > 5


def test_the_cpu_alone_computes_what_the_npu_does(project: ProjectCopy) -> None:
    on_cpu, on_npu = (_samples(project, folder) for folder in ("build/fvp/cpu-tflm", _NPU))
    assert [s["tensors"] for s in on_cpu] == [s["tensors"] for s in on_npu]
    assert {s["counts"]["npu_cycles"] for s in on_cpu} == {0}  # type: ignore[index]


def test_a_second_build_runs_nothing(project: ProjectCopy) -> None:
    assert project.build(*_WORDS, "runtime=tflm").steps == set()


def test_only_kernels_of_the_network_are_linked(project: ProjectCopy) -> None:
    link_map = project.read(f"{_NPU}-tflm/{_IMAGE}.map")
    kept = link_map[link_map.index("Memory Configuration") :]
    assert "libtflm.a(ethosu" in kept
    assert "libtflm.a(conv" not in kept
    # No heap: the driver's own semaphores would bring it in.
    assert "_malloc_r" not in kept


def _run(project: ProjectCopy, *options: str) -> str:
    command = [sys.executable, "-m", "open_board", "--simulator", "open"]
    done = subprocess.run(
        [*command, "-a", f"{_NPU}-tflm/{_IMAGE}.axf", *options],
        cwd=project.root,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (
            ("--inject", "bus-fault"),
            "fail: NPU: bus error on AXI1 reading commands at byte 0 of the command stream (STATUS",
        ),
        (
            ("--inject", "no-irq"),
            "fail: NPU: no interrupt within 5000 ms at byte",
        ),
        (
            ("-C", "ethosu.num_macs=256"),
            "fail: NPU: model compiled for 128 MACs/cycle, this NPU has 256",
        ),
    ],
)
def test_a_failure_below_the_interpreter_is_named(
    options: tuple[str, ...], wanted: str, project: ProjectCopy
) -> None:
    assert _run(project, *options).startswith(wanted)


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        pytest.param(
            "(tensors + structures) // 2",
            "fail: TFLM: Failed to resize buffer. Requested: ",
            marks=pytest.mark.slow,
        ),
        ("2 * (tensors + structures)", "ethosmith.models.arena is wrong about this network"),
    ],
    ids=["too small", "too large"],
)
def test_an_arena_of_the_wrong_size_is_refused(
    size: str, wanted: str, project: ProjectCopy, tmp_path: Path
) -> None:
    other = project.copy(tmp_path / "a copy")
    other.replace(
        "ethosmith/models/arena.py", "ArenaSize(tensors + structures,", f"ArenaSize({size},"
    )
    outcome = other.scons(*_WORDS, "runtime=tflm")
    assert outcome.exit_code != 0
    assert wanted in outcome.text


@pytest.mark.slow
def test_the_interpreter_keeps_the_contract_of_inference(
    project: ProjectCopy, tmp_path: Path
) -> None:
    """The same checks as of our own runtime, from within the application."""
    other = project.copy(tmp_path / "a copy")
    source = "usecases/inference_runner/src/inference_runner.cc"
    shutil.copyfile(
        ROOT / "tests/support/firmware/inference_contract.h",
        other.root / "usecases/inference_runner/src/inference_contract.h",
    )
    # The host program has no inference.
    other.replace(
        source,
        '#include "text.h"\n',
        '#include "text.h"\n#ifdef __ARM_ARCH_8_1M_MAIN__\n#include "inference_contract.h"\n#else\n'
        "static const char *inference_contract(void) { return nullptr; }\n#endif\n",
    )
    other.replace(
        source,
        "struct input *inputs) {\n    uint32_t size_bytes = 0;\n",
        "struct input *inputs) {\n    if (const char *problem = inference_contract()) {\n"
        "        return problem;\n    }\n    uint32_t size_bytes = 0;\n",
    )
    other.build(*_WORDS, "runtime=direct,tflm")
    other.build(*_WORDS, "runtime=tflm", "npu=none")


def test_an_operator_without_a_kernel_stops_the_build(project: ProjectCopy, tmp_path: Path) -> None:
    other = project.copy(tmp_path / "a copy")
    other.replace(
        "ethosmith/steps/generate_op_resolver.py", '    "AVERAGE_POOL_2D": "AveragePool2D",\n', ""
    )
    outcome = other.scons(*_WORDS, "runtime=tflm", "npu=none")
    assert outcome.exit_code != 0
    assert "TensorFlow Lite Micro cannot run AVERAGE_POOL_2D at '" in outcome.text


@pytest.mark.slow
def test_operators_on_npu_and_cpu_in_turn_are_as_arms_runner_has_them(
    project: ProjectCopy, tmp_path: Path
) -> None:
    other = project.copy(tmp_path / "a copy")
    (other.root / "pooled.tflite").write_bytes(pooled_network())
    words = [word for word in _WORDS if not word.startswith("model=")]
    other.build(*words, "model=pooled.tflite", "runtime=tflm,prebuilt")

    def samples(runtime: str) -> list[dict[str, object]]:
        path = f"{_NPU}-{runtime}/inference_runner@pooled_verified.json"
        found: list[dict[str, object]] = json.loads(other.read(path))["samples"]
        for sample in found:
            del sample["counts"]["cpu_instructions"]  # type: ignore[attr-defined]
        return found

    # NPU cycles and beats are sums over both of the network's NPU operators.
    assert samples("tflm") == samples("prebuilt")
