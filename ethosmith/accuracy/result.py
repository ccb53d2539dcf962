# SPDX-License-Identifier: Apache-2.0
"""NAME_accuracy.json: the values of float, int8 and device, the losses, and the verdict."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

from ethosmith.accuracy.metrics import loss, measured
from ethosmith.accuracy.set_file import (
    Answers,
    ItemAnswer,
    Label,
    items_of_set,
    labels_of_set,
    read_answers,
)
from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import parsing, read_start, sha256_of

COLUMNS = ("float", "int8", "device")
# A loss that is its limit to the last bits of a double keeps it.
_ROUNDING = 1e-9
_DIGITS = 6
# The line behind which the answers are, one object for each item.
_ANSWERS = ' "answers": ['
_MAX_HEAD_BYTES = 1 << 20


@dataclass(frozen=True)
class MeasuredSet:
    """A set in shards and what was answered to each; it is read again at each pass.

    Attributes:
        sets: the shards of the set.
        columns: the answers to each of them, by column.
        left_out: the indices, by shard, of items that no value is about; none: all items count.
    """

    sets: Sequence[Path]
    columns: Mapping[str, Sequence[Path]]
    left_out: Sequence[frozenset[int]] = ()

    def shards(self, *names: str) -> Iterator[tuple[list[Label], dict[str, Answers]]]:
        """Yield the items of each shard and the answers of the columns ``names``.

        Raises:
            EthosmithError: a column answers to other items.
        """
        for number, path in enumerate(self.sets):
            labels = labels_of_set(path)
            answers = {name: read_answers(self.columns[name][number]) for name in names}
            for name, one in answers.items():
                if [answer.name for answer in one.items] != [label.name for label in labels]:
                    raise EthosmithError(f"the {name} answers are those of another evaluation set")
            yield labels, answers

    def pairs(self, name: str) -> Iterator[tuple[Label, ItemAnswer]]:
        """Yield each item that counts with its answer of one column; as `shards`."""
        for number, (labels, answers) in enumerate(self.shards(name)):
            left_out = self.left_out[number] if self.left_out else frozenset()
            pairs = zip(labels, answers[name].items, strict=True)
            yield from (pair for index, pair in enumerate(pairs) if index not in left_out)

    def left_out_labels(self) -> Iterator[Label]:
        """Yield the items that no value is about."""
        for path, indices in zip(self.sets, self.left_out, strict=False):
            if indices:
                labels = labels_of_set(path)
                yield from (labels[index] for index in sorted(indices))


def items_with_bytes_of(files: Sequence[Path], sets: Sequence[Path]) -> list[frozenset[int]]:
    """Return, for each set, the indices of items whose bytes are those of one of ``files``."""
    hashes = {sha256_of(file) for file in files}
    if not hashes:
        return []
    return [
        frozenset(
            index
            for index, item in enumerate(items_of_set(path))
            if sha256(item.data).hexdigest() in hashes
        )
        for path in sets
    ]


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


def values_of(metric: str, classes: Sequence[str], found: MeasuredSet) -> dict[str, float]:
    """Return each column's value of the metric.

    Raises:
        EthosmithError: the set does not suit the metric, or a column answers to other items.
    """
    values = {}
    for name in found.columns:
        said = ((one.answer, float(one.score)) for _, one in found.pairs(name))
        wanted = (label.expect for label, _ in found.pairs(name))
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


def rows_of(found: MeasuredSet) -> Iterator[dict[str, Any]]:
    """Yield each item's name, label and answers as plain data."""
    for labels, columns in found.shards(*found.columns):
        for index, label in enumerate(labels):
            said = {name: _said(answers.items[index]) for name, answers in columns.items()}
            yield {"name": label.name, "expect": label.expect, **said}


def _said(answer: ItemAnswer) -> dict[str, str]:
    return {"answer": answer.answer, "score": answer.score}


def _equal_outputs(found: MeasuredSet) -> int:
    return sum(
        one.outputs_sha256 == other.outputs_sha256
        for _, columns in found.shards("int8", "device")
        for one, other in zip(columns["int8"].items, columns["device"].items, strict=True)
    )


def _simulator(found: MeasuredSet) -> Mapping[str, str]:
    """Return on what the device's answers were made; EthosmithError if that is not one thing."""
    simulators = [columns["device"].simulator for _, columns in found.shards("device")]
    if any(one != simulators[0] for one in simulators):
        raise EthosmithError("the device's answers are from simulators of several versions")
    return simulators[0]


def judged(
    metric: str, classes: Sequence[str], found: MeasuredSet, limits: Mapping[str, float]
) -> dict[str, Any]:
    """Return values, losses and verdict as plain data.

    Args:
        metric: the descriptor's.
        classes: for ``auc``: low, high.
        found: the evaluation set and the answers of `COLUMNS`; those of ``float`` may be missing.
        limits: as of `broken_limits`.

    Raises:
        EthosmithError: as `values_of`.
    """
    values = values_of(metric, classes, found)
    losses = losses_of(metric, values)
    return {
        "simulator": _simulator(found),
        "values": values,
        "drops": losses,
        "device_outputs_equal_int8": _equal_outputs(found),
        "limits": dict(limits),
        "broken": [asdict(one) for one in broken_limits(limits, values, losses)],
    }


def result_text(result: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield JSON of ``result`` with the ``rows`` as its last member, ``answers``.

    It is what ``json.dumps(…, indent=1)`` would say of all at once.
    """
    yield json.dumps(result, indent=1).removesuffix("\n}") + f",\n{_ANSWERS}"
    separator = "\n"
    for row in rows:
        yield separator + "  " + json.dumps(row, indent=1).replace("\n", "\n  ")
        separator = ",\n"
    yield "\n ]\n}\n"


def read_result(path: Path) -> dict[str, Any]:
    """Return all of a result but its ``answers``: there may be hundreds of thousands.

    Raises:
        EthosmithError: it is no such file.
    """
    with parsing(path, "result of accuracy"):
        head, mark, _ = read_start(path, _MAX_HEAD_BYTES).partition(f"\n{_ANSWERS}".encode())
        if not mark:
            raise EthosmithError(f"{path}: not a result of accuracy: it has no answers")
        found: dict[str, Any] = json.loads(head.rstrip().removesuffix(b",") + b"}")
    return found
