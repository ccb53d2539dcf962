# SPDX-License-Identifier: Apache-2.0
"""Accumulators of NPU_OP_CONV and NPU_OP_DEPTHWISE, band of rows by band of rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethosu_model.operands import Kernel, Shape
from ethosu_model.weights import WeightVolume

FloatArray = NDArray[Any]
Band = tuple[int, int, NDArray[Any]]

# Every partial sum is an integer of at most sum(|weight|) * max(|ifm|). Below these
# bounds the floating-point types hold all such integers, so a sum in any order is exact.
# 16-bit operands reach 2**24 per product (9-bit weights), so 2**53 allows for 2**29 of them;
# the model's limit on weights keeps kernels below that.
_FLOAT32_EXACT = 1 << 24
_MANY_CHANNELS = 64
_BAND_ELEMENTS = 1 << 17  # of a band's working arrays: they stay in the cache


def exact_float(bound: int) -> type[np.float32] | type[np.float64]:
    """Return the smallest floating-point type that adds integers exactly up to ``bound``."""
    return np.float32 if bound < _FLOAT32_EXACT else np.float64


def bands(ofm: Shape, row_elements: int) -> Iterator[tuple[int, int]]:
    """Split the OFM's rows so that a band's working arrays stay small."""
    rows = max(1, _BAND_ELEMENTS // max(1, row_elements))
    for top in range(0, ofm.height, rows):
        yield top, min(top + rows, ofm.height)


def convolve(
    frame: FloatArray, weights: WeightVolume, ofm: Shape, kernel: Kernel
) -> Iterator[Band]:
    """Yield first row, last row and accumulators [rows, width, OFM depth] of each band.

    Args:
        frame: Padded IFM [height, width, IFM depth], contiguous, zero points removed, of a
            type that is exact for these weights.
        weights: The weights.
        ofm: Shape of the OFM.
        kernel: Strides and dilations.
    """
    taps = kernel.height * kernel.width * frame.shape[2]
    matrix = weights.matrix(frame.dtype.type)
    for top, bottom in bands(ofm, ofm.width * max(taps, ofm.depth)):
        rows = patches_of(frame, ofm, kernel, top, bottom).reshape(-1, taps)
        yield top, bottom, (rows @ matrix).reshape(bottom - top, ofm.width, ofm.depth)


def convolve_depthwise(
    frame: FloatArray, weights: WeightVolume, ofm: Shape, kernel: Kernel
) -> Iterator[Band]:
    """Yield bands of accumulators; each channel has a kernel of its own. See ``convolve``."""
    factors = weights.taps(frame.dtype.type)
    if ofm.depth >= _MANY_CHANNELS or kernel.height * kernel.width > ofm.height * ofm.width:
        function = _sum_by_einsum
    else:
        function = _sum_rows if kernel.stride_x == 1 else _sum_taps
    for top, bottom in bands(ofm, ofm.width * ofm.depth):
        yield top, bottom, function(frame, factors, ofm, kernel, top, bottom)


# Each of these is the fastest for some shapes: NumPy's inner loops are as long as what lies in
# memory one behind the other.


def _sum_by_einsum(
    frame: FloatArray, factors: FloatArray, ofm: Shape, kernel: Kernel, top: int, bottom: int
) -> FloatArray:
    patches = patches_of(frame, ofm, kernel, top, bottom)
    sums: FloatArray = np.empty((bottom - top, ofm.width, ofm.depth), dtype=frame.dtype)
    np.einsum("hwyxc,yxc->hwc", patches, factors, out=sums)
    return sums


def _sum_rows(
    frame: FloatArray, factors: FloatArray, ofm: Shape, kernel: Kernel, top: int, bottom: int
) -> FloatArray:
    """Go row by row; the columns of a kernel without stride lie one behind the other."""
    rows = frame.reshape(frame.shape[0], -1)
    length, repeated = ofm.width * ofm.depth, np.tile(factors, (1, 1, ofm.width))
    sums = np.zeros((bottom - top, length), dtype=frame.dtype)
    product = np.empty_like(sums)
    for y in range(kernel.height):
        first = top * kernel.stride_y + y * kernel.dilation_y
        under = rows[first : first + (bottom - top - 1) * kernel.stride_y + 1 : kernel.stride_y]
        for x in range(kernel.width):
            start = x * kernel.dilation_x * ofm.depth
            np.multiply(under[:, start : start + length], repeated[y, x], out=product)
            sums += product
    return sums.reshape(bottom - top, ofm.width, ofm.depth)


def _sum_taps(
    frame: FloatArray, factors: FloatArray, ofm: Shape, kernel: Kernel, top: int, bottom: int
) -> FloatArray:
    patches = patches_of(frame, ofm, kernel, top, bottom)
    sums: FloatArray = patches[:, :, 0, 0] * factors[0, 0]
    product = np.empty_like(sums)
    for y in range(kernel.height):
        for x in range(kernel.width):
            if y or x:
                np.multiply(patches[:, :, y, x], factors[y, x], out=product)
                sums += product
    return sums


def patches_of(source: FloatArray, ofm: Shape, kernel: Kernel, top: int, bottom: int) -> FloatArray:
    """Return a view of the IFM under the kernel [rows, width, kernel y, kernel x, depth]."""
    step_y, step_x, step_c = source.strides
    return np.ndarray(
        (bottom - top, ofm.width, kernel.height, kernel.width, source.shape[2]),
        dtype=source.dtype,
        buffer=source,
        offset=top * kernel.stride_y * step_y,
        strides=(
            step_y * kernel.stride_y,
            step_x * kernel.stride_x,
            step_y * kernel.dilation_y,
            step_x * kernel.dilation_x,
            step_c,
        ),
    )
