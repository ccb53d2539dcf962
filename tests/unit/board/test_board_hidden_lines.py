# SPDX-License-Identifier: Apache-2.0
"""Hidden lines of the UART: only those, however the bytes come, and no line is lost."""

from __future__ import annotations

import pytest

from open_board.hidden_lines import without_lines

_TEXT = b"tensor a 1\nsample a: yes\ntensors\nwindow a 0:\ntensor\n\nhangs here"
_SHOWN = b"sample a: yes\ntensors\n\nhangs here"


@pytest.mark.parametrize("size", [1, 3, len(_TEXT)])
def test_lines_are_hidden_by_their_first_word(size: int) -> None:
    shown: list[bytes] = []
    with without_lines(["tensor", "window"], shown.append) as sink:
        for at in range(0, len(_TEXT), size):
            sink(_TEXT[at : at + size])
    assert b"".join(shown) == _SHOWN


def test_without_words_bytes_are_shown_as_they_come() -> None:
    shown: list[bytes] = []
    with without_lines([], shown.append) as sink:
        sink(b"no line en")
        assert shown == [b"no line en"]
