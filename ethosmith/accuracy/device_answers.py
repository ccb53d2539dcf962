# SPDX-License-Identifier: Apache-2.0
"""The device's column: the real firmware on the board simulator, a part of the set at a time."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ethosmith.accuracy.answers import Answers, ItemAnswer, digest, write_answers
from ethosmith.accuracy.samples_window import (
    Window,
    batches,
    check_image,
    window_bytes,
    window_of,
)
from ethosmith.accuracy.set_file import Item, read_set
from ethosmith.core.accelerators import AcceleratorConfig, parse_accelerator
from ethosmith.core.errors import EthosmithError
from ethosmith.core.program import run_step
from ethosmith.descriptors.platform import load_platform
from ethosmith.images.elf import read_image
from ethosmith.run.simulator import SIMULATORS, choose_simulator
from ethosmith.verify.uart_log import DeviceSample, read_log
from open_board.job import BoardJob, BoardResult, DataFile, Outcome, Simulator

# Each part boots the board anew and has the time limit for itself.
_MOST_PER_RUN = 8


@dataclass(frozen=True)
class Device:
    """The image and the board that it runs on.

    Attributes:
        simulator: runs it.
        image: reads its samples from ``window``.
        accelerator: the board's NPU.
        window: where the samples are put.
        time_limit_s: of one run, in seconds.
    """

    simulator: Simulator
    image: Path
    accelerator: AcceleratorConfig
    window: Window
    time_limit_s: float

    def run(self, items: Sequence[Item]) -> BoardResult:
        """Run the image on ``items``, which fit the window."""
        with tempfile.TemporaryDirectory(prefix="accuracy-") as folder:
            data = Path(folder) / "samples.bin"
            data.write_bytes(window_bytes(self.window, items))
            job = BoardJob(
                self.accelerator,
                axf=self.image,
                data=(DataFile(data, self.window.address),),
                time_limit_s=self.time_limit_s,
            )
            return self.simulator.run(job)


def device_answers(device: Device, items: Sequence[Item]) -> Answers:
    """Return what the device says to ``items``, in their order.

    Raises:
        EthosmithError: a run fails, or tells of other samples than it was given.
    """
    answers: list[ItemAnswer] = []
    simulators = set()
    for batch in batches(device.window, items, _MOST_PER_RUN):
        result = device.run(batch)
        simulators.add((result.simulator, result.version))
        answers += _read(device, batch, result)
    ((name, version),) = simulators
    return Answers(tuple(answers), {"name": name, "version": version})


def _read(device: Device, batch: Sequence[Item], result: BoardResult) -> list[ItemAnswer]:
    if not result.passed:
        raise EthosmithError(f"{device.image}: {_failure(result)}")
    samples = read_log(result.text)
    told, given = [sample.name for sample in samples], [item.name for item in batch]
    if told != given:
        raise EthosmithError(
            f"{device.image}: the device was given {len(given)} samples from '{given[0]}' on and"
            f" told of {told}"
        )
    return [_answer(sample) for sample in samples]


def _answer(sample: DeviceSample) -> ItemAnswer:
    outputs = [bytes.fromhex(tensor) for tensor in sample.tensors]
    return ItemAnswer(sample.name, sample.answer, sample.score, digest(outputs))


def _failure(result: BoardResult) -> str:
    if result.outcome is Outcome.TIME_LIMIT:
        return f"{result.reason}; give more with time_limit_s="
    if result.outcome is not Outcome.EXITED:
        return f"{result.outcome.value}: {result.reason}"
    lines = [line for line in result.text.splitlines() if line.startswith("fail: ")]
    return lines[-1] if lines else f"exit code {result.exit_code}"


def main(argv: Sequence[str]) -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(prog="python -m ethosmith.accuracy.device_answers")
    parser.add_argument("--image", type=Path, required=True, help="with samples_window's source")
    parser.add_argument("--platform", type=Path, required=True)
    parser.add_argument("--npu", required=True, help="the board's, such as ethos-u55-128")
    parser.add_argument("--simulator", choices=SIMULATORS, default="auto")
    parser.add_argument("--timelimit", type=float, default=60.0, help="seconds, of each run")
    parser.add_argument("--set", type=Path, required=True, help="of evaluation_set")
    parser.add_argument("--output", type=Path, required=True)
    given = parser.parse_args(argv)
    accelerator = parse_accelerator(given.npu)
    window = window_of(load_platform(given.platform))
    check_image(read_image(given.image), window)
    device = Device(
        choose_simulator(given.simulator, accelerator),
        given.image,
        accelerator,
        window,
        given.timelimit,
    )
    write_answers(given.output, device_answers(device, read_set(given.set)))


if __name__ == "__main__":
    sys.exit(run_step(main))
