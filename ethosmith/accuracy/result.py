# SPDX-License-Identifier: Apache-2.0
"""NAME_accuracy.json: the three columns' values, the losses between them, and the verdict."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from ethosmith.accuracy.answers import Answers, ItemAnswer, read_answers
from ethosmith.accuracy.metrics import loss, measured
from ethosmith.accuracy.set_file import Item, read_set
from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import sha256_of, write_text
from ethosmith.core.program import run_step
from ethosmith.descriptors.accuracy import Metric

COLUMNS = ("float", "int8", "device")
# A loss that is its limit to the last bits of a double keeps it.
_ROUNDING = 1e-9
_DIGITS = 6


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
    metric: Metric,
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


def losses_of(metric: Metric, values: Mapping[str, float]) -> dict[str, float]:
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


def _result(options: argparse.Namespace) -> dict[str, Any]:
    items = read_set(options.set)
    given = {name: getattr(options, name) for name in COLUMNS}
    columns = {name: read_answers(path) for name, path in given.items() if path is not None}
    values = values_of(options.metric, options.classes, items, columns)
    losses = losses_of(options.metric, values)
    limits = json.loads(options.limits_json)
    broken = broken_limits(limits, values, losses)
    return {
        "usecase": options.usecase,
        "configuration": options.configuration,
        "metric": options.metric,
        "set": {"items": len(items), "sha256": sha256_of(options.set)},
        "simulator": columns["device"].simulator,
        "values": values,
        "drops": losses,
        "device_outputs_equal_int8": _equal_outputs(columns),
        "limits": limits,
        "broken": [asdict(one) for one in broken],
        "notes": options.note,
        "answers": _rows(items, columns),
    }


def main(argv: Sequence[str]) -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(prog="python -m ethosmith.accuracy.result")
    parser.add_argument("--usecase", required=True)
    parser.add_argument("--configuration", required=True, help="NPU and memory mode, for people")
    parser.add_argument("--metric", required=True)
    parser.add_argument("--classes", nargs="*", default=[], help="for auc: low, high")
    parser.add_argument("--limits-json", default="{}", help="value by key below accuracy")
    parser.add_argument("--note", action="append", default=[], help="printed below the table")
    parser.add_argument("--set", type=Path, required=True, help="of evaluation_set")
    for name in COLUMNS:
        parser.add_argument(f"--{name}", type=Path, required=name != "float", help="answers")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args(argv)
    write_text(options.output, json.dumps(_result(options), indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(run_step(main))
