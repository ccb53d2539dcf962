# SPDX-License-Identifier: Apache-2.0
"""What a guest prints is shown on a terminal and never obeyed by it."""

from __future__ import annotations

from pathlib import Path

import pytest

from open_board.errors import BoardError
from open_board.files import write_bytes
from open_board.job import Outcome, RunError
from open_board.uart import MAX_OUTPUT_BYTES, UartWatch
from open_board.visible import Visible


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (b"plain \tline\r\n", "plain \tline\r\n"),
        ("größe".encode(), "größe"),
        (b"\x1b[2J\x07", "<U+001B>[2J<U+0007>"),
        ("\u009b31m\u202e".encode(), "<U+009B>31m<U+202E>"),
        (b"\xff", "\ufffd"),
    ],
)
def test_control_characters_are_shown_by_number(sent: bytes, shown: str) -> None:
    assert Visible().text(sent).decode() == shown


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (["::add-mask::x\n"], "<U+003A>:add-mask::x\n"),
        (["a\n \t::error::x"], "a\n \t<U+003A>:error::x"),
        (["a\n", " ", ":", ":error::x"], "a\n <U+003A>:error::x"),
        (["std::vector ::x\n"], "std::vector ::x\n"),
        (["a ##[group]b ##[c\n"], "a ##<U+005B>group]b ##<U+005B>c\n"),
        (["a #", "#[group]"], "a ##<U+005B>group]"),
        (["a ##", "[group]"], "a ##<U+005B>group]"),
        (["#", "#", "[group]"], "##<U+005B>group]"),
        (["a ##", "\n[group]"], "a ##\n[group]"),
    ],
)
def test_a_guest_commands_no_ci_runner(sent: list[str], shown: str) -> None:
    visible = Visible()
    assert b"".join(visible.text(part.encode()) for part in sent).decode() == shown


def test_a_character_in_two_pieces_is_one() -> None:
    visible = Visible()
    assert visible.text(b"\xc3") + visible.text(b"\xa9") == "é".encode()


def test_output_without_end_ends_the_run() -> None:
    uart = UartWatch()
    uart.feed(bytes(MAX_OUTPUT_BYTES))
    with pytest.raises(RunError, match="more than 16 MiB on the UART") as caught:
        uart.feed(b"\n")
    assert caught.value.outcome is Outcome.TOO_MUCH_OUTPUT


def test_a_device_is_not_replaced_by_a_result(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match="/dev/null: not a regular file"):
        write_bytes(Path("/dev/null"), b"")
    link = tmp_path / "link"
    link.symlink_to("/dev/null")
    with pytest.raises(BoardError, match="not a regular file"):
        write_bytes(link, b"")
