# SPDX-License-Identifier: Apache-2.0
"""A table has a row each while there is room for it, and never breaks a cell."""

from __future__ import annotations

import pytest

from ethosmith.core.table import cut_to_room, note, table
from ethosmith.core.terminal import Look

_TERMINAL = Look(live=True, colour=False)
_HEAD = ("name", "cycles")
_ROWS = [("ethos-u55-128", "1,234"), ("[bold]", "5")]


def test_rows_where_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    expected = "name           cycles\nethos-u55-128   1,234\n[bold]              5\n"
    assert table(_HEAD, _ROWS, {"cycles"}, _TERMINAL) == expected


def test_columns_where_there_is_none_and_stacks_where_these_do_not_fit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    expected = "name    ethos-u55-128\ncycles          1,234\n\nname    [bold]\ncycles       5\n"
    assert table(_HEAD, _ROWS, {"cycles"}, _TERMINAL) == expected
    assert note("two words of a text", _TERMINAL) == "two words of a text\n"
    assert note("more words than a line has", _TERMINAL).splitlines()[0] == "more words than a"


def test_what_is_two_columns_wide_is_counted_so_and_not_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = table(_HEAD, [("kws@\u540d\u524d", "1"), ("\u00fc", "2")], {"cycles"}, _TERMINAL)
    assert text.splitlines() == [
        "name      cycles",
        "kws@\u540d\u524d       1",
        "\u00fc              2",
    ]


def test_of_a_last_cell_that_is_too_long_its_end_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    rows = [("1", "model/conv2d/last_part"), ("22", "short")]
    assert cut_to_room(rows, Look(live=False, colour=False), 2) == [list(row) for row in rows]
    # Two columns before each line, two of a number, two between: fourteen are left.
    cut = [["1", "\u2026v2d/last_part"], ["22", "short"]]
    assert cut_to_room(rows, _TERMINAL, 2) == cut
