# SPDX-License-Identifier: Apache-2.0
"""Compare the figures of a build with those of another: as table, JSON, or notes of a CI server."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ethosmith.core.table import aligned
from ethosmith.descriptors.words import LOWER_IS_BETTER
from ethosmith.report.history import Entry

_SCHEMA = 1
_ACCURACY = "accuracy."
_TITLES = {
    "flash_bytes": "flash bytes",
    "ram_bytes": "RAM bytes",
    "npu_cycles": "NPU cycles",
    "vela_cycles": "Vela's estimate, cycles",
    "cpu_instructions": "CPU instructions",
    "axi0_rd": "AXI0 beats read",
    "axi0_wr": "AXI0 beats written",
    "axi1_rd": "AXI1 beats read",
    "axi1_wr": "AXI1 beats written",
}


@dataclass(frozen=True)
class Change:
    """One figure in two builds; None: it was not measured."""

    figure: str
    before: float | None
    now: float | None

    @property
    def title(self) -> str:
        """The figure for people."""
        if self.figure.startswith(_ACCURACY):
            return f"accuracy, {self.figure.removeprefix(_ACCURACY)}"
        return _TITLES.get(self.figure) or self.figure.replace("_bytes", " bytes")

    @property
    def difference(self) -> float | None:
        """How much more it is now."""
        if self.before is None or self.now is None:
            return None
        return round(self.now - self.before, 6)

    @property
    def percent(self) -> float | None:
        """The difference in percent of what it was; None: it was 0, or is unknown."""
        return 100 * self.difference / self.before if self.difference and self.before else None

    @property
    def is_worse(self) -> bool:
        """Whether it got worse: all but accuracy had better be small."""
        metric = self.figure.removeprefix(_ACCURACY)
        less_is_better = metric == self.figure or metric in LOWER_IS_BETTER
        return (self.difference or 0) * (1 if less_is_better else -1) > 0


@dataclass(frozen=True)
class ImageDiff:
    """One image in two builds; ``before`` is None where there is nothing to compare with."""

    now: Entry
    before: Entry | None

    @property
    def changes(self) -> list[Change]:
        """All figures of either build, in the order of the present one."""
        before = self.before.figures if self.before else {}
        names = dict.fromkeys([*self.now.figures, *before])
        return [Change(name, before.get(name), self.now.figures.get(name)) for name in names]

    @property
    def answers(self) -> list[tuple[str, str | None, str | None]]:
        """The samples whose answers differ: name, answer before, answer now; None: no such one."""
        before = self.before.answers if self.before else self.now.answers
        names = dict.fromkeys([*self.now.answers, *before])
        found = [(name, before.get(name), self.now.answers.get(name)) for name in names]
        return [one for one in found if one[1] != one[2]]


def json_text(diffs: Iterable[ImageDiff], against: str) -> str:
    """Return everything for programs; it is also what a saved baseline is."""
    document = {
        "schema": _SCHEMA,
        "against": against,
        "images": [
            {
                "image": diff.now.image,
                "now": asdict(diff.now),
                "before": asdict(diff.before) if diff.before else None,
                "changes": [_as_json(change) for change in diff.changes if change.difference],
                "answers": [
                    {"sample": name, "before": before, "now": now}
                    for name, before, now in diff.answers
                ],
            }
            for diff in diffs
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _as_json(change: Change) -> dict[str, Any]:
    return {
        **asdict(change),
        "difference": change.difference,
        "percent": change.percent,
        "is_worse": change.is_worse,
    }


def table_text(diffs: Sequence[ImageDiff], against: str) -> str:
    """Return a table of what differs, at most 80 columns wide for figures below 10^9."""
    lines = [f"Compared with {against}:"]
    for diff in diffs:
        lines += ["", diff.now.image, *_lines(diff)]
    return "\n".join(lines) + "\n"


def _lines(diff: ImageDiff) -> Iterator[str]:
    if diff.before is None:
        yield "  no earlier figures of this image"
        return
    if diff.before.revision:
        yield f"  before: commit {diff.before.revision[:12]}"
    if diff.before.simulator != diff.now.simulator:
        yield f"  before it ran on {diff.before.simulator}, now on {diff.now.simulator}:"
        yield "  their cycles do not compare"
    changed = [change for change in diff.changes if change.before != change.now]
    if changed:
        rows = [("", "before", "now", "change", ""), *map(_row, changed)]
        yield from (f"  {line}" for line in aligned(rows, range(1, len(rows[0]))))
    same = [change.title for change in diff.changes if change.before == change.now]
    if not changed:
        yield f"  all {len(same)} figures are the same"
    for name, before, now in diff.answers:
        yield f"  answer to {name}: {_answer(before)} -> {_answer(now)}"


def _row(change: Change) -> tuple[str, str, str, str, str]:
    percent = "" if change.percent is None else f"{change.percent:+.2f} %"
    difference = "" if change.difference is None else _number(change.difference, sign="+")
    return change.title, _number(change.before), _number(change.now), difference, percent


def _number(value: float | None, sign: str = "") -> str:
    if value is None:
        return "-"
    return f"{value:{sign},}" if isinstance(value, int) else f"{value:{sign}.4f}"


def _answer(answer: str | None) -> str:
    return "(no such sample)" if answer is None else answer or "(nothing)"


def github_text(diffs: Iterable[ImageDiff]) -> str:
    """Return workflow commands of GitHub Actions: a warning for what is worse, else a notice."""
    lines = []
    for diff in diffs:
        for change in diff.changes:
            if change.difference:
                _, before, now, difference, percent = _row(change)
                more = ", ".join(text for text in (difference, percent) if text)
                message = f"{change.title}: {before} -> {now} ({more})"
                lines.append(_command(diff.now.image, message, is_worse=change.is_worse))
        for name, was, answer in diff.answers:
            message = f"answer to {name}: {_answer(was)} -> {_answer(answer)}"
            lines.append(_command(diff.now.image, message, is_worse=True))
    return "".join(f"{line}\n" for line in lines)


def _command(title: str, message: str, *, is_worse: bool) -> str:
    """Return a workflow command, in which %, line ends, and in a title : and , are escaped."""
    kind = "warning" if is_worse else "notice"
    name = _escaped(title).replace(":", "%3A").replace(",", "%2C")
    return f"::{kind} title={name}::{_escaped(message)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
