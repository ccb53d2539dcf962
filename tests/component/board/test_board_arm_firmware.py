# SPDX-License-Identifier: Apache-2.0
"""Arm's own firmware, unmodified, boots on the open board and computes what LiteRT does.

The program is the evaluation kit's inference runner: TFLM, CMSIS-NN and the Ethos-U driver,
built by Arm. It takes a network at 0x90000000 and its input at 0x92000000, and leaves its
output at 0x93000000.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ethosu_model.config import AcceleratorConfig
from open_board.board import find_board
from open_board.cli import main
from open_board.job import BoardJob, DataFile, Dump
from open_board.open_board import OpenBoard
from tests.support.board import networks

_CPUS = {"sse300": "Cortex-M55", "sse310": "Cortex-M85 r1p0"}


@pytest.fixture(scope="module")
def runners(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Arm's runner for each board and NPU product."""
    folder = tmp_path_factory.mktemp("arm")
    return {
        f"{board}-{product}": networks.arms_runner(product, folder, board.removeprefix("sse"))
        for board in _CPUS
        for product in networks.VELA_SETTINGS
    }


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network with CPU operators between NPU operators."""
    path = tmp_path_factory.mktemp("network") / "mixed.tflite"
    path.write_bytes(networks.mixed_network())
    return path


def _random_input(seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int8]]:
    return np.random.default_rng(seed).integers(-128, 128, networks.INPUT_SHAPE, dtype=np.int8)


@pytest.mark.parametrize(
    ("board", "accelerator"),
    [
        ("sse300", "ethos-u55-128"),
        ("sse300", "ethos-u55-256"),
        ("sse300", "ethos-u65-256"),
        ("sse310", "ethos-u55-128"),
        ("sse310", "ethos-u65-256"),
    ],
)
def test_output_equals_litert(
    board: str, accelerator: str, runners: dict[str, Path], network: Path, tmp_path: Path
) -> None:
    config = AcceleratorConfig.parse(accelerator)
    compiled = networks.compile_with_vela(network, accelerator, tmp_path)
    for seed in range(2):
        data = _random_input(seed)
        expected = networks.reference_output(network.read_bytes(), data)
        input_file, output = (
            tmp_path / "input",
            Dump(tmp_path / "output", networks.OUTPUT_ADDRESS, len(expected)),
        )
        input_file.write_bytes(data.tobytes())

        result = OpenBoard(board=find_board(board)).run(
            BoardJob(
                config,
                runners[f"{board}-{config.product}"],
                data=(
                    DataFile(compiled, networks.NETWORK_ADDRESS),
                    DataFile(input_file, networks.INPUT_ADDRESS),
                ),
                dumps=(output,),
            )
        )

        assert result.passed, result.reason
        assert "Inference completed." in result.text
        assert f"MACs/cc:    {config.macs}" in result.text
        assert f"CPU: {_CPUS[board]}" in result.text
        assert result.npu is not None
        assert (result.npu.jobs, result.npu.faults) == (3, ())
        assert output.path.read_bytes() == expected


def _run(runner: Path, compiled: Path, *options: str) -> int:
    data = f"{compiled}@0x{networks.NETWORK_ADDRESS:x}"
    return main(["--simulator", "open", "-a", str(runner), "--data", data, *options])


@pytest.fixture(scope="module")
def compiled(network: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return networks.compile_with_vela(network, "ethos-u55-128", tmp_path_factory.mktemp("vela"))


@pytest.mark.parametrize(
    ("fault", "status", "named"),
    [
        ("bus-fault", 0, "NPU fault:           bus fault on AXI1, COMMAND channel"),
        ("parse-error", 0, "NPU fault:           no command: 0xffffffff"),
        ("no-irq", 124, "NPU jobs:            1"),
        ("stuck-reset", 124, "NPU jobs:            0"),
    ],
)
def test_arms_driver_sees_the_injected_fault(
    fault: str,
    status: int,
    named: str,
    runners: dict[str, Path],
    compiled: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The kit's main returns 0 after a failed inference; its text tells."""
    limit_s = {"no-irq": "5", "stuck-reset": "2"}.get(fault, "60")
    options = ("--inject", fault, "--stat", "--timelimit", limit_s)

    assert _run(runners["sse300-ethos-u55"], compiled, *options) == status
    out = capfd.readouterr().out
    assert named in out
    assert "Inference completed." not in out
    assert ("Inference failed." in out) == (status == 0)


def test_trace_lists_the_commands_and_dumps_the_ofms(
    runners: dict[str, Path], compiled: Path, tmp_path: Path
) -> None:
    trace, ofms = tmp_path / "trace", tmp_path / "ofms"

    options = ("--trace", str(trace), "--trace-ofm", str(ofms))
    assert _run(runners["sse300-ethos-u55"], compiled, *options) == 0

    lines = trace.read_text().splitlines()
    assert [line for line in lines if line.startswith("#")] == ["# job 1", "# job 2", "# job 3"]
    operations = [line.split()[1] for line in lines if "NPU_OP_" in line]
    for operation in ("NPU_OP_CONV", "NPU_OP_DEPTHWISE", "NPU_OP_POOL", "NPU_OP_DMA_START"):
        assert operation in operations
    first = next(file for file in sorted(ofms.iterdir()) if "NPU_OP_CONV" in file.name)
    assert first.name.startswith("001_")
    assert first.stat().st_size == 16 * 16 * 16
