# SPDX-License-Identifier: Apache-2.0
"""Networks of one operator that Vela maps to Ethos-U85 and not to Ethos-U55 or U65."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tests.support.npu_corpus.draw import INT32, Draw, constant_of
from tests.support.npu_corpus.network import Network, Operator, Quantisation, Tensor

BOOL = np.dtype(bool)
Dtype = np.dtype[Any]
Shape = tuple[int, ...]


def _feature_map(draw: Draw, name: str, shape: Shape, dtype: Dtype) -> Tensor:
    """Return a tensor; 32-bit integers and truths have no quantisation."""
    if dtype in (INT32, BOOL):
        return Tensor(name, shape, dtype)
    return draw.tensor(name, shape, dtype)


def _wide(shapes: tuple[Shape, ...]) -> Shape:
    return tuple(int(n) for n in np.broadcast_shapes(*shapes))


def comparison(draw: Draw, *, builtin: str, dtype: Dtype, shapes: tuple[Shape, Shape]) -> Network:
    """EQUAL and the like of operands with one quantisation.

    Its scale is below 1: LiteRT's kernel takes no other, and gives noise for it.
    """
    first = _feature_map(draw, "ifm", shapes[0], dtype)
    if dtype != INT32:
        first = replace(first, quantisation=draw.quantisation(dtype, draw.scale(high=1.0)))
    second = replace(first, name="ifm2", shape=shapes[1])
    result = Tensor("ofm", _wide(shapes), BOOL)
    operator = Operator(builtin, (first, second), (result,), version=2)
    return Network((operator,), (first, second), (result,))


def whole_numbers(_: Draw, *, builtin: str, shapes: tuple[Shape, Shape]) -> Network:
    """ADD, SUB, MAXIMUM or MINIMUM of 32-bit integers, whose results fit them."""
    smallest, largest = -(1 << 30), 1 << 30
    first, second = (
        Tensor(name, shape, INT32, smallest=smallest, largest=largest - 1)
        for name, shape in zip(("ifm", "ifm2"), shapes, strict=True)
    )
    result = Tensor("ofm", _wide(shapes), INT32)
    options = {"ADD": "AddOptions", "SUB": "SubOptions"}.get(builtin, "MaximumMinimumOptions")
    operator = Operator(builtin, (first, second), (result,), options)
    return Network((operator,), (first, second), (result,))


def division(_: Draw, *, shapes: tuple[Shape, Shape], smallest: int) -> Network:
    """DIV of 32-bit integers; no divisor is zero."""
    first = Tensor("ifm", shapes[0], INT32)
    second = Tensor("ifm2", shapes[1], INT32, smallest=smallest, largest=smallest + 1000)
    result = Tensor("ofm", _wide(shapes), INT32)
    operator = Operator("DIV", (first, second), (result,), "DivOptions", version=2)
    return Network((operator,), (first, second), (result,))


def logical(_: Draw, *, builtin: str, shapes: tuple[Shape, Shape]) -> Network:
    """LOGICAL_AND, LOGICAL_OR, or LOGICAL_NOT of the first."""
    names = ("ifm",) if builtin == "LOGICAL_NOT" else ("ifm", "ifm2")
    operands = tuple(Tensor(name, shape, BOOL) for name, shape in zip(names, shapes, strict=False))
    result = Tensor("ofm", _wide(tuple(t.shape for t in operands)), BOOL)
    return Network((Operator(builtin, operands, (result,)),), operands, (result,))


def select(draw: Draw, *, dtype: Dtype, shapes: tuple[Shape, Shape, Shape]) -> Network:
    """SELECT_V2: by truths, elements of one tensor or of another."""
    condition = Tensor("condition", shapes[0], BOOL)
    first = _feature_map(draw, "ifm", shapes[1], dtype)
    second = replace(first, name="ifm2", shape=shapes[2])
    result = replace(first, name="ofm", shape=_wide(shapes))
    operator = Operator("SELECT_V2", (condition, first, second), (result,))
    return Network((operator,), (condition, first, second), (result,))


def gather(
    draw: Draw, *, dtype: Dtype, ifm: Shape, count: int, batches: int, constant: bool
) -> Network:
    """GATHER of ``count`` rows behind ``batches`` axes, by indices that come in or are constant."""
    source = _feature_map(draw, "ifm", ifm, dtype)
    rows, shape = ifm[batches], (*ifm[:batches], count)
    if constant:
        indices = constant_of("indices", draw.rng.integers(0, rows, shape))
    else:
        indices = Tensor("indices", shape, INT32, smallest=0, largest=rows - 1)
    result = replace(source, name="ofm", shape=(*shape, *ifm[batches + 1 :]))
    fields = {"Axis": batches, "BatchDims": batches}
    operator = Operator("GATHER", (source, indices), (result,), "GatherOptions", fields)
    inputs = (source,) if constant else (source, indices)
    return Network((operator,), inputs, (result,))


def scatter(draw: Draw, *, dtype: Dtype, rows: int, ofm: Shape) -> Network:
    """SCATTER_ND of ``rows`` rows to constant places, each another."""
    places = draw.rng.permutation(ofm[0])[:rows].reshape(rows, 1)
    source = _feature_map(draw, "ifm", (rows, *ofm[1:]), dtype)
    if source.quantisation is not None:
        # What no row goes to is the element zero, so that is to be the number zero.
        plain = Quantisation.per_tensor(source.quantisation.scale, 0)
        source = replace(source, quantisation=plain)
    result = replace(source, name="ofm", shape=ofm)
    inputs = (constant_of("places", places), source, constant_of("shape", ofm))
    return Network((Operator("SCATTER_ND", inputs, (result,)),), (source,), (result,))


def reverse(draw: Draw, *, dtype: Dtype, ifm: Shape, axis: int) -> Network:
    """REVERSE_V2 along one axis."""
    source = _feature_map(draw, "ifm", ifm, dtype)
    result = replace(source, name="ofm")
    operator = Operator("REVERSE_V2", (source, constant_of("axis", [axis])), (result,))
    return Network((operator,), (source,), (result,))


def cast(draw: Draw, *, dtype: Dtype, to: Dtype, ifm: Shape) -> Network:
    """CAST from one integer type to another."""
    source = _feature_map(draw, "ifm", ifm, dtype)
    result = _feature_map(draw, "ofm", ifm, to)
    return Network((Operator("CAST", (source,), (result,)),), (source,), (result,))
