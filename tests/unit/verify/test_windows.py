# SPDX-License-Identifier: Apache-2.0
"""Samples of several windows: read from the log, and compared with the host's."""

from __future__ import annotations

import pytest

from ethosmith.errors import EthosmithError
from ethosmith.verify.compare import compare
from ethosmith.verify.uart_log import read_log

COUNTS = "npu_cycles=10 npu_active=9 axi0_rd=3 axi0_wr=2 axi1_rd=1"
SUM = "npu_cycles=20 npu_active=18 axi0_rd=6 axi0_wr=4 axi1_rd=2"
LOG = [
    f"window talk 0: {COUNTS}",
    "tensor talk 0 int8 1x2 0a0b",
    "tensor talk 1 int8 1x1 01",
    f"window talk 1: {COUNTS}",
    "tensor talk 0 int8 1x2 0c0d",
    "tensor talk 1 int8 1x1 02",
    f'sample talk: answer="close the door" score=0.5000 windows=2 {SUM}',
    f'sample word: answer="yes" score=1.0000 {COUNTS}',
    'top word "yes"=1.0000 "no"=0.0000',
    "tensor word 0 int8 1x2 0e0f",
    "pass: 2 samples",
]
HOST = [
    {
        "name": "talk",
        "answer": "close the door",
        "score": "0.5000",
        "tensors": ["0a0b", "01", "0c0d", "02"],
    },
    {
        "name": "word",
        "answer": "yes",
        "score": "1.0000",
        "ranked": '"yes"=1.0000 "no"=0.0000',
        "tensors": ["0e0f"],
    },
]


def test_windows_belong_to_the_sample_behind_them() -> None:
    talk, word = read_log("\n".join(LOG))
    assert talk.tensors == ["0a0b", "01", "0c0d", "02"]
    assert [window["npu_cycles"] for window in talk.windows] == [10, 10]
    assert talk.counts["npu_cycles"] == 20
    assert (word.windows, word.tensors) == ([], ["0e0f"])
    assert compare("use", [talk, word], HOST, {"talk": "close the door", "word": "yes"}) == []


def test_a_difference_names_its_window_and_output() -> None:
    log = "\n".join(LOG).replace("1x2 0c0d", "1x2 0cff")
    assert compare("use", read_log(log), HOST, {}) == [
        "use/talk: window 1, output 0 differs from the host's in 1 of 2 bytes;"
        " first at 1: 0xff, host 0x0d"
    ]


@pytest.mark.parametrize("missing", range(len(LOG)))
def test_no_line_can_be_missing_unnoticed(missing: int) -> None:
    lines = [line for index, line in enumerate(LOG) if index != missing]
    try:
        problems = compare("use", read_log("\n".join(lines)), HOST, {})
    except EthosmithError:
        return
    assert problems
