# SPDX-License-Identifier: Apache-2.0
"""Of the images of a sweep, those that no other one beats, and the best one within budgets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ethosmith.core.errors import EthosmithError, unknown_name
from ethosmith.descriptors.words import LOWER_IS_BETTER
from ethosmith.report.comparison import Figures

CYCLES, FLASH, SRAM, ACCURACY = OBJECTIVES = ("cycles", "flash", "sram", "accuracy")
_BUDGET = re.compile(r"(\d+(?:\.\d+)?)(|k|M|KiB|MiB)")
_FACTORS = {"": 1, "k": 1000, "M": 1_000_000, "KiB": 1024, "MiB": 1 << 20}


@dataclass(frozen=True)
class Accuracy:
    """What was measured of an image: `ethosmith.accuracy`."""

    metric: str
    value: float

    @property
    def cost(self) -> float:
        """The value, so that less is better."""
        return self.value if self.metric in LOWER_IS_BETTER else -self.value


@dataclass(frozen=True)
class Candidate:
    """An image with what it costs.

    Attributes:
        figures: of its run.
        accuracy: of the device; None: it was not measured.
    """

    figures: Figures
    accuracy: Accuracy | None = None

    @property
    def costs(self) -> dict[str, float]:
        """By objective, less is better; what is unknown is not in it."""
        found: dict[str, float | None] = {
            CYCLES: self.figures.npu_cycles or None,
            FLASH: self.figures.flash_bytes,
            SRAM: self.figures.used_bytes.get("SRAM", 0),
            ACCURACY: self.accuracy.cost if self.accuracy else None,
        }
        return {name: value for name, value in found.items() if value is not None}

    @property
    def title(self) -> str:
        """Names it on one line."""
        figures = self.figures
        words = (figures.usecase, figures.npu, figures.memory_mode, figures.runtime)
        return " ".join(word for word in words if word)


def pareto(candidates: Sequence[Candidate]) -> list[bool]:
    """Say of each candidate whether no other one is as good in everything, and better in something.

    Only those are compared of which the same is known and, for accuracy, in the same metric: an
    image that was not measured neither beats nor is beaten by one that was.
    """
    return [not any(_beats(other, one) for other in candidates) for one in candidates]


def _beats(one: Candidate, other: Candidate) -> bool:
    mine, its = one.costs, other.costs
    if mine.keys() != its.keys() or _metric(one) != _metric(other):
        return False
    return all(mine[name] <= its[name] for name in its) and mine != its


def _metric(one: Candidate) -> str:
    return one.accuracy.metric if one.accuracy else ""


def parse_budgets(text: str) -> dict[str, float]:
    """Return the limits of ``budget=cycles:200k,flash:512KiB,accuracy:0.9``, by objective.

    Raises:
        EthosmithError: an objective that does not exist, is given twice, or has no number.
    """
    found: dict[str, float] = {}
    for part in filter(None, (word.strip() for word in text.split(","))):
        name, _, value = part.partition(":")
        number = _BUDGET.fullmatch(value)
        if name not in OBJECTIVES:
            raise EthosmithError(unknown_name("objective of budget=", name, OBJECTIVES))
        if number is None or name in found:
            raise EthosmithError(
                f"budget={part}: expected each objective once with a number, such as cycles:200k,"
                " flash:512KiB, sram:128KiB or accuracy:0.9"
            )
        found[name] = float(number[1]) * _FACTORS[number[2]]
    return found


def _keeps(candidate: Candidate, budgets: Mapping[str, float]) -> bool:
    """Say whether a candidate is known to keep every budget."""
    costs = candidate.costs
    for name, limit in budgets.items():
        allowed = limit
        if name == ACCURACY and candidate.accuracy is not None:
            allowed = Accuracy(candidate.accuracy.metric, limit).cost
        if name not in costs or costs[name] > allowed:
            return False
    return True


def best(candidates: Sequence[Candidate], budgets: Mapping[str, float]) -> Candidate | None:
    """Return the candidate within ``budgets`` that is the most accurate, then the fastest.

    After that, the least flash and SRAM decide, and then the order. One that lacks a figure that
    others have comes behind them. Where metrics differ, accuracy cannot be compared: it counts
    for its budget alone.
    """
    kept = [one for one in candidates if _keeps(one, budgets)]
    metrics = {_metric(one) for one in kept} - {""}
    order = (ACCURACY, CYCLES, FLASH, SRAM) if len(metrics) < 2 else (CYCLES, FLASH, SRAM)

    def rank(one: Candidate) -> tuple[float, ...]:
        return tuple(one.costs.get(name, float("inf")) for name in order)

    return min(kept, key=rank, default=None)


def best_text(candidates: Sequence[Candidate], budgets: Mapping[str, float]) -> str:
    """Return a line that names the best image within ``budgets``; or what comes closest."""
    limits = ", ".join(f"{name} {limit:,g}" for name, limit in budgets.items())
    found = best(candidates, budgets)
    within = f" within {limits}" if limits else ""
    if found is not None:
        return f"Best{within}: {found.title}\n"
    broken = [
        f"{name}: {sum(_keeps(one, {name: limit}) for one in candidates)}"
        for name, limit in budgets.items()
    ]
    alone = ", ".join(broken)
    return f"None of {len(candidates)} is{within}; so many keep each budget alone: {alone}\n"
