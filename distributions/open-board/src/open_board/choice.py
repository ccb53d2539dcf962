# SPDX-License-Identifier: Apache-2.0
"""Choose the simulator that a run uses."""

from __future__ import annotations

import os
from collections.abc import Mapping

from ethosu_model.config import AcceleratorConfig
from open_board.errors import BoardError, unknown_name
from open_board.fvp import FVP_PROGRAMS, Fvp, find_fvp
from open_board.job import Simulator
from open_board.open_board import OpenBoard

SIMULATORS = ("auto", "fvp", "open")


def choose_simulator(
    name: str,
    accelerator: AcceleratorConfig,
    *,
    open_board: OpenBoard | None = None,
    fvp_program: str | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Simulator:
    """Return the simulator called ``name``.

    Args:
        name: ``fvp``, ``open``, or ``auto``: the FVP if one is installed for this NPU.
        accelerator: The NPU that it must have.
        open_board: The open board to use, if not a plain one.
        fvp_program: Name of the FVP's executable, if not the SSE-300's with that NPU.
        environment: Holds FVP_PATH and PATH.

    Raises:
        BoardError: There is no such simulator, or the FVP is not installed.
    """
    if name not in SIMULATORS:
        raise BoardError(unknown_name("simulator", name, SIMULATORS))
    wanted = fvp_program or FVP_PROGRAMS.get(accelerator.product)
    if wanted is None:
        raise BoardError(f"no simulator of the SSE-300 has an {accelerator.name}")
    program = None if name == "open" else find_fvp(wanted, environment)
    if program is not None:
        return Fvp(program)
    if name == "fvp":
        instead = "" if wanted not in FVP_PROGRAMS.values() else ", or use the open board"
        raise BoardError(f"{wanted} is not installed; set FVP_PATH to its folder{instead}")
    return open_board or OpenBoard()
