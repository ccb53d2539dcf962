# SPDX-License-Identifier: Apache-2.0
"""Messages of TensorFlow Lite Micro are formatted without stdio; no format reads past its end."""

from __future__ import annotations

from pathlib import Path

from tests.support.firmware.compile import program, say


def test_formats_and_their_ends(tmp_path: Path) -> None:
    sources = ["support/format.c", "support/text.c"]
    lines = say(program(tmp_path / "format", "format_harness.c", sources), b"")
    assert lines == [
        "text -5 7 4000000000 x%",
        "2f 0 -5000000000 5000000000 9",
        "fedcba9876543210 100000000 89abcdef",
        # Width and precision are left out.
        "3|a|1.5000|10",
        "0.2500 -1.0000",
        "ends in ",
        "",
        "too lon",
    ]
