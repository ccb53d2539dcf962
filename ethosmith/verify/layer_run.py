# SPDX-License-Identifier: Apache-2.0
"""Run the first inference of an image on the open board, and the same one on LiteRT."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ethosmith.core.errors import EthosmithError
from ethosmith.models.int8_check import check_int8, interpreter_of
from ethosmith.models.tflite_file import is_stateful, parse_model
from ethosmith.verify.host_program import quantised_inputs
from ethosmith.verify.layers import Array, JobRecorder, RecordedJob
from ethosmith.verify.oracles import DEFAULT, REFERENCE
from ethosmith.verify.reference import reference_network
from ethosu_model.config import AcceleratorConfig
from ethosu_model.device import NpuDevice
from ethosu_model.memory import Memory
from open_board.board import find_board
from open_board.errors import BoardError
from open_board.job import BoardJob, Outcome, RunError
from open_board.npu_registers import AnnouncedJobs, NpuRegisters
from open_board.open_board import OpenBoard

_ENOUGH = "the first inference is recorded"


def first_inference(
    axf: Path,
    accelerator: AcceleratorConfig,
    streams: int,
    *,
    board: str | None = None,
    time_limit_s: float,
) -> list[RecordedJob]:
    """Boot an image and return the jobs of its first inference; what comes after is not run.

    Args:
        axf: the linked image.
        accelerator: its NPU.
        streams: how many jobs an inference has.
        board: which board the open board is; None: the SSE-300.
        time_limit_s: seconds until the run has failed; 0: none.

    Raises:
        EthosmithError: the program failed, or ended before it had run an inference.
    """
    recorder = JobRecorder()

    def begin() -> None:
        if len(recorder.jobs) == streams:
            raise RunError(Outcome.STOPPED, _ENOUGH)
        recorder.begin_job()

    def make_npu(config: AcceleratorConfig, memory: Memory) -> NpuRegisters:
        return AnnouncedJobs(NpuDevice(config, memory, trace=recorder), begin)

    job = BoardJob(accelerator=accelerator, axf=axf, time_limit_s=time_limit_s or None)
    try:
        result = OpenBoard(make_npu=make_npu, board=find_board(board)).run(job)
    except BoardError as error:
        raise EthosmithError(str(error)) from None
    if result.npu is not None and result.npu.faults:
        raise EthosmithError(f"NPU fault: {result.npu.faults[0]}")
    if not result.passed and result.reason != _ENOUGH:
        reason = result.reason or f"exit code {result.exit_code}"
        raise EthosmithError(f"{result.outcome.value}: {reason}")
    return recorder.jobs


def reference_tensors(content: bytes, network: Path, program: Path) -> tuple[str, dict[int, Array]]:
    """Run the first window of the first sample on LiteRT.

    Args:
        content: of the int8 .tflite.
        network: its name.
        program: the use case's host program, which computes the inputs.

    Returns:
        Which kernels computed, and all tensors that can be read, by their index.

    Raises:
        EthosmithError: LiteRT lacks an operator, or keeps no such tensors.
    """
    if is_stateful(parse_model(content, str(network))):
        raise EthosmithError("a network with a state is compared by its outputs alone")
    specs = check_int8(network).inputs
    oracle, interpreter = _interpreter(reference_network(content), str(network))
    raw = quantised_inputs(program, 0, specs)
    for detail, spec in zip(interpreter.get_input_details(), specs, strict=True):
        values = np.frombuffer(raw, np.dtype(spec.dtype), spec.element_count)
        raw = raw[values.nbytes :]
        interpreter.set_tensor(detail["index"], values.reshape(spec.shape))
    interpreter.invoke()
    return oracle, _tensors(interpreter)


def _interpreter(content: bytes, shown: str) -> tuple[str, Any]:
    try:
        return REFERENCE, interpreter_of(content, shown, keeps_tensors=True)
    except EthosmithError:
        other = interpreter_of(content, shown, reference_kernels=False, keeps_tensors=True)
        return f"LiteRT with {DEFAULT}", other


def _tensors(interpreter: Any) -> dict[int, Array]:
    found = {}
    for detail in interpreter.get_tensor_details():
        try:
            found[int(detail["index"])] = np.array(interpreter.get_tensor(detail["index"]))
        except ValueError:  # It has no memory of its own.
            continue
    return found
