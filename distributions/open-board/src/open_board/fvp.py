# SPDX-License-Identifier: Apache-2.0
"""Arm's Fixed Virtual Platform of a Corstone subsystem as a simulator."""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from open_board.board import find_board
from open_board.deadline import Deadline
from open_board.errors import BoardError
from open_board.files import open_regular
from open_board.job import BoardJob, BoardResult, Outcome, RunError, UartSink, discard
from open_board.load import check_job
from open_board.parameters import EXTRA_ARGS, FAST
from open_board.supervisor import SupervisedProcess
from open_board.uart import UartWatch

NAME = "FVP"

# Of the SSE-300; other subsystems have programs of their own.
FVP_PROGRAMS = {
    "ethos-u55": "FVP_Corstone_SSE-300_Ethos-U55",
    "ethos-u65": "FVP_Corstone_SSE-300_Ethos-U65",
}

# An FVP simulates more and slower; Arm's own scripts allow ten minutes.
DEFAULT_TIME_LIMIT_S = 600.0

# Subsystems that lie on an MPS4, whose parts have longer names; the others lie on an MPS3.
_ON_MPS4 = ("SSE-315", "SSE-320")

# The terminals that the boards' models open a window for.
_TERMINALS = (0, 1, 2, 5)
_PYTHON_HOME = "FVP_PYTHONHOME"
_POLL_INTERVAL_S = 0.02
_STOP_TIMEOUT_S = 10.0
_EXIT_CODE_TIMEOUT_S = 2.0
_VERSION = re.compile(r"Fast Models \[([0-9.]+)")


def find_fvp(program: str, environment: Mapping[str, str]) -> Path | None:
    """Return an FVP from FVP_PATH or PATH, or None.

    Args:
        program: The name of its executable; one by the name that Arm Virtual Hardware gives it,
            VHT in place of FVP, is taken too.
        environment: Variables; FVP_PATH is the FVP itself or a folder that holds it.

    Raises:
        BoardError: FVP_PATH is set, but there is no such FVP there.
    """
    names = (program, program.replace("FVP_", "VHT_", 1))
    named = environment.get("FVP_PATH", "")
    if named:
        path = Path(named)
        candidates = [path / name for name in names] if path.is_dir() else [path]
        for candidate in candidates:
            if candidate.name in names and os.access(candidate, os.X_OK):
                return candidate.absolute()
        raise BoardError(
            f"FVP_PATH={named}: no executable {program} there; correct FVP_PATH or unset it"
        )
    folders = [folder for folder in environment.get("PATH", "").split(os.pathsep) if folder]
    found = (Path(folder) / name for folder in folders for name in names)
    return next((path.absolute() for path in found if os.access(path, os.X_OK)), None)


