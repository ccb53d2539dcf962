# SPDX-License-Identifier: Apache-2.0
"""Measure the open board: boot to exit of Arm's runner with ResNet-8, and the cost of a stop.

    python -m benchmarks.board [--rounds N] [--axf FILE]

Boot to exit is the whole command ``python -m open_board`` as a user starts it. A stop is
one access of the CPU to the NPU's registers, from QEMU's stop to the next. Of an image of its own
it tells how many inferences (jobs of the NPU) a second it runs, from the first to the end, and
where their time goes: the NPU's model with its copies, stops, and the rest, which is the guest's.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosu_model.config import AcceleratorConfig
from ethosu_model.memory import Memory
from open_board.job import BoardJob
from open_board.npu_registers import NpuRegisters, NpuWrapper, starts_job
from open_board.open_board import OpenBoard, functional_npu
from tests.support.board import programs
from tests.support.board.networks import NETWORK_ADDRESS, arms_runner, compile_with_vela
from tests.support.networks.trained import NETWORKS, quantised
from tests.support.project_copy import ROOT

_ACCELERATOR = "ethos-u55-128"
_RESNET_8 = "image_classification.tflite"
_WANTED_S = 2.0
_POLLS = 3000
_POLL = "int program(void) {{ for (int i = 0; i < {}; i++) (void)NPU[1]; return 0; }}"


def boot_to_exit_s(folder: Path, rounds: int) -> list[float]:
    """Return the seconds of whole runs of Arm's runner with ResNet-8."""
    network = folder / "resnet8.tflite"
    trained = next(item for item in NETWORKS if item.id == _RESNET_8)
    network.write_bytes(quantised(trained, folder))
    compiled = compile_with_vela(network, _ACCELERATOR, folder)
    command = [
        *(sys.executable, "-m", "open_board", "--simulator", "open"),
        *("-a", str(arms_runner("ethos-u55", folder)), "--npu", _ACCELERATOR),
        *("--data", f"{compiled}@0x{NETWORK_ADDRESS:x}"),
    ]
    return [_timed(command) for _ in range(rounds)]


def _timed(command: Sequence[str]) -> float:
    begun = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    elapsed_s = time.perf_counter() - begun
    if done.returncode or "Inference completed." not in done.stdout:
        raise EthosmithError(f"the runner failed: {done.stderr.strip() or done.stdout[-200:]}")
    return elapsed_s


def stop_s(folder: Path) -> float:
    """Return the seconds that one access to the NPU's registers costs."""
    job = BoardJob(AcceleratorConfig.parse(_ACCELERATOR), programs.build(folder, _POLL.format(0)))
    idle = OpenBoard().run(job)
    programs.build(folder, _POLL.format(_POLLS))
    polling = OpenBoard().run(job)
    if not (idle.passed and polling.passed):
        raise EthosmithError(f"the polling program failed: {idle.reason or polling.reason}")
    return (polling.wall_time_s - idle.wall_time_s) / _POLLS


class _TimedJobs(NpuWrapper):
    """An NPU that notes when its first job began, and how long its jobs take."""

    def __init__(self, inner: NpuRegisters) -> None:
        super().__init__(inner)
        self.begun_s = self.model_s = 0.0

    def write_register(self, offset: int, value: int) -> None:
        begun_s = time.perf_counter()
        super().write_register(offset, value)
        if starts_job(offset, value):
            self.begun_s = self.begun_s or begun_s
            self.model_s += time.perf_counter() - begun_s


def inferences(axf: Path, one_stop_s: float) -> str:
    """Return how fast an image's inferences are, and what of one's time goes where."""
    npus: list[_TimedJobs] = []

    def make_npu(accelerator: AcceleratorConfig, memory: Memory) -> NpuRegisters:
        npus.append(_TimedJobs(functional_npu(accelerator, memory)))
        return npus[-1]

    job = BoardJob(AcceleratorConfig.parse(_ACCELERATOR), axf, time_limit_s=None)
    result = OpenBoard(make_npu=make_npu).run(job)
    elapsed_s = time.perf_counter() - npus[0].begun_s
    if not result.passed or result.npu is None or not result.npu.jobs:
        raise EthosmithError(f"{axf} ran no inference: {result.reason}")
    jobs = result.npu.jobs
    stops = (result.npu.register_reads + result.npu.register_writes) / jobs
    whole, model = 1e3 * elapsed_s / jobs, 1e3 * npus[0].model_s / jobs
    stopped = 1e3 * stops * one_stop_s
    return (
        f"{axf.name}: {jobs} inferences, {jobs / elapsed_s:.0f} a second; each {whole:.1f} ms:"
        f" model {model:.1f}, {stops:.0f} stops {stopped:.1f}, guest"
        f" {max(0.0, whole - model - stopped):.1f}\n"
    )


def main(argv: Sequence[str]) -> int:
    """Print the figures; fail if the board is slower than wanted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--axf", type=Path, help="an image for ethos-u55-128, such as kws.axf")
    options = parser.parse_args(argv)
    rounds = options.rounds
    with tempfile.TemporaryDirectory() as folder:
        boots = boot_to_exit_s(Path(folder), rounds)
        stop_us = stop_s(Path(folder)) * 1e6
        of_image = inferences(options.axf, stop_us / 1e6) if options.axf else ""
    median_s = statistics.median(boots)
    sys.stdout.write(
        f"boot to exit, Arm's runner with ResNet-8: {median_s:.2f} s "
        f"(best {min(boots):.2f} s, {rounds} runs, wanted {_WANTED_S:g} s or less)\n"
        f"one access to the NPU's registers: {stop_us:.0f} us\n{of_image}"
    )
    return int(median_s > _WANTED_S)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
