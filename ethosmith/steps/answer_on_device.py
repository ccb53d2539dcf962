# SPDX-License-Identifier: Apache-2.0
"""Answer an evaluation set on the simulated board: the real firmware, a part of the set a boot."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ethosmith.accuracy.samples_window import Window, batches, check_image, window_bytes, window_of
from ethosmith.accuracy.set_file import (
    Answers,
    Item,
    ItemAnswer,
    digest,
    items_of_set,
    write_answers,
)
from ethosmith.core.errors import EthosmithError
from ethosmith.steps.step import Input, Output, Step, Unsigned, step
from ethosmith.verify.uart_log import DeviceSample, read_log

if TYPE_CHECKING:
    from ethosu_model.config import AcceleratorConfig
    from open_board.job import BoardResult, Simulator

# Each part boots the board anew and has the time limit for itself.
_MAX_PER_RUN = 8


@step(
    verb="DEVICE",
    packages=(
        "capstone",
        "numpy",
        "pydantic",
        "pydantic-core",
        "pyelftools",
        "pyyaml",
    ),
    cacheable=False,
    resumable=True,
    distributable=True,
)
class AnswerOnDevice(Step):
    """Answer an evaluation set on the simulated board, with the real firmware.

    Attributes:
        image: linked with the output of generate-samples-window.
        platform: the platform.yaml.
        npu: the board's NPU, such as ``ethos-u55-128``.
        simulator: ``auto``, ``fvp`` or ``open``.
        fvp_programs: executable of the platform's FVP; none: the SSE-300's with that NPU.
        evaluation_set: of the step collect-evaluation-set.
        tools: name and version of the simulator.
        time_limit_s: seconds of each run until it has failed.
        part: what the terminal says of a shard.
        output: the answers, JSON.
    """

    image: Input
    platform: Input
    npu: str
    simulator: str = "auto"
    fvp_programs: tuple[str, ...] = ()
    evaluation_set: Input
    tools: tuple[str, ...] = ()
    time_limit_s: Unsigned[float] = 60.0
    part: Unsigned[str] = ""
    output: Output

    def run(self) -> None:
        """Run the image on the whole set and write the answers."""
        from ethosmith.core.accelerators import parse_accelerator
        from ethosmith.descriptors.platform import load_platform
        from ethosmith.images.elf import read_image
        from ethosmith.verify.simulator import choose_simulator

        accelerator = parse_accelerator(self.npu)
        platform = load_platform(self.platform)
        window = window_of(platform)
        check_image(read_image(self.image), window)
        program = next(iter(self.fvp_programs), None)
        simulator = choose_simulator(
            self.simulator, accelerator, fvp_program=program, board=platform.open_board or None
        )
        device = Device(simulator, self.image, accelerator, window, self.time_limit_s)
        write_answers(self.output, device_answers(device, items_of_set(self.evaluation_set)))

    def lacking(self) -> str:
        """Return which simulator of ``tools`` is missing here, or has another version."""
        from ethosmith.verify.simulator import missing_tools

        return missing_tools(self.tools)

    @property
    def title(self) -> str:
        """The image, and the shard."""
        return f"{self.image.as_posix()}{', ' if self.part else ''}{self.part}"


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
        from open_board.job import BoardJob, DataFile

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


def device_answers(device: Device, items: Iterable[Item]) -> Answers:
    """Return what the device says to ``items``, in their order.

    Raises:
        EthosmithError: a run fails, or reports other samples than it was given.
    """
    answers: list[ItemAnswer] = []
    simulators = set()
    for batch in batches(device.window, items, _MAX_PER_RUN):
        result = device.run(batch)
        simulators.add((result.simulator, result.version))
        answers += _read(device, batch, result)
    ((name, version),) = simulators
    return Answers(tuple(answers), {"name": name, "version": version})


def _read(device: Device, batch: Sequence[Item], result: BoardResult) -> list[ItemAnswer]:
    if not result.passed:
        raise EthosmithError(f"{device.image}: {_failure(result)}")
    samples = read_log(result.text)
    reported, given = [sample.name for sample in samples], [item.name for item in batch]
    if reported != given:
        raise EthosmithError(
            f"{device.image}: the device was given {len(given)} samples from '{given[0]}' on and"
            f" reported {reported}"
        )
    return [_answer(sample) for sample in samples]


def _answer(sample: DeviceSample) -> ItemAnswer:
    outputs = [bytes.fromhex(tensor) for tensor in sample.tensors]
    return ItemAnswer(sample.name, sample.answer, sample.score, digest(outputs))


def _failure(result: BoardResult) -> str:
    from open_board.job import Outcome

    if result.outcome is Outcome.TIME_LIMIT:
        return f"{result.reason}; give more with time_limit_s="
    if result.outcome is not Outcome.EXITED:
        return f"{result.outcome.value}: {result.reason}"
    lines = [line for line in result.text.splitlines() if line.startswith("fail: ")]
    return lines[-1] if lines else f"exit code {result.exit_code}"
