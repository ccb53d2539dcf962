# SPDX-License-Identifier: Apache-2.0
"""`diff` compares with another build, says what got worse, and what does not compare."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.report.diff import ImageDiff, github_text, json_text, table_text
from ethosmith.report.history import MAX_ENTRIES, Entry, History, read_baseline

_BEFORE = Entry(
    image="fvp/ethos-u55-128-shared_sram/kws",
    revision="0123456789abcdef0123456789abcdef01234567",
    axf_sha256="aa",
    simulator="open board 7.2",
    figures={"flash_bytes": 1000, "ram_bytes": 500, "npu_cycles": 2000, "accuracy.top1": 0.9},
    answers={"yes": "yes", "gone": "no"},
)
_NOW = replace(
    _BEFORE,
    revision="",
    axf_sha256="bb",
    figures={"flash_bytes": 1010, "ram_bytes": 500, "npu_cycles": 1000, "accuracy.top1": 0.8},
    answers={"yes": "no", "new": "yes"},
)


def test_each_figure_is_shown_with_its_change() -> None:
    shown = table_text([ImageDiff(_NOW, _BEFORE)], "the build before").splitlines()
    assert shown[0] == "Compared with the build before:"
    assert "  before: commit 0123456789ab" in shown
    words = [" ".join(line.split()) for line in shown]
    assert "flash bytes 1,000 1,010 +10 +1.00 %" in words
    assert "NPU cycles 2,000 1,000 -1,000 -50.00 %" in words
    assert "accuracy, top1 0.9000 0.8000 -0.1000 -11.11 %" in words
    assert not any("RAM" in line for line in shown)
    assert "  answer to yes: yes -> no" in shown
    assert "  answer to gone: no -> (no such sample)" in shown
    assert max(map(len, shown)) <= 80


def test_more_bytes_and_less_accuracy_are_worse() -> None:
    diff = ImageDiff(_NOW, _BEFORE)
    verdicts = {change.figure: change.is_worse for change in diff.changes if change.difference}
    assert verdicts == {"flash_bytes": True, "npu_cycles": False, "accuracy.top1": True}
    fewer_errors = ImageDiff(
        replace(_NOW, figures={"accuracy.word_error_rate": 0.1}),
        replace(_BEFORE, figures={"accuracy.word_error_rate": 0.2}),
    )
    assert [change.is_worse for change in fewer_errors.changes] == [False]


def test_another_simulator_is_pointed_out() -> None:
    shown = table_text([ImageDiff(replace(_NOW, simulator="FVP 11"), _BEFORE)], "x")
    assert "before it ran on open board 7.2, now on FVP 11" in shown


def test_a_figure_that_is_new_has_no_change() -> None:
    (change,) = ImageDiff(replace(_NOW, figures={"n": 3}), replace(_BEFORE, figures={})).changes
    assert (change.difference, change.percent, change.is_worse) == (None, None, False)
    from_nothing = ImageDiff(replace(_NOW, figures={"n": 3}), replace(_BEFORE, figures={"n": 0}))
    assert from_nothing.changes[0].percent is None


def test_notes_for_github_are_escaped() -> None:
    now = replace(_NOW, image="a,b:c", answers={"yes": "100 %\n::error::x", "gone": "no"})
    notes = github_text([ImageDiff(now, _BEFORE)]).splitlines()
    assert notes[0] == "::warning title=a%2Cb%3Ac::flash bytes: 1,000 -> 1,010 (+10, +1.00 %25)"
    assert notes[1].startswith("::notice title=a%2Cb%3Ac::NPU cycles")
    assert notes[3].endswith("::answer to yes: yes -> 100 %25%0A::error::x")
    assert len(notes) == 4


def test_a_document_of_a_diff_is_a_baseline() -> None:
    text = json_text([ImageDiff(_NOW, _BEFORE)], "the build before")
    assert read_baseline(text.encode(), "base.json") == {_NOW.image: _NOW}
    (image,) = json.loads(text)["images"]
    assert [change["figure"] for change in image["changes"]] == [
        "flash_bytes",
        "npu_cycles",
        "accuracy.top1",
    ]


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"[]", b"{}", b'{"schema": 2, "images": []}', b"\xff", b"[" * 100_000),
        b'{"schema": 1, "images": [{"now": {"figures": {"a": "b"}}}]}',
    ],
    ids=lambda text: text[:20].decode("latin-1"),
)
def test_what_is_no_baseline_is_refused(text: bytes) -> None:
    with pytest.raises(EthosmithError, match=r"base\.json: not a baseline"):
        read_baseline(text, "base.json")


def test_the_build_before_is_the_last_that_differs(tmp_path: Path) -> None:
    history = History(tmp_path)
    assert history.before(_NOW) is None
    history.add(_BEFORE)
    history.add(_NOW)
    history.add(_NOW)
    assert history.before(_NOW) == _BEFORE
    assert history.before(_BEFORE) == _NOW
    assert len(history.entries(_NOW.image)) == 2


def test_what_is_measured_later_belongs_to_the_same_build(tmp_path: Path) -> None:
    history = History(tmp_path)
    without = {name: value for name, value in _NOW.figures.items() if "accuracy" not in name}
    history.add(_BEFORE)
    history.add(_NOW)
    history.add(replace(_NOW, figures=without, revision="ff"))
    assert history.entries(_NOW.image) == [_BEFORE, replace(_NOW, revision="ff")]


def test_a_build_is_found_by_its_commit(tmp_path: Path) -> None:
    history = History(tmp_path)
    history.add(_BEFORE)
    history.add(_NOW)
    assert history.at_revision(_NOW.image, _BEFORE.revision) == _BEFORE
    assert history.at_revision(_NOW.image, "ff") is None


def test_the_history_is_bounded_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    history = History(tmp_path)
    file = tmp_path / f"{_NOW.image}.jsonl"
    history.add(_NOW)
    file.write_text(file.read_text() * (MAX_ENTRIES + 5))
    history.add(_BEFORE)
    assert len(history.entries(_NOW.image)) == MAX_ENTRIES
    file.write_text("{}\n")
    with pytest.raises(
        EthosmithError, match=r"kws\.jsonl: damaged, or another version's; remove it"
    ):
        history.before(_NOW)
