# SPDX-License-Identifier: Apache-2.0
"""Samples of several windows: read from the log, and compared with the host's."""

from __future__ import annotations

from typing import Any

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.verify.uart_log import DeviceSample, read_log
from ethosmith.verify.verdict import verdicts

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
    "ran: 2 samples",
]
HOST: list[dict[str, Any]] = [
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


def compare(
    device: list[DeviceSample],
    host: list[dict[str, Any]],
    expect: dict[str, str],
    expect_times: dict[str, list[dict[str, Any]]] | None = None,
) -> list[str]:
    """Return what the verdicts say is wrong."""
    found = verdicts(device, host, expect, expect_times or {})
    return [f"{one.sample}: {problem}" for one in found for problem in one.problems]


def test_windows_belong_to_the_sample_behind_them() -> None:
    talk, word = read_log("\n".join(LOG))
    # Boards end lines with CR LF, simulators with LF.
    assert read_log("\r\n".join([*LOG, ""])) == [talk, word]
    assert talk.tensors == ["0a0b", "01", "0c0d", "02"]
    assert [window["npu_cycles"] for window in talk.windows] == [10, 10]
    assert talk.counts["npu_cycles"] == 20
    assert (word.windows, word.tensors) == ([], ["0e0f"])
    assert compare([talk, word], HOST, {"talk": "close the door", "word": "yes"}) == []


def test_a_difference_names_its_window_and_output() -> None:
    log = "\n".join(LOG).replace("1x2 0c0d", "1x2 0cff")
    assert compare(read_log(log), HOST, {}) == [
        "talk: window 1, output 0 differs from the host's in 1 of 2 bytes;"
        " first at 1: 0xff, host 0x0d"
    ]


@pytest.mark.parametrize("missing", range(len(LOG)))
def test_no_line_can_be_missing_unnoticed(missing: int) -> None:
    lines = [line for index, line in enumerate(LOG) if index != missing]
    try:
        problems = compare(read_log("\n".join(lines)), HOST, {})
    except EthosmithError:
        return
    assert problems


_TIMES = [
    {"label": "yes", "from_s": 1.0, "to_s": 1.4},
    {"label": "turn off", "from_s": 2.0, "to_s": 3.0},
]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("yes@1.00s turn off@3.00s", None),
        ("yes@0.99s turn off@2.50s", "says 'yes' at 0.99 s, expected from 1.00 s to 1.40 s"),
        ("yes@1.20s turn off@3.01s", "says 'turn off' at 3.01 s, expected from 2.00 s to 3.00 s"),
        ("yes@1.20s", "says 'yes@1.20s', expected 'yes@… turn off@…'"),
        ("turn off@1.20s yes@2.50s", "says 'turn off@1.20s yes@2.50s', expected"),
        ("yes@1.20s turn off@2.50s no@4.00s", "expected 'yes@… turn off@…'"),
        ("yes@1.20s turn off@2.50s ", "expected 'yes@… turn off@…'"),
        ("yes", "says 'yes', expected 'yes@… turn off@…'"),
        ("", "says '', expected 'yes@… turn off@…'"),
    ],
)
def test_labels_are_expected_in_order_and_in_time(answer: str, problem: str | None) -> None:
    log = "\n".join(LOG).replace("close the door", answer)
    host = [{**HOST[0], "answer": answer}, HOST[1]]
    found = compare(read_log(log), host, {}, {"talk": _TIMES})
    assert len(found) == (problem is not None)
    assert (problem or "") in "".join(found)


def test_a_clip_in_which_nothing_may_be_heard() -> None:
    host = [{**HOST[0], "answer": ""}, HOST[1]]
    log = "\n".join(LOG)
    assert compare(read_log(log.replace("close the door", "")), host, {}, {"talk": []}) == []
    host[0]["answer"] = "yes@1.00s"
    found = compare(read_log(log.replace("close the door", "yes@1.00s")), host, {}, {"talk": []})
    assert found == ["talk: equal to the host, but wrong: says 'yes@1.00s', expected ''"]
