# SPDX-License-Identifier: Apache-2.0
"""Why a file was made: the option, version, code or input that differs, with both values."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ethosmith.graph.engine import Facts
from ethosmith.graph.why import (
    ALWAYS,
    GONE,
    NOT_KNOWN,
    Making,
    Makings,
    differences,
    last_causes,
    report,
)

_FACTS = Facts("vela", {"npu": "ethos-u55-128"}, {"numpy": "2.1"}, {"ethosmith.core": "aa"})
_MAKING = Making.by_step({"a.tflite": "1" * 64}, _FACTS)


@pytest.mark.parametrize(
    ("new", "line"),
    [
        (
            Making.by_step(_MAKING.inputs, replace(_FACTS, options={"npu": "ethos-u55-64"})),
            "option npu changed: ethos-u55-128 -> ethos-u55-64",
        ),
        (
            Making.by_step(_MAKING.inputs, replace(_FACTS, packages={"numpy": "2.2"})),
            "package numpy changed: 2.1 -> 2.2",
        ),
        (
            Making.by_step(_MAKING.inputs, replace(_FACTS, code={})),
            "code ethosmith.core is gone (it was aa)",
        ),
        (
            Making.by_step({"a.tflite": "2" * 64}, _FACTS),
            "input a.tflite changed: 111111111111 -> 222222222222",
        ),
    ],
)
def test_one_difference_is_one_line_with_both_values(new: Making, line: str) -> None:
    assert differences(_MAKING, new) == [line]


def test_words_of_a_command_are_named() -> None:
    old, new = Making({}, "gcc -O2 -c a.c"), Making({}, "gcc -O3 -g -c a.c")
    assert differences(old, new) == ["the command lost: -O2", "the command gained: -O3 -g"]
    assert differences(old, old) == []
    assert differences(None, new) == [NOT_KNOWN]


def test_causes_are_followed_to_what_changed_first(tmp_path: Path) -> None:
    path = tmp_path / "made.json"
    first = Makings(path)
    for name, inputs in (("b.c", {}), ("b.o", {"b.c": "1"}), ("b.axf", {"b.o": "1"})):
        first.note(name, Making(inputs, command="x"))
    first.save()

    second = Makings(path)
    second.note("b.c", Making({}, command="y"))
    second.note("b.o", Making({"b.c": "2"}, command="x"))
    second.note("b.axf", Making({"b.o": "2"}, command="x"))
    second.save()

    causes = last_causes(Makings(path), "b.axf")
    assert causes == [("b.c", "the command lost: x"), ("b.c", "the command gained: y")]
    assert list(report(causes)) == [
        "  the command lost: x",
        "      -> b.c",
        "  the command gained: y",
        "      -> b.c",
    ]


def test_without_a_difference_there_is_a_reason_too(tmp_path: Path) -> None:
    makings = Makings(tmp_path / "made.json")
    for is_always, cause in ((False, GONE), (True, ALWAYS)):
        makings.note("a.o", Making({}))
        makings.note("a.o", Making({}), is_always=is_always)
        assert last_causes(makings, "a.o") == [("a.o", cause)]


@pytest.mark.parametrize("damage", ["", "[]", '{"a": 1}', '{"a": {"making": {"x": 1}}}'])
def test_a_damaged_memory_is_as_none(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "made.json"
    path.write_text(damage)
    assert last_causes(Makings(path), "a") == []
