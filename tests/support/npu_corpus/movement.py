# SPDX-License-Identifier: Apache-2.0
"""Networks of one operator that moves elements without changing them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.support.npu_corpus.draw import Draw, constant_of
from tests.support.npu_corpus.network import Network, Operator, Tensor

Dtype = np.dtype[Any]
Shape = tuple[int, ...]


def pad(
    draw: Draw, *, builtin: str, dtype: Dtype, ifm: Shape, paddings: tuple[tuple[int, int], ...]
) -> Network:
    """PAD, PADV2 (with an element of its own) or MIRROR_PAD."""
    source = draw.tensor("ifm", ifm, dtype)
    shape = tuple(n + sum(p) for n, p in zip(ifm, paddings, strict=True))
    result = draw.tensor("ofm", shape, dtype, source.quantisation)
    inputs: tuple[Tensor, ...] = (source, constant_of("paddings", paddings))
    if builtin == "PADV2":
        fill = Tensor("fill", (), dtype, source.quantisation, draw.elements((), dtype))
        inputs = (*inputs, fill)
    options, fields = {
        "PAD": ("PadOptions", {}),
        "PADV2": ("PadV2Options", {}),
        "MIRROR_PAD": ("MirrorPadOptions", {"Mode": 0}),
    }[builtin]
    operator = Operator(builtin, inputs, (result,), options, fields, version=2)
    return Network((operator,), (source,), (result,))


def concatenation(
    draw: Draw, *, dtype: Dtype, ifm: Shape, axis: int, lengths: tuple[int, ...]
) -> Network:
    """CONCATENATION along ``axis`` of parts of the given lengths."""
    quantisation = draw.quantisation(dtype)
    parts = tuple(
        Tensor(f"part{i}", (*ifm[:axis], n, *ifm[axis + 1 :]), dtype, quantisation)
        for i, n in enumerate(lengths)
    )
    result = Tensor("ofm", (*ifm[:axis], sum(lengths), *ifm[axis + 1 :]), dtype, quantisation)
    fields = {"Axis": axis, "FusedActivationFunction": 0}
    operator = Operator(
        "CONCATENATION", parts, (result,), "ConcatenationOptions", fields, version=2
    )
    return Network((operator,), parts, (result,))


def pack(draw: Draw, *, dtype: Dtype, ifm: Shape, axis: int, count: int) -> Network:
    """PACK of ``count`` tensors along a new axis."""
    quantisation = draw.quantisation(dtype)
    parts = tuple(Tensor(f"part{i}", ifm, dtype, quantisation) for i in range(count))
    result = Tensor("ofm", (*ifm[:axis], count, *ifm[axis:]), dtype, quantisation)
    fields = {"Axis": axis, "ValuesCount": count}
    operator = Operator("PACK", parts, (result,), "PackOptions", fields, version=2)
    return Network((operator,), parts, (result,))


def unpack(draw: Draw, *, dtype: Dtype, ifm: Shape, axis: int) -> Network:
    """UNPACK along ``axis``: one output for each index."""
    source = draw.tensor("ifm", ifm, dtype)
    shape = (*ifm[:axis], *ifm[axis + 1 :])
    parts = tuple(Tensor(f"part{i}", shape, dtype, source.quantisation) for i in range(ifm[axis]))
    fields = {"Axis": axis, "Num": ifm[axis]}
    operator = Operator("UNPACK", (source,), parts, "UnpackOptions", fields, version=2)
    return Network((operator,), (source,), parts)


def split(draw: Draw, *, dtype: Dtype, ifm: Shape, axis: int, count: int) -> Network:
    """SPLIT into ``count`` equal parts."""
    source = draw.tensor("ifm", ifm, dtype)
    shape = (*ifm[:axis], ifm[axis] // count, *ifm[axis + 1 :])
    parts = tuple(Tensor(f"part{i}", shape, dtype, source.quantisation) for i in range(count))
    inputs = (constant_of("axis", axis), source)
    operator = Operator("SPLIT", inputs, parts, "SplitOptions", {"NumSplits": count}, version=2)
    return Network((operator,), (source,), parts)


def split_v(
    draw: Draw, *, dtype: Dtype, ifm: Shape, axis: int, lengths: tuple[int, ...]
) -> Network:
    """SPLIT_V into parts of the given lengths."""
    source = draw.tensor("ifm", ifm, dtype)
    parts = tuple(
        Tensor(f"part{i}", (*ifm[:axis], n, *ifm[axis + 1 :]), dtype, source.quantisation)
        for i, n in enumerate(lengths)
    )
    inputs = (source, constant_of("lengths", lengths), constant_of("axis", axis))
    fields = {"NumSplits": len(lengths)}
    operator = Operator("SPLIT_V", inputs, parts, "SplitVOptions", fields, version=2)
    return Network((operator,), (source,), parts)


def slice_(draw: Draw, *, dtype: Dtype, ifm: Shape, begin: Shape, size: Shape) -> Network:
    """SLICE."""
    source = draw.tensor("ifm", ifm, dtype)
    result = draw.tensor("ofm", size, dtype, source.quantisation)
    inputs = (source, constant_of("begin", begin), constant_of("size", size))
    operator = Operator("SLICE", inputs, (result,), "SliceOptions", {}, version=2)
    return Network((operator,), (source,), (result,))


def strided_slice(
    draw: Draw, *, dtype: Dtype, ifm: Shape, begin: Shape, end: Shape, strides: Shape
) -> Network:
    """STRIDED_SLICE without masks."""
    source = draw.tensor("ifm", ifm, dtype)
    shape = tuple(-(-(e - b) // s) for b, e, s in zip(begin, end, strides, strict=True))
    result = draw.tensor("ofm", shape, dtype, source.quantisation)
    inputs = (
        source,
        constant_of("begin", begin),
        constant_of("end", end),
        constant_of("strides", strides),
    )
    operator = Operator("STRIDED_SLICE", inputs, (result,), "StridedSliceOptions", {}, version=2)
    return Network((operator,), (source,), (result,))


def transpose(draw: Draw, *, dtype: Dtype, ifm: Shape, order: tuple[int, ...]) -> Network:
    """TRANSPOSE."""
    source = draw.tensor("ifm", ifm, dtype)
    shape = tuple(ifm[axis] for axis in order)
    result = draw.tensor("ofm", shape, dtype, source.quantisation)
    inputs = (source, constant_of("order", order))
    operator = Operator("TRANSPOSE", inputs, (result,), "TransposeOptions", {}, version=2)
    return Network((operator,), (source,), (result,))


def reshape(draw: Draw, *, builtin: str, dtype: Dtype, ifm: Shape, ofm: Shape) -> Network:
    """RESHAPE, or SQUEEZE of the axes of length 1, or EXPAND_DIMS at the front."""
    source = draw.tensor("ifm", ifm, dtype)
    result = draw.tensor("ofm", ofm, dtype, source.quantisation)
    operator = {
        "RESHAPE": Operator(
            "RESHAPE",
            (source, constant_of("shape", ofm)),
            (result,),
            "ReshapeOptions",
            {"NewShape": ofm},
        ),
        "SQUEEZE": Operator("SQUEEZE", (source,), (result,), "SqueezeOptions", {}),
        "EXPAND_DIMS": Operator(
            "EXPAND_DIMS", (source, constant_of("axis", 0)), (result,), "ExpandDimsOptions", {}
        ),
    }[builtin]
    return Network((operator,), (source,), (result,))


def tile(draw: Draw, *, dtype: Dtype, ifm: Shape, repeats: Shape) -> Network:
    """TILE."""
    source = draw.tensor("ifm", ifm, dtype)
    shape = tuple(n * r for n, r in zip(ifm, repeats, strict=True))
    result = draw.tensor("ofm", shape, dtype, source.quantisation)
    inputs = (source, constant_of("repeats", repeats))
    operator = Operator("TILE", inputs, (result,), "TileOptions", {}, version=2)
    return Network((operator,), (source,), (result,))
