# SPDX-License-Identifier: Apache-2.0
"""NAME_accuracy.json: the values of float, int8 and device, the losses, and the verdict."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from ethosmith.accuracy.metrics import loss, measured
from ethosmith.accuracy.set_file import Answers, Item, ItemAnswer, read_answers, read_set
from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import sha256_of, write_text
from ethosmith.steps.step import Input, OptionalInput, Output, Step, step

COLUMNS = ("float", "int8", "device")
# A loss that is its limit to the last bits of a double keeps it.
_ROUNDING = 1e-9
_DIGITS = 6


@step(verb="ACCURACY")
class JudgeAccuracy(Step):
    """Judge the accuracy of float network, int8 network and device against the limits.

    Attributes:
        usecase: its name, for people.
        configuration: NPU and memory mode, for people.
        metric: ``top1``, ``auc`` or another of the descriptor's metrics.
        limits: values by key below ``accuracy`` in the descriptor, such as ``max_drop.int8``.
        classes: for ``auc``: the low and the high one.
        notes: printed below the table.
        evaluation_set: of the step collect-evaluation-set.
        float_answers: of the float network, if there is one.
        int8_answers: of the int8 network on the host.
        device_answers: of the device.
        output: values, drops, broken limits and answers, JSON.
    """

    usecase: str
    configuration: str
    metric: str
    limits: Mapping[str, float]
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    evaluation_set: Input
    float_answers: OptionalInput = None
    int8_answers: Input
    device_answers: Input
    output: Output

    def run(self) -> None:
        """Measure, compare with the limits and write the result."""
        columns = {name: read_answers(path) for name, path in self._columns().items()}
        items = read_set(self.evaluation_set)
        values = judged(self.metric, self.classes, items, columns, self.limits)
        result = {
            "usecase": self.usecase,
            "configuration": self.configuration,
            "metric": self.metric,
            "set": {"items": len(items), "sha256": sha256_of(self.evaluation_set)},
            "notes": list(self.notes),
            **values,
        }
        write_text(self.output, json.dumps(result, indent=1) + "\n")

    def _columns(self) -> dict[str, Path]:
        given = {
            "float": self.float_answers,
            "int8": self.int8_answers,
            "device": self.device_answers,
        }
        return {name: path for name, path in given.items() if path is not None}


@dataclass(frozen=True)
class Broken:
    """A limit that the values break.

    Attributes:
        limit: its key below ``accuracy`` in the descriptor, with dots.
        allowed: its value.
        value: what was measured.
    """

    limit: str
    allowed: float
    value: float


def values_of(
    metric: str,
    classes: Sequence[str],
    items: Sequence[Item],
    columns: Mapping[str, Answers],
) -> dict[str, float]:
    """Return each column's value of the metric.

    Raises:
        EthosmithError: the set does not suit the metric, or a column answers to other items.
    """
    wanted = [item.expect for item in items]
    values = {}
    for name, answers in columns.items():
        if [answer.name for answer in answers.items] != [item.name for item in items]:
            raise EthosmithError(f"the {name} answers are those of another evaluation set")
        said = [(answer.answer, float(answer.score)) for answer in answers.items]
        values[name] = round(measured(metric, said, wanted, classes), _DIGITS)
    return values


def losses_of(metric: str, values: Mapping[str, float]) -> dict[str, float]:
    """Return by how much each column is worse than the one before it, by its name."""
    present = [name for name in COLUMNS if name in values]
    return {
        after: round(loss(metric, values[before], values[after]), _DIGITS)
        for before, after in pairwise(present)
    }


def broken_limits(
    limits: Mapping[str, float], values: Mapping[str, float], losses: Mapping[str, float]
) -> list[Broken]:
    """Return the limits that are broken, in the order of ``limits``.

    Args:
        limits: ``minimum`` and ``maximum`` of the device's value, and ``max_drop.int8`` and
            ``max_drop.device`` of the losses; each may be missing.
        values: by column.
        losses: by column; without a float network there is none for int8.
    """
    found = []
    for limit, allowed in limits.items():
        column = limit.removeprefix("max_drop.")
        value = values["device"] if column == limit else losses.get(column)
        if value is None:
            continue
        excess = allowed - value if limit == "minimum" else value - allowed
        if excess > _ROUNDING:
            found.append(Broken(limit, allowed, value))
    return found


def _rows(items: Sequence[Item], columns: Mapping[str, Answers]) -> list[dict[str, Any]]:
    return [
        {
            "name": item.name,
            "expect": item.expect,
            **{name: _said(answers.items[index]) for name, answers in columns.items()},
        }
        for index, item in enumerate(items)
    ]


def _said(answer: ItemAnswer) -> dict[str, str]:
    return {"answer": answer.answer, "score": answer.score}


def _equal_outputs(columns: Mapping[str, Answers]) -> int:
    pairs = zip(columns["int8"].items, columns["device"].items, strict=True)
    return sum(one.outputs_sha256 == other.outputs_sha256 for one, other in pairs)


def judged(
    metric: str,
    classes: Sequence[str],
    items: Sequence[Item],
    columns: Mapping[str, Answers],
    limits: Mapping[str, float],
) -> dict[str, Any]:
    """Return values, losses, verdict and answers as plain data.

    Args:
        metric: the descriptor's.
        classes: for ``auc``: low, high.
        items: the evaluation set.
        columns: the answers of `COLUMNS`; those of ``float`` may be missing.
        limits: as of `broken_limits`.

    Raises:
        EthosmithError: as `values_of`.
    """
    values = values_of(metric, classes, items, columns)
    losses = losses_of(metric, values)
    return {
        "simulator": columns["device"].simulator,
        "values": values,
        "drops": losses,
        "device_outputs_equal_int8": _equal_outputs(columns),
        "limits": dict(limits),
        "broken": [asdict(one) for one in broken_limits(limits, values, losses)],
        "answers": _rows(items, columns),
    }
