# SPDX-License-Identifier: Apache-2.0
"""What the board's tests share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ethosu_model.config import AcceleratorConfig
from open_board.board import Board
from open_board.job import BoardJob, BoardResult
from open_board.open_board import MakeNpu, OpenBoard
from tests.support.board import fake_npu, programs

U55 = AcceleratorConfig.parse("ethos-u55-128")

RunProgram = Callable[..., BoardResult]


@pytest.fixture
def run_program(tmp_path: Path) -> RunProgram:
    """Build a program, run it on the open board with a fake NPU, return the result."""

    def run(
        body: str,
        make_npu: MakeNpu = fake_npu.remembering,
        qemu: Path | None = None,
        board: Board | None = None,
        **settings: Any,
    ) -> BoardResult:
        axf = programs.build(tmp_path, body)
        job = BoardJob(**{"accelerator": U55, "axf": axf, "time_limit_s": 10.0, **settings})
        return OpenBoard(qemu, make_npu, board=board).run(job)

    return run
