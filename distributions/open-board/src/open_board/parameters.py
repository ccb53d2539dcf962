# SPDX-License-Identifier: Apache-2.0
"""The FVP's model parameters (``-C NAME=VALUE``), as far as they mean something here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ethosu_model.errors import did_you_mean
from open_board.errors import BoardError
from open_board.files import read_bytes

NUM_MACS = "ethosu.num_macs"
EXTRA_ARGS, FAST = "ethosu.extra_args", "--fast"
UART_FILE = "mps3_board.uart0.out_file"
SHUTDOWN_ON_EOT = "mps3_board.uart0.shutdown_on_eot"

STANDARD_OUTPUT = "-"
_MAX_CONFIG_BYTES = 1 << 20

# Windows, terminals, network and timing of the FVP: nothing here depends on them.
_TERMINAL_KEYS = ("mode", "quiet", "start_port", "start_telnet", "terminal_command")
_WITHOUT_EFFECT = (
    "core_clk.div",
    "core_clk.mul",
    "cpu0.semihosting-enable",
    "cpu0.semihosting-heap_base",
    "cpu0.semihosting-heap_limit",
    "cpu0.semihosting-stack_base",
    "cpu0.semihosting-stack_limit",
    "mps3_board.DISABLE_GATING",
    "mps3_board.hostbridge.userNetPorts",
    "mps3_board.hostbridge.userNetworking",
    "mps3_board.smsc_91c111.enabled",
    *(f"mps3_board.telnetterminal{n}.{key}" for n in range(6) for key in _TERMINAL_KEYS),
    "mps3_board.uart0.unbuffered_output",
    "mps3_board.visualisation.disable-visualisation",
)
PARAMETERS = (NUM_MACS, EXTRA_ARGS, UART_FILE, SHUTDOWN_ON_EOT, *_WITHOUT_EFFECT)

_VHT_PREFIX = "cpu_core."  # Arm Virtual Hardware puts the subsystem's name in front


@dataclass(frozen=True)
class Parameters:
    """What the parameters say.

    Attributes:
        num_macs: MACs of the NPU; None if not said.
        fast: The NPU of an FVP takes no simulated time.
        uart_file: Where UART output goes; None is standard output.
    """

    num_macs: int | None = None
    fast: bool = False
    uart_file: Path | None = None


def parse_parameters(assignments: Sequence[str]) -> Parameters:
    """Return what ``NAME=VALUE`` strings mean; a later one wins over an earlier.

    Raises:
        BoardError: A name is unknown or a value is not one.
    """
    values = dict(_split(assignment) for assignment in assignments)
    if _flag(SHUTDOWN_ON_EOT, values.get(SHUTDOWN_ON_EOT, "1")) is False:
        raise BoardError(f"{SHUTDOWN_ON_EOT}=0: the board always ends at EOT; leave it out")
    extra_args = values.get(EXTRA_ARGS, "")
    if extra_args not in ("", FAST):
        raise BoardError(f"{EXTRA_ARGS}={extra_args}: expected {FAST}, the only one that is known")
    uart_file = values.get(UART_FILE, STANDARD_OUTPUT)
    return Parameters(
        num_macs=_number(NUM_MACS, values[NUM_MACS]) if NUM_MACS in values else None,
        fast=extra_args == FAST,
        uart_file=None if uart_file in ("", STANDARD_OUTPUT) else Path(uart_file),
    )


def read_config_file(path: Path) -> list[str]:
    """Return the assignments of an FVP's parameter file: one a line, ``#`` begins a comment.

    Raises:
        BoardError: The file cannot be read.
    """
    try:
        text = read_bytes(path, limit_bytes=_MAX_CONFIG_BYTES).decode("utf-8")
    except UnicodeDecodeError as cause:
        raise BoardError(f"cannot read parameters from {path}: {cause}") from None
    return list(_assignments(text.splitlines()))


def _assignments(lines: Iterable[str]) -> Iterable[str]:
    for line in lines:
        assignment = re.sub(r"\s*#.*", "", line).strip()
        if assignment:
            yield assignment


def _split(assignment: str) -> tuple[str, str]:
    name, equals, value = assignment.partition("=")
    name = name.strip().removeprefix(_VHT_PREFIX)
    if not equals:
        raise BoardError(f"-C {assignment}: write NAME=VALUE")
    if name not in PARAMETERS:
        raise BoardError(
            f"unknown parameter '{name}'{did_you_mean(name, PARAMETERS)} "
            "(--list-params shows all that are known)"
        )
    return name, value.strip().strip("'\"")


def _number(name: str, value: str) -> int:
    try:
        return int(value, 0)
    except ValueError:
        raise BoardError(f"{name}={value}: not a number") from None


def _flag(name: str, value: str) -> bool:
    known = {"1": True, "true": True, "0": False, "false": False}
    if value.lower() not in known:
        raise BoardError(f"{name}={value}: write 0 or 1")
    return known[value.lower()]
