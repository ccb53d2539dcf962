# SPDX-License-Identifier: Apache-2.0
"""Run a program on the board from the command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from ethosu_model.config import AcceleratorConfig
from ethosu_model.errors import ModelError
from ethosu_model.memory import Memory
from open_board.arguments import Arguments, parse_arguments, parser
from open_board.choice import choose_simulator
from open_board.debugger import DebugPort
from open_board.errors import BoardError
from open_board.files import check_output
from open_board.fvp import DEFAULT_TIME_LIMIT_S as FVP_TIME_LIMIT_S
from open_board.fvp import NAME as FVP
from open_board.hidden_lines import without_lines
from open_board.inject import Fault, with_fault
from open_board.job import BoardResult, Outcome, Simulator
from open_board.npu_registers import AnnouncedJobs, NpuRegisters
from open_board.open_board import MakeNpu, OpenBoard
from open_board.parameters import PARAMETERS
from open_board.realism import STRICT, USUAL, Realism
from open_board.result_file import write_result
from open_board.trace_file import TraceFiles
from open_board.visible import Visible

_EXIT_ERROR = 1
_EXIT_INTERRUPTED = 130
# Statuses from here on are the board's and the shell's; a program's own become the one before.
_FIRST_OWN_STATUS = 124
_EXIT_OTHER = 123
_EXIT_STATUS = {
    Outcome.TIME_LIMIT: 124,
    Outcome.SIMULATOR_FAILED: 125,
    Outcome.STOPPED: 125,
    Outcome.FAULT: 126,
    Outcome.LOCK_UP: 126,
    Outcome.BAD_ACCESS: 126,
    Outcome.RESET: 126,
    Outcome.REFUSED: 126,
    Outcome.TOO_MUCH_OUTPUT: 126,
    Outcome.NO_EXIT_CODE: 127,
}


def main(argv: Sequence[str]) -> int:
    """Run the command line and return the process's exit status."""
    try:
        options = parser().parse_args(argv)
        if options.list_params:
            sys.stdout.write("".join(f"{name}\n" for name in sorted(PARAMETERS)))
            return 0
        return _run(parse_arguments(options))
    except (BoardError, ModelError) as error:
        return _fail(str(error), _EXIT_ERROR)
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        return _fail(f"{name}{error.strerror or error}", _EXIT_ERROR)
    except KeyboardInterrupt:
        return _fail("interrupted", _EXIT_INTERRUPTED)


def _fail(message: str, status: int) -> int:
    sys.stdout.flush()
    sys.stderr.write(f"error: {message}\n")
    return status


def _run(arguments: Arguments) -> int:
    for path in (arguments.result_file, *(dump.path for dump in arguments.job.dumps)):
        if path is not None:
            check_output(path)
    if arguments.result_file is not None:
        arguments.result_file.unlink(missing_ok=True)  # no old result for a run that fails
    with ExitStack() as stack:
        simulator = _simulator(arguments, stack)
        job = arguments.job
        if simulator.name == FVP and not arguments.has_time_limit:
            job = replace(job, time_limit_s=FVP_TIME_LIMIT_S)
        uart = stack.enter_context(_uart_output(arguments.uart_file))
        # Bytes as they are where a program reads them, not where a person or a CI runner does.
        is_read = uart.isatty() or (
            arguments.uart_file is None and os.environ.get("GITHUB_ACTIONS") == "true"
        )
        visible = Visible() if is_read else None

        def show(data: bytes) -> None:
            uart.write(data if visible is None else visible.text(data))
            uart.flush()

        sink = stack.enter_context(without_lines(arguments.hidden_words, show))
        result = simulator.run(job, sink)
    if arguments.result_file is not None:
        write_result(arguments.result_file, arguments.job, result)
    if arguments.show_statistics:
        sys.stdout.write(statistics_text(result))
        sys.stdout.flush()
    return _status(result)


def _status(result: BoardResult) -> int:
    if result.outcome is Outcome.EXITED and result.exit_code is not None:
        code = result.exit_code
        if code < _FIRST_OWN_STATUS:
            return code
        return _fail(
            f"the program's exit code {code} is one of the board's own: status {_EXIT_OTHER}",
            _EXIT_OTHER,
        )
    return _fail(f"{result.outcome.value}: {result.reason}", _EXIT_STATUS[result.outcome])


