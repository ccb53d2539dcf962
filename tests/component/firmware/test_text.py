# SPDX-License-Identifier: Apache-2.0
"""Text without printf: the same digits as C's and Python's own formatting."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest

from tests.support.firmware.compile import program, say


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("text") / "text"
    return program(output, "text_harness.c", ["support/text.c"])


def _float(bits: int) -> float:
    return float(struct.unpack("<f", struct.pack("<I", bits))[0])


def test_scores_are_rounded_as_printf_rounds_them(text: Path) -> None:
    chance = random.Random(4)  # noqa: S311 - a fixed sequence is wanted
    ties = [k / 2**n for n in range(1, 24) for k in range(1, 64, 2)]
    edges = [0.0, -0.0, 0.99995, 0.999949, 0.00005, 1e-30, 1e-45, 2.0**39, -1.5, 255 / 256]
    drawn = [_float(chance.getrandbits(23) | chance.randint(90, 165) << 23) for _ in range(5000)]
    values = [v for v in (*ties, *edges, *drawn, *(-v for v in drawn)) if abs(v) < 2.0**40]
    singles = struct.unpack(f"<{len(values)}f", struct.pack(f"<{len(values)}f", *values))
    lines = say(text, struct.pack(f"<{len(values)}f", *values), "fixed4")
    assert lines == [f"{value:.4f}" for value in singles]


def test_what_is_no_number_is_said_so(text: Path) -> None:
    values = struct.pack("<5f", float("nan"), float("inf"), float("-inf"), 2.0**40, -(2.0**41))
    assert say(text, values, "fixed4") == ["nan", "inf", "-inf", "inf", "-inf"]


def test_integers_at_their_limits(text: Path) -> None:
    values = [0, 9, 10, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1]
    expected = [f"{v} {v - 2**64 if v >= 2**63 else v} {v & 0xFFFFFFFF:08x}" for v in values]
    assert say(text, struct.pack("<8Q", *values), "number") == expected


def test_a_full_buffer_is_terminated_and_marked(text: Path) -> None:
    assert say(text, b"") == [" 1", "a 1", "ab 1", "abc 1", "abcd 0", "abcd 0"]
