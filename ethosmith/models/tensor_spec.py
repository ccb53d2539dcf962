# SPDX-License-Identifier: Apache-2.0
"""What is known of a network's inputs and outputs: names, shapes, quantisation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import prod
from typing import Any

_ELEMENT_BYTES = {
    "bool": 1,
    "int8": 1,
    "uint8": 1,
    "int16": 2,
    "uint16": 2,
    "float16": 2,
    "int32": 4,
    "uint32": 4,
    "float32": 4,
    "int64": 8,
    "uint64": 8,
    "float64": 8,
}


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of a quantised network.

    ``shape`` includes the batch. ``real = scale * (quantised - zero_point)``.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    scale: float
    zero_point: int

    @property
    def element_count(self) -> int:
        """The product of the shape."""
        return prod(self.shape)

    @property
    def size_bytes(self) -> int:
        """Its size in memory."""
        return self.element_count * _ELEMENT_BYTES[self.dtype]


@dataclass(frozen=True)
class NetworkSpec:
    """The inputs and outputs of a quantised network, in the file's order."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    def as_json(self) -> dict[str, Any]:
        """Return both as plain data for `of_json`."""
        return asdict(self)

    @classmethod
    def of_json(cls, given: Mapping[str, Any]) -> NetworkSpec:
        """Return what `as_json` returned; KeyError or TypeError if it is something else."""
        return cls(*(tuple(map(_tensor, given[kind])) for kind in ("inputs", "outputs")))


def _tensor(given: Mapping[str, Any]) -> TensorSpec:
    return TensorSpec(**{**given, "shape": tuple(given["shape"])})
