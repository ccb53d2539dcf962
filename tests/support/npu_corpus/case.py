# SPDX-License-Identifier: Apache-2.0
"""Rows of the operator table, and the cases that they stand for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from zlib import crc32

import numpy as np

from tests.support.npu_corpus.draw import Draw
from tests.support.npu_corpus.network import Network

Parameters = dict[str, Any]
_MAX_TRIES = 200


@dataclass(frozen=True)
class Case:
    """One network; ``id`` alone reproduces it, for it seeds every random choice.

    Another ``salt`` than 0 makes other choices.
    """

    id: str
    operator: str
    build: Callable[..., Network]
    parameters: Parameters
    salt: int = 0

    @property
    def seed(self) -> int:
        return crc32(self.id.encode(), self.salt)

    def network(self) -> Network:
        return self.build(Draw(self.seed), **self.parameters)


@dataclass(frozen=True, eq=False)  # One is itself alone, which is quick to look up.
class Row:
    """An operator and the values that each of its parameters takes.

    Attributes:
        operator: Name in ids, counts and the list of known differences.
        count: How many cases to take of all combinations. They are spread so that each
            value of each parameter comes up equally often.
        build: Makes the network.
        axes: The values of each parameter.
        fits: Which combinations make a network at all.
    """

    operator: str
    count: int
    build: Callable[..., Network]
    axes: Mapping[str, tuple[Any, ...]]
    fits: Callable[[Parameters], bool] = lambda _: True

    def cases(self, factor: int = 1) -> tuple[Case, ...]:
        """Return ``count`` times ``factor`` different combinations, fewer if there are not so many.

        A larger factor adds cases behind those of a smaller one.
        """
        return _cases(self, factor)

    def draw_cases(self, factor: int) -> Iterator[Case]:
        """Yield what `cases` returns."""
        count = self.count * factor
        rng = np.random.default_rng(crc32(self.operator.encode()))
        decks: dict[str, list[Any]] = {name: [] for name in self.axes}
        seen: set[str] = set()
        for _ in range(_MAX_TRIES * count):
            parameters = {name: self._deal(decks[name], name, rng) for name in self.axes}
            name = _case_id(self.operator, parameters)
            if name in seen or not self.fits(parameters):
                continue
            seen.add(name)
            yield Case(name, self.operator, self.build, parameters)
            if len(seen) == count:
                return

    def _deal(self, deck: list[Any], name: str, rng: np.random.Generator) -> Any:
        """Take a value from a shuffled deck of the parameter's values."""
        if not deck:
            values = self.axes[name]
            deck.extend(values[i] for i in rng.permutation(len(values)))
        return deck.pop()


@cache
def _cases(row: Row, factor: int) -> tuple[Case, ...]:
    return tuple(row.draw_cases(factor))


def _case_id(operator: str, parameters: Parameters) -> str:
    return "-".join([operator, *(_text(name, value) for name, value in parameters.items())])


def _text(name: str, value: Any) -> str:
    """Return a parameter as part of an id: words speak for themselves, numbers need names."""
    if isinstance(value, bool):
        return name if value else f"no_{name}"
    if isinstance(value, int | float):
        return f"{name}{value}"
    if isinstance(value, tuple):
        return f"{name}{_joined(value)}"
    return value.name if isinstance(value, np.dtype) else str(value)


def _joined(values: tuple[Any, ...]) -> str:
    if any(isinstance(value, tuple) for value in values):
        return "_".join(_joined(value) for value in values)
    return "x".join(str(value) for value in values)
