# SPDX-License-Identifier: Apache-2.0
"""Networks of one pooling, reducing or resizing operator."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.support.npu_corpus.draw import INT32, INT64, Draw, constant_of
from tests.support.npu_corpus.network import Network, Operator, Tensor
from tests.support.npu_corpus.weighted import ACTIVATIONS, PADDING, Window

Dtype = np.dtype[Any]


def pool_2d(
    draw: Draw,
    *,
    builtin: str,
    dtype: Dtype,
    ifm: tuple[int, int, int],
    window: Window,
    padding: str,
    activation: str = "none",
) -> Network:
    """MAX_POOL_2D or AVERAGE_POOL_2D; TFLite gives IFM and OFM one quantisation."""
    source = draw.tensor("ifm", (1, *ifm), dtype)
    rows, columns = window.output((ifm[0], ifm[1]), padding)
    result = draw.tensor("ofm", (1, rows, columns, ifm[2]), dtype, source.quantisation)
    fields = {
        "Padding": PADDING[padding],
        "StrideH": window.stride[0],
        "StrideW": window.stride[1],
        "FilterHeight": window.kernel[0],
        "FilterWidth": window.kernel[1],
        "FusedActivationFunction": ACTIVATIONS[activation],
    }
    operator = Operator(builtin, (source,), (result,), "Pool2DOptions", fields)
    return Network((operator,), (source,), (result,))


def reduce(
    draw: Draw,
    *,
    builtin: str,
    dtype: Dtype,
    ifm: tuple[int, ...],
    axes: tuple[int, ...],
    keep: bool,
    scales: str = "own",
) -> Network:
    """MEAN, SUM, REDUCE_MAX or REDUCE_MIN over ``axes``.

    ``scales`` is "own" for a quantisation of the OFM's own, "same" for the IFM's.
    """
    source = draw.tensor("ifm", ifm, dtype)
    assert source.quantisation is not None
    kept = [1 if i in axes else n for i, n in enumerate(ifm) if keep or i not in axes]
    quantisation = source.quantisation
    if scales == "own":
        count = int(np.prod([ifm[axis] for axis in axes]))
        shrink = {"MEAN": count**-0.5, "SUM": count**0.5}.get(builtin, 1.0)
        quantisation = draw.quantisation(dtype, quantisation.scale * shrink * draw.gain())
    result = draw.tensor("ofm", tuple(kept), dtype, quantisation)
    operator = Operator(
        builtin,
        (source, constant_of("axes", axes)),
        (result,),
        "ReducerOptions",
        {"KeepDims": keep},
        version=2,
    )
    return Network((operator,), (source,), (result,))


def arg_max(draw: Draw, *, dtype: Dtype, ifm: tuple[int, ...], wide: bool) -> Network:
    """ARG_MAX over depth, into int32 or, ``wide``, int64."""
    source = draw.tensor("ifm", ifm, dtype)
    result = Tensor("ofm", ifm[:-1], INT64 if wide else INT32)
    axis = constant_of("axis", len(ifm) - 1)
    operator = Operator(
        "ARG_MAX", (source, axis), (result,), "ArgMaxOptions", {"OutputType": 4 if wide else 2}
    )
    return Network((operator,), (source,), (result,))


def resize(
    draw: Draw,
    *,
    builtin: str,
    dtype: Dtype,
    ifm: tuple[int, int, int],
    factor: int,
    corners: str,
) -> Network:
    """RESIZE_NEAREST_NEIGHBOR or RESIZE_BILINEAR by ``factor``.

    ``corners`` is "plain", "align" (align_corners) or "half" (half_pixel_centers).
    """
    source = draw.tensor("ifm", (1, *ifm), dtype)
    rows, columns = (
        (n - 1) * factor + 1 if corners == "align" else n * factor for n in (ifm[0], ifm[1])
    )
    result = draw.tensor("ofm", (1, rows, columns, ifm[2]), dtype, source.quantisation)
    options = (
        "ResizeBilinearOptions" if builtin == "RESIZE_BILINEAR" else "ResizeNearestNeighborOptions"
    )
    fields = {"AlignCorners": corners == "align", "HalfPixelCenters": corners == "half"}
    size = constant_of("size", (rows, columns))
    operator = Operator(builtin, (source, size), (result,), options, fields, version=3)
    return Network((operator,), (source,), (result,))