def _simulator(arguments: Arguments, stack: ExitStack) -> Simulator:
    name = arguments.simulator
    if arguments.needs_open_board:
        if name == "fvp":
            raise BoardError(
                "--trace, --trace-ofm, --gdb, --inject, --check, --strict, --card and --image need "
                "the open board; leave out --simulator fvp"
            )
        name = "open"
    board = OpenBoard(
        make_npu=_npu_maker(arguments, stack),
        debug_port=_debug_port(arguments.gdb_port, stack),
        realism=_realism(arguments),
        board=arguments.board,
    )
    return choose_simulator(
        name, arguments.job.accelerator, open_board=board, fvp_program=arguments.fvp_program
    )


def _realism(arguments: Arguments) -> Realism:
    realism = STRICT if arguments.strict else USUAL
    if arguments.fault is Fault.EARLY_IRQ:
        return realism.with_early_interrupt()
    if arguments.fault is Fault.LATE_IRQ:
        return realism.with_late_interrupt()
    return realism


def _npu_maker(arguments: Arguments, stack: ExitStack) -> MakeNpu:
    trace = _trace(arguments.trace_file, arguments.ofm_folder, stack)

    def sound(accelerator: AcceleratorConfig, memory: Memory) -> NpuRegisters:
        from ethosu_model.checks import Checks  # noqa: PLC0415 - see preload
        from ethosu_model.device import NpuDevice  # noqa: PLC0415

        checks = Checks(**dict.fromkeys(arguments.checks, True))
        npu = NpuDevice(accelerator, memory, trace=trace, checks=checks)
        return npu if trace is None else AnnouncedJobs(npu, trace.begin_job)

    fault = arguments.fault
    if fault is None:
        return sound
    return lambda accelerator, memory: with_fault(
        lambda inner_memory: sound(accelerator, inner_memory), fault
    )(memory)


def _trace(trace_file: Path | None, ofm_folder: Path | None, stack: ExitStack) -> TraceFiles | None:
    if trace_file is None and ofm_folder is None:
        return None
    commands = None
    if trace_file is not None:
        commands = stack.enter_context(trace_file.open("w", encoding="utf-8"))
    return TraceFiles(commands, ofm_folder)


def _debug_port(port: int | None, stack: ExitStack) -> DebugPort | None:
    if port is None:
        return None
    debug_port = DebugPort(port)
    stack.callback(debug_port.close)
    sys.stderr.write(f"gdb: target remote localhost:{debug_port.port}\n")
    sys.stderr.flush()
    return debug_port


@contextmanager
def _uart_output(path: Path | None) -> Iterator[BinaryIO]:
    if path is None:
        yield sys.stdout.buffer
        return
    with path.open("wb") as file:
        yield file


def statistics_text(result: BoardResult) -> str:
    """Return the counters of a run for a person; host time is what it took here."""
    lines = [
        f"--- {result.simulator} {result.version} statistics ---",
        f"Host time:           {result.wall_time_s:.2f} s",
    ]
    if result.npu is not None:
        lines += [
            f"NPU jobs:            {result.npu.jobs}",
            f"NPU cycles:          {result.npu.cycles} (an estimate)",
            f"AXI0 data beats:     {result.npu.axi0_read_beats} read,"
            f" {result.npu.axi0_written_beats} written",
            f"AXI1 data beats:     {result.npu.axi1_read_beats} read,"
            f" {result.npu.axi1_written_beats} written",
            f"NPU register reads:  {result.npu.register_reads}",
            f"NPU register writes: {result.npu.register_writes}",
            *(
                f"CPU instructions:    {count} in call {i}"
                for i, count in enumerate(result.call_instructions or (), start=1)
            ),
            *(f"NPU fault:           {fault}" for fault in result.npu.faults),
            *(f"Timing adapter:      {adapter}" for adapter in result.timing_adapters),
        ]
    return "\n".join(lines) + "\n"
