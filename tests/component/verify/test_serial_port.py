# SPDX-License-Identifier: Apache-2.0
"""A serial port, with a pseudo-terminal in its place: whatever goes wrong is told in one line."""

from __future__ import annotations

import os
import pty
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import serial

from ethosmith.core.errors import EthosmithError
from ethosmith.steps.monitor_board import MonitorBoard
from ethosmith.verify.serial_port import opened, read_run

_RUN = b"ethosmith: kws samples=1\r\nran: 1 samples\r\n\x04\x00"
_SILENCE_S = 1.5


class Board:
    """The other end of a pseudo-terminal."""

    def __init__(self) -> None:
        self._end, terminal = pty.openpty()
        tty.setraw(terminal)
        self.port = os.ttyname(terminal)
        # It stays open, so that the port can be opened several times.
        self._terminal: int | None = terminal

    def send(self, data: bytes) -> None:
        os.write(self._end, data)

    def unplug(self) -> None:
        os.close(self._end)
        self._end = -1

    def close(self) -> None:
        for end in (self._end, self._terminal):
            if end is not None and end >= 0:
                os.close(end)


@pytest.fixture
def board() -> Iterator[Board]:
    made = Board()
    yield made
    made.close()


@contextmanager
def later(action: Callable[[], None]) -> Iterator[None]:
    timer = threading.Timer(0.2, action)
    timer.start()
    yield
    timer.join()


def _received(board: Board, send: Callable[[], None]) -> tuple[bytes, bytes, bytes]:
    """Read a run while ``send`` sends it: what comes before the port is open is lost."""
    shown, notes = bytearray(), bytearray()
    with opened(board.port, 115200) as device:
        thread = threading.Thread(target=send)
        thread.start()
        try:
            data = read_run(device, _SILENCE_S, shown.extend, notes.extend)
        finally:
            thread.join()
    return data, bytes(shown), bytes(notes)


def test_a_run_is_read_to_its_exit_code(board: Board) -> None:
    data, shown, notes = _received(board, lambda: board.send(_RUN))
    assert (data, notes) == (_RUN, b"")
    assert shown == _RUN[:-2]


def test_the_end_of_an_earlier_run_is_not_taken_for_one(board: Board) -> None:
    rest = b"tensor no 0\r\nran: 1 samples\r\n\x04\x00"
    data, _, notes = _received(board, lambda: board.send(rest + _RUN))
    assert data == _RUN
    assert b"a run that had begun before; reset the board" in notes


def test_a_slow_board_is_waited_for_as_long_as_it_goes_on(board: Board) -> None:
    def send() -> None:
        for index in range(0, len(_RUN), 4):
            board.send(_RUN[index : index + 4])
            threading.Event().wait(0.4)

    assert _received(board, send)[0] == _RUN  # takes longer than the silence that is allowed


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        (b"", "no byte for 1.5 s; reset the board; is it the program's port? found: "),
        (_RUN[:30], "the run stopped: no byte for 1.5 s after 'ran:"),
        (b"Cmd> \r\n", "has no line 'ethosmith: …' among 2: is it another port's"),
        (b"\x80\xfe\xff" * 30, "most of them no text; was the port at the board's baud rate?"),
        (_RUN[40:50], "the beginning of the run is missing"),
    ],
)
def test_a_silent_board_is_given_up(board: Board, sent: bytes, problem: str) -> None:
    sent = b"tensor no 0 int8 1x4 00\r\n" if problem.startswith("the beginning") else sent
    with pytest.raises(EthosmithError) as error:
        _received(board, lambda: board.send(sent))
    assert problem in str(error.value)
    assert str(error.value).startswith(f"port={board.port}: ")


def test_a_board_that_is_unplugged_is_told_with_what_came(board: Board) -> None:
    def unplug() -> None:
        board.send(_RUN[:20])
        threading.Event().wait(0.3)
        board.unplug()

    with pytest.raises(EthosmithError) as error:
        _received(board, unplug)
    assert str(error.value) == (
        f"port={board.port}: gone; was the board unplugged? after 20 bytes of a run"
    )


def test_monitor_ends_when_the_board_is_unplugged(
    board: Board, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    def send() -> None:
        board.send(b"hello \x1b[2J\r\n")
        threading.Event().wait(0.3)
        board.unplug()

    with later(send), pytest.raises(EthosmithError, match="gone; was the board unplugged"):
        MonitorBoard(port=board.port, baud=115200).run()
    assert capfdbinary.readouterr().out == b"hello <U+001B>[2J\r\n"


def test_a_port_in_use_is_told(board: Board) -> None:
    with (
        serial.Serial(board.port, exclusive=True),
        pytest.raises(EthosmithError, match="another program has it open"),
        opened(board.port, 115200),
    ):
        pass


def test_what_is_no_port_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for name, problem in (
        (str(tmp_path / "none"), "there is no such port; found: "),
        (str(tmp_path / "file"), "is not a serial port; found: "),
        (str(tmp_path), "is not a serial port; found: "),
        ("/dev/null", "is not a serial port; found: "),
    ):
        with pytest.raises(EthosmithError) as error, opened(name, 115200):
            pass
        assert str(error.value).startswith(f"port={name}: {problem}")
