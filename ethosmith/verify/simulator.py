# SPDX-License-Identifier: Apache-2.0
"""A simulator of the `open_board` distribution, with Ethosmith's errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ethosmith.core.errors import EthosmithError
from ethosmith.environment.tools import find_program, program_version
from ethosu_model.config import AcceleratorConfig
from open_board.board import find_board
from open_board.choice import SIMULATORS
from open_board.choice import choose_simulator as choose
from open_board.errors import BoardError
from open_board.job import BoardJob, BoardResult, Simulator, UartSink, discard
from open_board.open_board import OpenBoard
from open_board.realism import STRICT, USUAL

__all__ = ["SIMULATORS", "choose_simulator", "missing_tools"]


@dataclass(frozen=True)
class _StepSimulator:
    inner: Simulator

    @property
    def name(self) -> str:
        return self.inner.name

    def run(self, job: BoardJob, uart_sink: UartSink = discard) -> BoardResult:
        try:
            return self.inner.run(job, uart_sink)
        except BoardError as error:
            raise EthosmithError(str(error)) from None


def choose_simulator(
    name: str,
    accelerator: AcceleratorConfig,
    *,
    fvp_program: str | None = None,
    strict: bool = False,
    board: str | None = None,
) -> Simulator:
    """Return the simulator called ``name``; its runs raise EthosmithError.

    Args:
        name: one of `SIMULATORS`.
        accelerator: the NPU that it must have.
        fvp_program: name of the FVP's executable, if not the SSE-300's with that NPU.
        strict: the open board refuses what a board would not forgive.
        board: which board the open board is; None: the SSE-300.

    Raises:
        EthosmithError: there is no such simulator, or the FVP is not installed.
    """
    try:
        open_board = OpenBoard(realism=STRICT if strict else USUAL, board=find_board(board))
        simulator = choose(name, accelerator, open_board=open_board, fvp_program=fvp_program)
        return _StepSimulator(simulator)
    except BoardError as error:
        raise EthosmithError(str(error)) from None


def missing_tools(tools: Sequence[str]) -> str:
    """Return what is missing here of simulators that were named with their versions; or nothing."""
    for tool in tools:
        if not tool.startswith("QEMU "):
            return f"cannot prove that it has {tool}"
        try:
            found = f"QEMU {program_version(find_program('qemu-system-arm'))}"
        except EthosmithError:
            found = "no QEMU"
        if found != tool:
            return f"has {found}, expected {tool}"
    return ""