def fvp_environment(given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of an FVP: the given one, but its Python is not ours.

    An FVP has a Python inside, whose home some releases want in PYTHONHOME. FVP_PYTHONHOME is
    where it is given to us.
    """
    environment = {name: value for name, value in given.items() if name != "PYTHONPATH"}
    home = environment.pop(_PYTHON_HOME, "")
    return {**environment, "PYTHONHOME": home} if home else environment


def fvp_command(
    program: Path, job: BoardJob, uart_file: Path, *, ends_itself: bool = False
) -> list[str]:
    """Return the FVP's command line for ``job``.

    The FVP does not end itself at EOT, unless asked for: the exit code comes one byte after it,
    and the FVP's own exit status does not tell it.
    """
    on_mps4 = any(name in program.name for name in _ON_MPS4)
    board = "mps4_board" if on_mps4 else "mps3_board"
    subsystem = f"{board}.subsystem." if on_mps4 else ""
    parameters = {
        f"{subsystem}ethosu.num_macs": str(job.accelerator.macs),
        **{f"{board}.telnetterminal{n}.start_telnet": "0" for n in _TERMINALS},
        f"{board}.uart0.out_file": str(uart_file),
        f"{board}.uart0.unbuffered_output": "1",
        f"{board}.uart0.shutdown_on_eot": "1" if ends_itself else "0",
        f"{board}.visualisation.disable-visualisation": "1",
        **({"vis_hdlcd.disable_visualisation": "1"} if on_mps4 else {}),
    }
    if job.fast:
        parameters[EXTRA_ARGS] = FAST
    command = [str(program), "-a", str(job.axf)]
    for name, value in parameters.items():
        command += ["-C", f"{name}={value}"]
    for item in job.data:
        command += ["--data", f"{item.path}@0x{item.address:x}"]
    for dump in job.dumps:
        command += [
            "--dump",
            f"{subsystem}cpu0={dump.path}@Memory:0x{dump.address:x},{dump.size_bytes}",
        ]
    return command


class Fvp:
    """Runs programs on an installed FVP."""

    def __init__(self, program: Path) -> None:
        """Use the FVP at ``program``."""
        self._program = program

    @property
    def name(self) -> str:
        """The simulator's name."""
        return NAME

    def run(self, job: BoardJob, uart_sink: UartSink = discard) -> BoardResult:
        """Run ``job``; see Simulator."""
        if job.images:
            raise BoardError("the FVP boots ELF files only; use the open board for raw images")
        others = set(FVP_PROGRAMS.values()) - {FVP_PROGRAMS.get(job.accelerator.product)}
        if self._program.name in others:
            raise BoardError(f"{self._program.name} has no {job.accelerator.name}")
        check_job(job, find_board())  # of an ELF file: on any board
        start = time.monotonic()
        uart = UartWatch(uart_sink)
        with tempfile.TemporaryDirectory(prefix="fvp-") as folder:
            uart_file = Path(folder) / "uart0"
            uart_file.touch()
            with self._process(job, uart_file) as process:
                result = _result_of(process, uart_file, uart, job)
                version = _VERSION.search(process.output())
            if result.outcome is Outcome.EXITED:
                result = self._with_dumps(job, uart_file, result)
        return replace(
            result,
            uart=bytes(uart.output),
            version=version[1] if version else "",
            wall_time_s=time.monotonic() - start,
        )

    def _process(
        self, job: BoardJob, uart_file: Path, *, ends_itself: bool = False
    ) -> SupervisedProcess:
        command = fvp_command(self._program, job, uart_file, ends_itself=ends_itself)
        return SupervisedProcess(command, environment=fvp_environment(os.environ))

    def _with_dumps(self, job: BoardJob, uart_file: Path, result: BoardResult) -> BoardResult:
        """Run once more, to an end of its own, for an FVP that writes no dumps when interrupted."""
        if not _missing_dump(job):
            return result
        with self._process(job, uart_file, ends_itself=True) as process:
            process.wait(job.time_limit_s)
        missing = _missing_dump(job)
        if missing:
            return BoardResult(Outcome.SIMULATOR_FAILED, NAME, reason=missing)
        return result


def _result_of(
    process: SupervisedProcess, uart_file: Path, uart: UartWatch, job: BoardJob
) -> BoardResult:
    try:
        with open_regular(uart_file) as bytes_from_uart:
            _watch(process, bytes_from_uart, uart, job.time_limit_s)
        if job.dumps:
            _end_with_dumps(process, job)
    except RunError as failure:
        return BoardResult(failure.outcome, NAME, reason=str(failure))
    return BoardResult(Outcome.EXITED, NAME, exit_code=uart.exit_code)


def _watch(
    process: SupervisedProcess, from_uart: BinaryIO, uart: UartWatch, time_limit_s: float | None
) -> None:
    """Follow the UART until the exit code has come."""
    deadline = Deadline(time_limit_s)
    deadline.watch(process.processor_s)
    eot_time: float | None = None
    while uart.exit_code is None:
        status = process.poll()
        uart.feed(from_uart.read())
        if uart.ended and eot_time is None:
            eot_time = deadline.used_s
        if uart.exit_code is not None:
            return
        if status is not None:
            raise _early_end(status, process.output(), uart)
        if eot_time is not None and deadline.used_s > eot_time + _EXIT_CODE_TIMEOUT_S:
            raise _no_exit_code()
        deadline.check()
        time.sleep(_POLL_INTERVAL_S)


def _early_end(status: int, output: str, uart: UartWatch) -> RunError:
    if uart.ended:
        return _no_exit_code()
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
    words = f": {lines[-1]}" if lines else ""
    return RunError(
        Outcome.SIMULATOR_FAILED, f"the FVP {how} before the program sent EOT and a code{words}"
    )


def _no_exit_code() -> RunError:
    return RunError(
        Outcome.NO_EXIT_CODE,
        "the program sent EOT but no exit code after it; send one byte, 0 for success",
    )


def _end_with_dumps(process: SupervisedProcess, job: BoardJob) -> None:
    """Stop the FVP as Ctrl-C does: it writes its dumps when it ends by itself."""
    for dump in job.dumps:
        dump.path.unlink(missing_ok=True)
    process.interrupt()
    process.wait(_STOP_TIMEOUT_S)


def _missing_dump(job: BoardJob) -> str:
    """Return which dump is not as it should be; nothing if all are."""
    for dump in job.dumps:
        size_bytes = dump.path.stat().st_size if dump.path.exists() else 0
        if size_bytes != dump.size_bytes:
            return f"the FVP wrote {size_bytes} of {dump.size_bytes} bytes to {dump.path}"
    return ""
