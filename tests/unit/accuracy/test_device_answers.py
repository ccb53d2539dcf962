# SPDX-License-Identifier: Apache-2.0
"""The device's answers are those of its log, to the samples that it was given, or an error."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from ethosmith.accuracy.samples_window import Window
from ethosmith.accuracy.set_file import Item
from ethosmith.core.accelerators import parse_accelerator
from ethosmith.core.errors import EthosmithError
from ethosmith.steps.answer_on_device import Device, device_answers
from open_board.job import BoardJob, BoardResult, Outcome, UartSink, discard

_WINDOW = Window("DDR", 0x7800_0000, 1 << 16)
_ITEMS = [Item(f"item-{index}", "yes", bytes([index])) for index in range(20)]


def _names(job: BoardJob) -> list[str]:
    """Return the names in the window, found as the firmware finds them."""
    (file,) = job.data
    data = file.path.read_bytes()
    rows = (struct.unpack_from("<4I", data, 16 + 16 * row) for row in range(data[0]))
    starts = [name - file.address for name, *_ in rows]
    return [data[start : data.index(b"\0", start)].decode() for start in starts]


def _log(names: list[str]) -> str:
    lines = [
        f'sample {n}: answer="no" score=0.5000\ntensor {n} 0 int8 1x2 80{7:02x}' for n in names
    ]
    return "\n".join([*lines, f"ran: {len(names)} samples\n"])


class _Board:
    """Says what ``log`` makes of the samples' names."""

    name = "a board"

    def __init__(self, log: Callable[[list[str]], str] = _log, **result: object) -> None:
        self._log, self._result = log, {"outcome": Outcome.EXITED, "exit_code": 0, **result}
        self.runs: list[list[str]] = []

    def run(self, job: BoardJob, uart_sink: UartSink = discard) -> BoardResult:
        del uart_sink
        self.runs.append(_names(job))
        uart = self._log(self.runs[-1]).encode()
        return BoardResult(simulator=self.name, uart=uart, **self._result)  # type: ignore[arg-type]


def _device(board: _Board) -> Device:
    return Device(board, Path("a.axf"), parse_accelerator("ethos-u55-128"), _WINDOW, 5.0)


def test_every_item_is_run_once_and_answered_by_the_log() -> None:
    board = _Board()
    answers = device_answers(_device(board), _ITEMS)
    assert [name for run in board.runs for name in run] == [item.name for item in _ITEMS]
    assert len(board.runs) > 1
    assert [answer.name for answer in answers.items] == [item.name for item in _ITEMS]
    assert {(answer.answer, answer.score) for answer in answers.items} == {("no", "0.5000")}
    assert answers.items[0].outputs_sha256 == hashlib.sha256(b"\x80\x07").hexdigest()
    assert answers.simulator["name"] == "a board"


@pytest.mark.parametrize(
    ("board", "wanted"),
    [
        (_Board(lambda _: "ran: 0 samples\n"), "given 8 samples from 'item-0' on and reported"),
        (_Board(lambda names: _log(names[::-1])), "given 8 samples from 'item-0' on and reported"),
        (_Board(lambda _: "fail: no NPU\n", exit_code=1), "a.axf: fail: no NPU"),
        (_Board(lambda _: "", outcome=Outcome.LOCK_UP, reason="at 0"), "a.axf: lock-up: at 0"),
        (
            _Board(outcome=Outcome.TIME_LIMIT, reason="no end", exit_code=None),
            "a.axf: no end; give more with time_limit_s=",
        ),
    ],
)
def test_a_run_that_does_not_answer_is_an_error(board: _Board, wanted: str) -> None:
    with pytest.raises(EthosmithError) as caught:
        device_answers(_device(board), _ITEMS)
    assert wanted in str(caught.value)
