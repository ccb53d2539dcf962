# SPDX-License-Identifier: Apache-2.0
"""Lay out the steps of an image as a drawing: rows by depth, arrows from what a step needs.

A step stands as low as it can, just above what needs it; an arrow that others imply is left
out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

NODE_WIDTH = 176
NODE_HEIGHT = 44
_GAP_X, _GAP_Y, _MARGIN = 18, 34, 6
_MAX_CHARACTERS = 23


@dataclass(frozen=True)
class Step:
    """One step, or several of one kind at one depth.

    Attributes:
        verb: of its line in the build.
        name: of the same line, without folders.
        commands: what ran.
        inputs: files, as paths from the project.
        outputs: files.
        needs: indices of the steps before.
    """

    verb: str
    name: str
    commands: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    needs: frozenset[int]


@dataclass(frozen=True)
class Placed:
    """A step and the place of its box, in pixels."""

    step: Step
    x: float
    y: float

    @property
    def label(self) -> str:
        """Its name, short enough for the box."""
        name = self.step.name
        return name if len(name) <= _MAX_CHARACTERS else f"{name[: _MAX_CHARACTERS - 1]}…"


@dataclass(frozen=True)
class Drawing:
    """The steps with their places; index in ``boxes`` is index of the step."""

    boxes: tuple[Placed, ...]

    @property
    def width(self) -> float:
        """Of the whole, in pixels."""
        return max((box.x for box in self.boxes), default=0) + NODE_WIDTH + _MARGIN

    @property
    def height(self) -> float:
        """Of the whole, in pixels."""
        return max((box.y for box in self.boxes), default=0) + NODE_HEIGHT + _MARGIN

    @cached_property
    def arrows(self) -> tuple[str, ...]:
        """The paths of all arrows, as SVG."""
        return tuple(
            _arrow(self.boxes[need], box) for box in self.boxes for need in sorted(box.step.needs)
        )


def read_steps(data: Sequence[Mapping[str, Any]]) -> list[Step]:
    """Return the steps of NAME_pipeline.json; needs come before what needs them.

    Args:
        data: the file's content.
    """
    return [
        Step(
            verb=item["verb"],
            name=item["name"].rsplit("/", 1)[-1],
            commands=(item["command"],),
            inputs=tuple(item["inputs"]),
            outputs=tuple(item["outputs"]),
            needs=frozenset(item["needs"]),
        )
        for item in data
    ]


def draw(steps: Sequence[Step]) -> Drawing:
    """Join steps alike, then place all."""
    joined = [_without_implied(step, ups) for step, ups in _with_ancestors(_joined(steps))]
    depths = _lowest_depths(joined)
    rows: dict[int, list[int]] = {}
    for index, depth in enumerate(depths):
        rows.setdefault(depth, []).append(index)
    widest = max((len(row) for row in rows.values()), default=1)
    places: dict[int, tuple[float, float]] = {}
    for depth in sorted(rows):
        row = sorted(rows[depth], key=lambda i: (_middle(joined[i], places), i))
        left = _MARGIN + (widest - len(row)) * (NODE_WIDTH + _GAP_X) / 2
        for column, index in enumerate(row):
            x = left + column * (NODE_WIDTH + _GAP_X)
            places[index] = (x, _MARGIN + depth * (NODE_HEIGHT + _GAP_Y))
    return Drawing(tuple(Placed(step, *places[i]) for i, step in enumerate(joined)))


def _middle(step: Step, places: Mapping[int, tuple[float, float]]) -> float:
    above = [places[need][0] for need in step.needs]
    return sum(above) / len(above) if above else 0.0


def _depths(steps: Sequence[Step]) -> list[int]:
    depths: list[int] = []
    for step in steps:
        depths.append(1 + max((depths[need] for need in step.needs), default=-1))
    return depths


def _lowest_depths(steps: Sequence[Step]) -> list[int]:
    """Return for each step the last row on which it can stand."""
    last = max(_depths(steps), default=0)
    lowest = [last] * len(steps)
    for index in reversed(range(len(steps))):
        for need in steps[index].needs:
            lowest[need] = min(lowest[need], lowest[index] - 1)
    return lowest


def _with_ancestors(steps: Sequence[Step]) -> Iterator[tuple[Step, list[frozenset[int]]]]:
    """Yield each step, and for all steps before it what they need, directly or not."""
    ancestors: list[frozenset[int]] = []
    for step in steps:
        yield step, ancestors
        ancestors.append(step.needs.union(*(ancestors[need] for need in step.needs)))


def _without_implied(step: Step, ancestors: Sequence[frozenset[int]]) -> Step:
    implied = frozenset().union(*(ancestors[need] for need in step.needs))
    return replace(step, needs=step.needs - implied)


def _joined(steps: Sequence[Step]) -> list[Step]:
    """Join steps of one verb at one depth for the same kinds of steps."""
    depths = _depths(steps)
    users: list[set[str]] = [set() for _ in steps]
    for step in steps:
        for need in step.needs:
            users[need].add(step.verb)
    groups: dict[tuple[str, int, frozenset[str], str], list[int]] = {}
    for index, step in enumerate(steps):
        # Each generates or links something else.
        apart = step.name if step.verb in {"GENERATE", "LINK"} else ""
        key = (step.verb, depths[index], frozenset(users[index]), apart)
        groups.setdefault(key, []).append(index)
    ordered = sorted(groups.values(), key=lambda members: (depths[members[0]], members[0]))
    new_index = {old: new for new, members in enumerate(ordered) for old in members}
    return [_join([steps[i] for i in members], new_index) for members in ordered]


def _join(steps: Sequence[Step], new_index: Mapping[int, int]) -> Step:
    first = steps[0]
    return Step(
        verb=first.verb,
        name=first.name if len(steps) == 1 else f"{first.name} and {len(steps) - 1} more",
        commands=tuple(command for step in steps for command in step.commands),
        inputs=tuple(dict.fromkeys(path for step in steps for path in step.inputs)),
        outputs=tuple(dict.fromkeys(path for step in steps for path in step.outputs)),
        needs=frozenset(new_index[need] for step in steps for need in step.needs),
    )


def _arrow(start: Placed, end: Placed) -> str:
    x1, y1 = start.x + NODE_WIDTH / 2, start.y + NODE_HEIGHT
    x2, y2 = end.x + NODE_WIDTH / 2, end.y
    bend = (y2 - y1) / 2
    return f"M{x1:g},{y1:g}C{x1:g},{y1 + bend:g} {x2:g},{y2 - bend:g} {x2:g},{y2:g}"
