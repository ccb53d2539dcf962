# SPDX-License-Identifier: Apache-2.0
"""The command line of the board, in the FVP's spellings where they overlap."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from pathlib import Path

from ethosu_model.config import ACCELERATORS, AcceleratorConfig
from ethosu_model.u85.config import parse_accelerator
from open_board.board import DEFAULT_BOARD, Board, board_names, find_board
from open_board.card import card_images
from open_board.choice import SIMULATORS
from open_board.errors import BoardError
from open_board.fvp import DEFAULT_TIME_LIMIT_S as FVP_TIME_LIMIT_S
from open_board.inject import Fault
from open_board.job import DEFAULT_TIME_LIMIT_S, BoardJob, DataFile, Dump
from open_board.parameters import Parameters, parse_parameters, read_config_file

_DEFAULT_ACCELERATOR = "ethos-u55-128"  # what the FVP has without ethosu.num_macs

_INSTANCE = re.compile(r"^[A-Za-z_][\w.]*\*?=")
_AT = re.compile(r"^(?P<file>.+)@(?:Memory:)?(?P<address>\w+)$", re.IGNORECASE | re.DOTALL)

_EXIT_CODES = """\
exit status: the program's own exit code if it ended by EOT, 123 if that is above 123; else
124 time limit, 125 the simulator failed, 126 fault, lock-up, reset, bad access or refused,
127 EOT without an exit code, 1 a wrong argument, 2 an unknown option"""


@dataclass(frozen=True)
class Arguments:
    """A parsed command line.

    Attributes:
        job: What to run.
        simulator: ``auto``, ``fvp`` or ``open``.
        board: which board it is.
        fvp_program: name of the FVP's executable; None: the SSE-300's with that NPU.
        uart_file: Where UART output goes; None is standard output.
        hidden_words: Lines of the UART that begin with these do not go there.
        result_file: Where the JSON result goes, if asked for.
        show_statistics: Print counters at the end.
        trace_file: Where the NPU's commands go, if asked for.
        ofm_folder: Where OFMs go, if asked for.
        gdb_port: Port for a debugger, if asked for.
        fault: A fault that the NPU shows, if asked for.
        checks: What the NPU refuses on request: names of `ethosu_model.checks.Checks`.
        strict: Refuse what a board would not forgive.
        has_time_limit: The job's time limit was given, not taken by default.
    """

    job: BoardJob
    simulator: str
    board: Board
    fvp_program: str | None
    uart_file: Path | None
    hidden_words: tuple[str, ...]
    result_file: Path | None
    show_statistics: bool
    trace_file: Path | None
    ofm_folder: Path | None
    gdb_port: int | None
    fault: Fault | None
    checks: tuple[str, ...] = ()
    strict: bool = False
    has_time_limit: bool = True

    @property
    def needs_open_board(self) -> bool:
        """An option is given that only the open board has."""
        wanted = (self.trace_file, self.ofm_folder, self.gdb_port, self.fault)
        given = any(option is not None for option in wanted)
        return given or self.strict or bool(self.job.images or self.checks)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parse = argparse.ArgumentParser(
        prog="python -m open_board",
        description="Run a program on a simulated Corstone board with an Ethos-U NPU.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _add_fvp_options(parse)
    _add_own_options(parse)
    _add_observing_options(parse)
    return parse


def _add_fvp_options(parse: argparse.ArgumentParser) -> None:
    group = parse.add_argument_group("as the FVP has them")
    group.add_argument("-a", "--application", metavar="[CPU=]FILE", help="program, an ELF file")
    group.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="[CPU=]FILE@ADDRESS",
        help="put a file into memory before the program starts",
    )
    group.add_argument(
        "--dump",
        action="append",
        default=[],
        metavar="[CPU=]FILE@ADDRESS,SIZE",
        help="save memory after the program has exited",
    )
    group.add_argument(
        "-C",
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set a model parameter, for example ethosu.num_macs=256",
    )
    group.add_argument(
        "-f",
        "--config-file",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="read parameters, one a line",
    )
    group.add_argument(
        "--timelimit",
        type=float,
        metavar="S",
        help=f"seconds until the run has failed (default {DEFAULT_TIME_LIMIT_S:g}, on an FVP "
        f"{FVP_TIME_LIMIT_S:g}, none with --gdb; 0 for none)",
    )
    group.add_argument("--stat", action="store_true", help="print statistics at the end")
    group.add_argument("-q", "--quiet", action="store_true", help="no effect: nothing else talks")
    group.add_argument("--list-params", action="store_true", help="print the known parameters")


def _add_own_options(parse: argparse.ArgumentParser) -> None:
    group = parse.add_argument_group("the board's own")
    group.add_argument("--simulator", choices=SIMULATORS, default="auto")
    group.add_argument(
        "--board",
        default=DEFAULT_BOARD,
        metavar="NAME",
        help=f"{', '.join(board_names())} or a file of the same form as theirs, NAME.toml (default"
        f" {DEFAULT_BOARD})",
    )
    group.add_argument(
        "--fvp-program", metavar="NAME", help="executable of another FVP than the board's"
    )
    group.add_argument(
        "--npu", metavar="NAME", help=f"accelerator (default {_DEFAULT_ACCELERATOR})"
    )
    group.add_argument(
        "--npu-revision", default="", metavar="NAME", help="as r0p0-0 (default: the current one)"
    )
    group.add_argument("--num-macs", type=int, metavar="N", help="as -C ethosu.num_macs=N")
    _add_ways_to_run(group)


def _add_ways_to_run(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--fast",
        action="store_true",
        help="as -C ethosu.extra_args=--fast: an FVP's NPU takes no simulated time, and its counts "
        "mean nothing (no effect on the open board)",
    )
    group.add_argument(
        "--image",
        action="append",
        default=[],
        metavar="FILE@ADDRESS",
        help="boot from raw images, such as itcm.bin@0x0; may be repeated",
    )
    group.add_argument(
        "--card",
        type=Path,
        metavar="DIR",
        help="boot from an MPS3 card, by its images.txt and the board controller's addresses",
    )
    group.add_argument(
        "--gdb", type=int, metavar="PORT", help="wait for a debugger on this port of localhost"
    )
    group.add_argument(
        "--check",
        action="append",
        default=[],
        choices=("excluded", "ordering"),
        help="refuse operations that the manual excludes, or accesses to memory that lack a wait; "
        "may be repeated",
    )
    group.add_argument(
        "--strict",
        action="store_true",
        help="end the run where the program does what a board would not forgive, such as missing "
        "cache maintenance",
    )
    group.add_argument(
        "--inject",
        choices=[fault.value for fault in Fault],
        help="let the NPU fail in this way, to test drivers",
    )


def _add_observing_options(parse: argparse.ArgumentParser) -> None:
    group = parse.add_argument_group("what is shown and kept of a run")
    group.add_argument(
        "--hide",
        action="append",
        default=[],
        metavar="WORD",
        help="show no line of the UART that begins with this word; may be repeated (the result "
        "has them all)",
    )
    group.add_argument("--result", type=Path, metavar="FILE", help="write the result as JSON")
    group.add_argument("--trace", type=Path, metavar="FILE", help="write every NPU command")
    group.add_argument("--trace-ofm", type=Path, metavar="FOLDER", help="write every OFM")
    group.add_argument(
        "--count-calls",
        metavar="FUNCTION",
        help="count the CPU's instructions in each call of a function, by its symbol (open board)",
    )


def parse_arguments(options: argparse.Namespace) -> Arguments:
    """Return what the parsed options mean.

    Raises:
        BoardError: Options contradict each other, or a value is not one.
    """
    config = [line for path in options.config_file for line in read_config_file(path)]
    parameters = parse_parameters([*config, *options.parameter])
    job, board = _job(options, parameters), find_board(options.board)
    return Arguments(
        job=job,
        simulator=options.simulator,
        board=board,
        fvp_program=options.fvp_program or board.fvp_programs.get(job.accelerator.product),
        uart_file=parameters.uart_file,
        hidden_words=tuple(options.hide),
        result_file=options.result,
        show_statistics=options.stat,
        trace_file=options.trace,
        ofm_folder=options.trace_ofm,
        gdb_port=options.gdb,
        fault=Fault(options.inject) if options.inject else None,
        checks=tuple(options.check),
        strict=options.strict,
        has_time_limit=options.timelimit is not None,
    )


def _job(options: argparse.Namespace, parameters: Parameters) -> BoardJob:
    if sum(map(bool, (options.application, options.image, options.card))) != 1:
        raise BoardError("name what to run: -a FILE, --image FILE@ADDRESS or --card DIR")
    images = tuple(map(parse_data, options.image))
    if options.card is not None:
        images = card_images(options.card, find_board(options.board))
    accelerator = _accelerator(options.npu, _macs(options.num_macs, parameters.num_macs))
    return BoardJob(
        accelerator=accelerator.in_revision(options.npu_revision),
        axf=Path(_without_instance(options.application)) if options.application else None,
        images=images,
        data=tuple(map(parse_data, options.data)),
        dumps=tuple(map(parse_dump, options.dump)),
        counted_function=options.count_calls,
        time_limit_s=_time_limit(options.timelimit, options.gdb is not None),
        fast=options.fast or parameters.fast,
    )


def _time_limit(given: float | None, debugging: bool) -> float | None:
    if given is None:
        return None if debugging else DEFAULT_TIME_LIMIT_S
    if not 0 <= given < float("inf"):
        raise BoardError(f"--timelimit {given:g}: give seconds, or 0 for no limit")
    return given or None


def _macs(option: int | None, parameter: int | None) -> int | None:
    if option is not None and parameter is not None and option != parameter:
        raise BoardError(f"--num-macs {option} contradicts -C ethosu.num_macs={parameter}")
    return option if option is not None else parameter


def _accelerator(name: str | None, macs: int | None) -> AcceleratorConfig:
    """Return the NPU; MACs without a name mean the smallest product that has as many."""
    if name is not None:
        accelerator = parse_accelerator(name)
        if macs not in (None, accelerator.macs):
            raise BoardError(f"--npu {name} has {accelerator.macs} MACs, not {macs}")
        return accelerator
    if macs is None:
        return AcceleratorConfig.parse(_DEFAULT_ACCELERATOR)
    for accelerator in ACCELERATORS:
        if accelerator.macs == macs:
            return accelerator
    known = ", ".join(str(number) for number in sorted({item.macs for item in ACCELERATORS}))
    raise BoardError(f"no NPU has {macs} MACs (known: {known})")


def parse_data(text: str) -> DataFile:
    """Return ``[CPU=]FILE@ADDRESS`` as a data file.

    Raises:
        BoardError: It is not of that form.
    """
    match = _AT.match(_without_instance(text))
    if match is None:
        raise BoardError(f"'{text}': write FILE@ADDRESS, for example net.tflite@0x90000000")
    return DataFile(Path(match["file"]), _integer(match["address"], text))


def parse_dump(text: str) -> Dump:
    """Return ``[CPU=]FILE@ADDRESS,SIZE`` as a dump.

    Raises:
        BoardError: It is not of that form.
    """
    place, comma, size = text.rpartition(",")
    if not comma:
        raise BoardError(f"'{text}': write FILE@ADDRESS,SIZE, for example out@0x93000000,10")
    data = parse_data(place)
    return Dump(data.path, data.address, _integer(size, text))


def _integer(digits: str, text: str) -> int:
    try:
        value = int(digits, 0)
    except ValueError:
        raise BoardError(f"'{text}': '{digits}' is not a number") from None
    if not 0 <= value < 1 << 32:
        raise BoardError(f"'{text}': {digits} is outside of 32-bit addresses")
    return value


def _without_instance(text: str) -> str:
    """Drop ``cpu0=`` or ``cpu0*=`` from the front, unless that is the file's name."""
    match = _INSTANCE.match(text)
    return text[match.end() :] if match and not Path(text).exists() else text
