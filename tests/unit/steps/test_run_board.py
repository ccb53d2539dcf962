# SPDX-License-Identifier: Apache-2.0
"""A run is a success only if the program said so; one that failed leaves no result."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.steps.run_board import RunBoard
from open_board.job import BoardJob, BoardResult, Outcome, UartSink

_LOG = b"sample yes: answer=yes\ntensor yes 0 int8 1x1 7f\n"


@dataclass
class _Board:
    """A simulator whose every run prints ``uart`` and ends with ``outcome``."""

    uart: bytes
    outcome: Outcome
    exit_code: int | None
    reason: str = ""

    def run(self, job: BoardJob, sink: UartSink) -> BoardResult:
        del job
        sink(self.uart)
        return BoardResult(
            outcome=self.outcome,
            exit_code=self.exit_code,
            reason=self.reason,
            uart=self.uart,
            wall_time_s=1.0,
            simulator="fake",
            version="1",
        )


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[_Board], RunBoard]:
    """Run the step on a board; a previous result is there."""

    def on(board: _Board) -> RunBoard:
        monkeypatch.setattr("ethosmith.verify.simulator.choose_simulator", lambda *_, **__: board)
        step = RunBoard(
            axf=tmp_path / "kws.axf",
            npu="ethos-u55-128",
            hide=("tensor",),
            uart_file=str(tmp_path / "uart"),
            result=tmp_path / "result.json",
        )
        step.result.write_text("of another run")
        step.run()
        return step

    return on


def test_a_pass_keeps_all_and_shows_what_is_not_hidden(
    run: Callable[[_Board], RunBoard], tmp_path: Path
) -> None:
    step = run(_Board(_LOG, Outcome.EXITED, 0))
    assert json.loads(step.result.read_text())["uart"].encode() == _LOG
    assert (tmp_path / "uart").read_bytes() == _LOG.splitlines(keepends=True)[0]


@pytest.mark.parametrize(
    ("board", "message"),
    [
        (
            _Board(_LOG + b"fail: the NPU hangs\n", Outcome.EXITED, 3),
            "the program ended with exit code 3: the NPU hangs",
        ),
        (_Board(_LOG, Outcome.EXITED, 1), "the program ended with exit code 1"),
        (_Board(_LOG, Outcome.TIME_LIMIT, None, "no end in 9 s"), "time limit: no end in 9 s"),
        (_Board(_LOG, Outcome.NO_EXIT_CODE, None, "it is missing"), "no exit code: it is missing"),
    ],
)
def test_anything_else_is_an_error_and_leaves_no_result(
    board: _Board, message: str, run: Callable[[_Board], RunBoard], tmp_path: Path
) -> None:
    with pytest.raises(EthosmithError) as caught:
        run(board)
    assert str(caught.value) == message
    assert not (tmp_path / "result.json").exists()


def test_a_device_cannot_control_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    board = _Board(b"a\x1b]0;title\x07b\xe2\x80\xaec\n", Outcome.EXITED, 0)
    monkeypatch.setattr("ethosmith.verify.simulator.choose_simulator", lambda *_, **__: board)
    result = tmp_path / "result.json"
    RunBoard(axf=tmp_path / "x.axf", npu="ethos-u55-128", result=result).run()
    assert capfdbinary.readouterr().out == b"a<U+001B>]0;title<U+0007>b<U+202E>c\n"
