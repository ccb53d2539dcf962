# SPDX-License-Identifier: Apache-2.0
"""Measure the open board: boot to exit of Arm's runner with ResNet-8, and the cost of a stop.

    python -m benchmarks.board [--rounds N] [--axf FILE]

Boot to exit is the whole command ``python -m open_board`` as a user starts it. A stop is
one access of the CPU to the NPU's registers, from QEMU's stop to the next. Of an image of its own
it tells how many inferences (jobs of the NPU) a second it runs, from the first to the end, the best
of N runs, and where their time goes: the NPU's model, copies from and to QEMU's memory, QEMU itself
(the guest), and what the bridge does at a stop. For one processor, put ``taskset -c 0`` before it.
On a busy machine only the figure of processor time means something.
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

from benchmarks.board_time import timed_board
from ethosmith.core.errors import EthosmithError
from ethosu_model.config import AcceleratorConfig
from open_board.job import BoardJob
from open_board.open_board import OpenBoard
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


def inferences(axf: Path) -> tuple[float, str]:
    """Return how many inferences a second an image runs, and what of one's time goes where."""
    job = BoardJob(AcceleratorConfig.parse(_ACCELERATOR), axf, time_limit_s=None)
    with timed_board() as times:
        result = OpenBoard().run(job)
        elapsed_s = times.elapsed_s
    if not result.passed or result.npu is None or not result.npu.jobs:
        raise EthosmithError(f"{axf} ran no inference: {result.reason}")
    jobs = result.npu.jobs
    return jobs / elapsed_s, times.line(axf.name, jobs, elapsed_s)


def fastest(axf: Path, rounds: int) -> str:
    """Return the line of the fastest of some runs: a busy machine only adds."""
    return max(inferences(axf) for _ in range(rounds))[1] + "\n"


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
        of_image = fastest(options.axf, rounds) if options.axf else ""
    median_s = statistics.median(boots)
    sys.stdout.write(
        f"boot to exit, Arm's runner with ResNet-8: {median_s:.2f} s "
        f"(best {min(boots):.2f} s, {rounds} runs, wanted {_WANTED_S:g} s or less)\n"
        f"one access to the NPU's registers: {stop_us:.0f} us\n{of_image}"
    )
    return int(median_s > _WANTED_S)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
