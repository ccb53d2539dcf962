# SPDX-License-Identifier: Apache-2.0
"""Run samples through a ready-made inference runner: one boot each, outputs read from memory.

The network and its inputs are put into the platform's windows before the program starts, and
the outputs are saved from there after it has ended.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ethosmith.core.accelerators import parse_accelerator
from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import write_text
from ethosmith.core.program import run_step
from ethosmith.descriptors.board import Window, Windows
from ethosmith.descriptors.platform import load_platform
from ethosmith.models.int8_check import TensorSpec, check_int8
from ethosmith.run.runner_log import read_runner_log
from ethosmith.run.simulator import SIMULATORS, choose_simulator
from open_board.job import BoardJob, BoardResult, DataFile, Dump, Simulator
from open_board.result_file import result_data


@dataclass(frozen=True)
class RunnerSample:
    """One sample, run.

    Attributes:
        tensors: the raw bytes of each output, as hexadecimal digits.
        counts: as our own firmware prints them, and ``cpu_instructions`` where they are counted.
        arena_bytes: how much of the tensor arena was used.
    """

    name: str
    tensors: tuple[str, ...]
    counts: dict[str, int]
    arena_bytes: int

    @property
    def text(self) -> str:
        """One line for the terminal."""
        counts = " ".join(f"{name}={value}" for name, value in self.counts.items())
        return f"sample {self.name}: {counts} arena={self.arena_bytes}\n"


class RunnerBoard:
    """A simulator, a runner's image on it, and a network in its window."""

    def __init__(
        self,
        simulator: Simulator,
        job: BoardJob,
        windows: Windows,
        outputs: Sequence[TensorSpec],
    ) -> None:
        """Prepare runs.

        Args:
            simulator: the board.
            job: the image and the network, without inputs and dumps.
            windows: of the platform.
            outputs: of the network.
        """
        self._simulator = simulator
        self._job = job
        self._windows = windows
        self._sizes_bytes = [spec.size_bytes for spec in outputs]

    def run(self, name: str, inputs: Path) -> tuple[RunnerSample, BoardResult]:
        """Boot, run one inference on ``inputs`` and return what came of it.

        Raises:
            EthosmithError: the run or the inference failed.
        """
        window, size_bytes = self._windows.output, sum(self._sizes_bytes)
        with tempfile.TemporaryDirectory(prefix="runner-") as folder:
            dump = Dump(Path(folder) / "outputs", window.address, size_bytes)
            job = replace(
                self._job,
                data=(*self._job.data, placed(inputs, self._windows.input, f"sample {name}")),
                dumps=(dump,),
            )
            result = self._simulator.run(job)
            _check_end(name, result)
            log = read_runner_log(result.text)
            if log.output_bytes != size_bytes:
                raise EthosmithError(
                    f"sample {name}: {log.output_bytes} bytes of outputs, the network has"
                    f" {size_bytes}"
                )
            data = dump.path.read_bytes()
        counts = {**log.counts, **_instructions(result)}
        return RunnerSample(name, self._split(data), counts, log.arena_bytes), result

    def _split(self, data: bytes) -> tuple[str, ...]:
        tensors, at = [], 0
        for size_bytes in self._sizes_bytes:
            tensors.append(data[at : at + size_bytes].hex())
            at += size_bytes
        return tuple(tensors)


def placed(path: Path, window: Window, what: str) -> DataFile:
    """Return the file as data of a job.

    Raises:
        EthosmithError: it is larger than the window.
    """
    size_bytes = path.stat().st_size
    if size_bytes > window.size_bytes:
        raise EthosmithError(
            f"{what}: {path} has {size_bytes} bytes; the board's window at"
            f" 0x{window.address:08x} holds {window.size_bytes}"
        )
    return DataFile(path, window.address)


def _check_end(name: str, result: BoardResult) -> None:
    if not result.passed:
        reason = result.reason or f"exit code {result.exit_code}"
        raise EthosmithError(f"sample {name}: {result.outcome.value}: {reason}")
    if result.npu is not None and result.npu.faults:
        raise EthosmithError(f"sample {name}: NPU fault: {result.npu.faults[0]}")


def _instructions(result: BoardResult) -> dict[str, int]:
    """Return the count of the one call that is an inference."""
    counts = result.call_instructions
    return {"cpu_instructions": counts[0]} if counts is not None and len(counts) == 1 else {}


def _report(job: BoardJob, runs: Sequence[tuple[RunnerSample, BoardResult]]) -> dict[str, Any]:
    """Return the result file's contents: as of the last run, with the text and tensors of all."""
    data = result_data(job, runs[-1][1])
    del data["call_instructions"]
    texts = [f"--- sample {sample.name} ---\n{result.text}" for sample, result in runs]
    samples = [
        {
            "name": sample.name,
            "counts": sample.counts,
            "tensors": list(sample.tensors),
            "arena_bytes": sample.arena_bytes,
        }
        for sample, _ in runs
    ]
    return {**data, "uart": "".join(texts), "samples": samples}


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ethosmith.run.runner", description=__doc__)
    parser.add_argument("--axf", type=Path, required=True, help="the runner")
    parser.add_argument("--platform", type=Path, required=True, help="platform.yaml, for windows")
    parser.add_argument("--npu", required=True, help="accelerator config")
    parser.add_argument("--model", type=Path, required=True, help=".tflite that it executes")
    parser.add_argument("--network", type=Path, required=True, help="int8 .tflite, for its outputs")
    parser.add_argument("--sample", action="append", required=True, help="NAME=FILE with inputs")
    parser.add_argument("--count-calls", metavar="FUNCTION", help="as of open_board")
    parser.add_argument("--simulator", choices=SIMULATORS, default="auto")
    parser.add_argument("--fvp-program", metavar="NAME", help="as of open_board")
    parser.add_argument("--timelimit", type=float, default=60.0, metavar="S", help="of each run")
    parser.add_argument("--quiet", action="store_true", help="no line per sample")
    parser.add_argument("--result", type=Path, required=True)
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> None:
    """Command line of this step."""
    given = _parse(argv)
    windows = load_platform(given.platform).windows
    if windows is None:
        raise EthosmithError(f"{given.platform}: the platform has no windows for files")
    job = BoardJob(
        accelerator=parse_accelerator(given.npu),
        axf=given.axf,
        data=(placed(given.model, windows.network, "network"),),
        counted_function=given.count_calls,
        time_limit_s=given.timelimit,
    )
    simulator = choose_simulator(given.simulator, job.accelerator, fvp_program=given.fvp_program)
    board = RunnerBoard(simulator, job, windows, check_int8(given.network).outputs)
    runs = []
    for name, _, path in (text.partition("=") for text in given.sample):
        runs.append(board.run(name, Path(path)))
        if not given.quiet:
            sys.stdout.write(runs[-1][0].text)
    write_text(given.result, json.dumps(_report(job, runs), indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    sys.exit(run_step(main))
