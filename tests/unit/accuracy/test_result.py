# SPDX-License-Identifier: Apache-2.0
"""Limits are broken by what is worse, in the metric's own direction, and by nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from ethosmith.accuracy.result import MeasuredSet, broken_limits, losses_of, values_of
from ethosmith.accuracy.set_file import Answers, Item, ItemAnswer, write_answers, write_set
from ethosmith.accuracy.table import table_text
from ethosmith.core.errors import EthosmithError
from ethosmith.core.terminal import Look

_LIMITS = {"minimum": 0.9, "max_drop.int8": 0.02, "max_drop.device": 0.0}


def _broken(metric: str, limits: dict[str, float], *values: float) -> list[str]:
    columns = ("float", "int8", "device")[3 - len(values) :]
    named = dict(zip(columns, values, strict=True))
    return [one.limit for one in broken_limits(limits, named, losses_of(metric, named))]


def test_limits_of_a_metric_of_which_more_is_better() -> None:
    assert _broken("top1", _LIMITS, 0.92, 0.9, 0.9) == []
    assert _broken("top1", _LIMITS, 0.93, 0.9, 0.91) == ["max_drop.int8"]
    assert _broken("top1", _LIMITS, 0.9, 0.9, 0.89) == ["minimum", "max_drop.device"]


def test_limits_of_a_metric_of_which_less_is_better() -> None:
    limits = {"maximum": 0.2, "max_drop.int8": 0.02, "max_drop.device": 0.0}
    assert _broken("word_error_rate", limits, 0.18, 0.2, 0.2) == []
    assert _broken("word_error_rate", limits, 0.18, 0.21, 0.1) == ["max_drop.int8"]
    assert _broken("word_error_rate", limits, 0.2, 0.2, 0.25) == ["maximum", "max_drop.device"]


def test_without_a_float_network_only_its_drop_is_not_checked() -> None:
    assert _broken("top1", _LIMITS, 0.9, 0.8) == ["minimum", "max_drop.device"]


def test_answers_to_another_set_are_refused(tmp_path: Path) -> None:
    write_set(tmp_path / "set.zip", [Item("a", "yes", b"")])
    write_answers(tmp_path / "answers.json", Answers((ItemAnswer("b", "yes", "1.0", ""),)))
    found = MeasuredSet([tmp_path / "set.zip"], {"device": [tmp_path / "answers.json"]})
    with pytest.raises(EthosmithError, match="the device answers are those of another"):
        values_of("top1", (), found)


def test_the_table_has_plain_words_where_nothing_else_is_shown() -> None:
    result = {
        "usecase": "kws",
        "configuration": "ethos-u55-128 Shared_Sram",
        "metric": "top1",
        "set": {"items": 4},
        "simulator": {"name": "open board", "version": "1"},
        "values": {"int8": 0.75, "device": 0.5},
        "drops": {"device": 0.25},
        "device_outputs_equal_int8": 3,
        "limits": _LIMITS,
        "broken": [{"limit": "minimum", "allowed": 0.9, "value": 0.5}],
        "notes": ["a small set"],
    }
    head, row, *notes = table_text([result], Look(live=False, colour=False)).splitlines()
    assert head.split()[:5] == ["use", "case", "metric", "items", "float"]
    assert row.split()[1:8] == ["top1", "4", "-", "0.7500", "0.5000", "-", "0.2500"]
    assert row.endswith("min 0.9; drops 0.02, 0  FAIL")
    assert notes == [
        "Device: the firmware for ethos-u55-128 Shared_Sram on: open board 1.",
        "kws on ethos-u55-128 Shared_Sram: the device's output tensors equal the host's in 3 of 4"
        " items only.",
        "kws: a small set",
    ]
    other = {**result, "configuration": "ethos-u55-64 Shared_Sram"}
    assert "ethos-u55-64" in table_text([result, other], Look(live=False, colour=False))


def test_a_narrow_terminal_cuts_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    result = {
        "usecase": "inference_runner",
        "configuration": "ethos-u55-128 Shared_Sram",
        "metric": "word_error_rate",
        "set": {"items": 10000},
        "simulator": {"name": "FVP", "version": ""},
        "values": {"float": 0.1234, "int8": 0.2345, "device": 0.3456},
        "drops": {"int8": 0.1111, "device": 0.1112},
        "device_outputs_equal_int8": 10000,
        "limits": {"maximum": 0.25, "max_drop.int8": 0.03, "max_drop.device": 0.0},
        "broken": [],
        "notes": [],
    }
    text = table_text([result], Look(live=True, colour=False))
    for cell in ("10000", "0.1234", "0.2345", "0.3456", "0.1112", "pass"):
        assert cell in text.split()
    assert max(map(len, text.splitlines())) <= 80
