# SPDX-License-Identifier: Apache-2.0
"""What an application logs is one printable line of bounded length, and there is an end to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.firmware.compile import program, say

_SOURCES = ("support/log_line.c", "support/format.c", "support/text.c")


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return program(tmp_path_factory.mktemp("log") / "log", "log_harness.c", _SOURCES)


def test_a_line_has_its_level_and_is_the_only_one(harness: Path) -> None:
    *lines, cut = say(harness, b"")
    assert lines == [
        "log error: sample at -3, 0.5000 of 5000000000, 400",
        "log info: evaluated 0",
        "log warning: a ran: 6 samples [2J ",
    ]
    assert cut.startswith("log warning: xxx")
    assert cut.endswith("x...")
    assert len(cut) == 160 - 1 + len("...")


def test_more_lines_than_anybody_reads_are_left_out(harness: Path) -> None:
    lines = say(harness, b"", "5000")
    assert lines[:1000] == [f"log info: line {number}" for number in range(1000)]
    assert lines[1000:] == ["log warning: too many lines; the rest is left out"]
