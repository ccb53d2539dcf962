# SPDX-License-Identifier: Apache-2.0
"""Run samples through a ready-made inference runner: one boot each, outputs read from memory.

The network and its inputs are put into the platform's windows before the program starts, and
the outputs are saved from there after it has ended.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_bytes
from ethosmith.descriptors.board import Window, Windows
from ethosmith.models.tensor_spec import TensorSpec
from open_board.job import BoardJob, BoardResult, DataFile, Dump, Simulator
from open_board.result_file import result_data

_MAX_SAID = 400
_COMPLETED = "Inference completed."
_COUNTER = re.compile(r"NPU (?P<name>[A-Z0-9_ ]+): (?P<value>\d+) (cycles|beats)")
_ARENA = re.compile(r"tensor arena\) size used: (?P<bytes>\d+)")
# Of ExecuTorch: its planned buffers, lists and inputs, and what operators and delegates borrow.
_METHOD_MEMORY = re.compile(r"(?:Method|Temp) memory: Used: \d+; Peak: (?P<bytes>\d+)")
_OUTPUTS = re.compile(r"(?P<count>\d+) output tensor/s worth (?P<bytes>\d+) bytes copied to")
# Of the kit, TensorFlow Lite Micro and ExecuTorch; the kit may forget the end of a line.
_ERROR = re.compile(
    r"(?:(?:ERROR|TFLM) - |^[EF] \[ExecuTorch: [^\]]*\] )(?P<text>[^\n]+?)(?=ERROR - |\r?$)",
    re.MULTILINE,
)

# The kit's names of the NPU's counters, and those of our own firmware's log.
_NAMES: Mapping[str, str] = {
    "TOTAL": "npu_cycles",
    "ACTIVE": "npu_active",
    "AXI0_RD_DATA_BEAT_RECEIVED": "axi0_rd",
    "AXI0_WR_DATA_BEAT_WRITTEN": "axi0_wr",
    "AXI1_RD_DATA_BEAT_RECEIVED": "axi1_rd",
}


@dataclass(frozen=True)
class RunnerLog:
    """What one inference of the runner said.

    Attributes:
        counts: of the NPU, by the names of our own firmware's log.
        arena_bytes: how much of the tensor arena was used.
        output_bytes: size of all outputs together.
    """

    counts: dict[str, int]
    arena_bytes: int
    output_bytes: int


def read_runner_log(text: str) -> RunnerLog:
    """Return what the runner said.

    Raises:
        EthosmithError: the inference failed; with the runner's own words, if it has any.
    """
    outputs, arena_bytes = _OUTPUTS.search(text), _arena_bytes(text)
    if _COMPLETED not in text or outputs is None or arena_bytes is None:
        raise EthosmithError(f"the inference failed: {_reasons(text) or 'no reason given'}")
    found = {match["name"]: int(match["value"]) for match in _COUNTER.finditer(text)}
    counts = {ours: found[name] for name, ours in _NAMES.items() if name in found}
    if len(counts) != len(_NAMES):
        raise EthosmithError("the runner did not print all of the NPU's counters")
    return RunnerLog(counts, arena_bytes, int(outputs["bytes"]))


def _reasons(text: str) -> str:
    """Return the runner's own words about what went wrong; empty if it has none."""
    return "; ".join(match["text"].strip().rstrip(".!") for match in _ERROR.finditer(text))


def _arena_bytes(text: str) -> int | None:
    """Return the arena that was used, or the two memories of ExecuTorch at their peaks together."""
    arena = _ARENA.search(text)
    if arena is not None:
        return int(arena["bytes"])
    peaks = [int(match["bytes"]) for match in _METHOD_MEMORY.finditer(text)]
    return sum(peaks[-2:]) if len(peaks) >= 2 else None


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
            data = read_bytes(dump.path)
        counts = {**log.counts, **self._axi1_writes(result), **_instructions(result)}
        return RunnerSample(name, self._split(data), counts, log.arena_bytes), result

    def _axi1_writes(self, result: BoardResult) -> dict[str, int]:
        """Return what the runner does not print, where the simulator knows it of its one job."""
        if result.npu is None or not self._job.accelerator.writes_axi1:
            return {}
        return {"axi1_wr": result.npu.axi1_written_beats}

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
        said = _reasons(result.text)
        reason += f" (the runner says: {said[:_MAX_SAID]})" if said else ""
        raise EthosmithError(f"sample {name}: {result.outcome.value}: {reason}")
    if result.npu is not None and result.npu.faults:
        raise EthosmithError(f"sample {name}: NPU fault: {result.npu.faults[0]}")


def _instructions(result: BoardResult) -> dict[str, int]:
    """Return the count of the one call that is an inference."""
    counts = result.call_instructions
    return {"cpu_instructions": counts[0]} if counts is not None and len(counts) == 1 else {}


def runs_data(job: BoardJob, runs: Sequence[tuple[RunnerSample, BoardResult]]) -> dict[str, Any]:
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
