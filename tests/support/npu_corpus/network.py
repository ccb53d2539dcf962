# SPDX-License-Identifier: Apache-2.0
"""A small network as plain data: tensors, operators, quantisation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Quantisation:
    """TFLite's affine quantisation; more than one scale means one per index of ``axis``."""

    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int = 0

    @classmethod
    def per_tensor(cls, scale: float, zero_point: int) -> Quantisation:
        return cls((float(np.float32(scale)),), (zero_point,))

    @property
    def scale(self) -> float:
        return self.scales[0]

    @property
    def zero_point(self) -> int:
        return self.zero_points[0]


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor; with ``data`` it is a constant. Identity is what operators refer to.

    ``smallest`` is the smallest element it may hold as an input, if not the type's own, and
    ``largest``, which needs a smallest, the largest. A ``variable`` starts at zero and keeps its
    elements from run to run.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    quantisation: Quantisation | None = None
    data: Array | None = None
    smallest: int | None = None
    largest: int | None = None
    variable: bool = False


@dataclass(frozen=True)
class Operator:
    """One operator: TFLite's names for it, for its options table and the table's fields.

    ``intermediates`` only lend the operator their quantisations.
    """

    builtin: str
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]
    options: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    version: int = 1
    intermediates: tuple[Tensor, ...] = ()


@dataclass(frozen=True)
class Network:
    """Operators in order, and which tensors go in and come out."""

    operators: tuple[Operator, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    def tensors(self) -> tuple[Tensor, ...]:
        """Return every tensor once, inputs first."""
        found = {id(tensor): tensor for tensor in self.inputs}
        for operator in self.operators:
            for tensor in (*operator.inputs, *operator.outputs, *operator.intermediates):
                if tensor is not None:
                    found.setdefault(id(tensor), tensor)
        return tuple(found.values())
