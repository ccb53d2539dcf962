# SPDX-License-Identifier: Apache-2.0
"""Accumulators of NPU_OP_CONV and NPU_OP_DEPTHWISE."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from ethosmith.npu.operands import Kernel, Shape

Int64Array = NDArray[np.int64]

# Every partial sum is an integer of at most sum(|weight|) * max(|ifm|). Below these
# bounds the floating-point types hold all such integers, so a sum in any order is exact.
_FLOAT32_EXACT = 1 << 24
_FLOAT64_EXACT = 1 << 53
_BAND_ELEMENTS = 1 << 22  # of the matrix made for one band of OFM rows


def exact_float(bound: int) -> type[np.float32] | type[np.float64]:
    """Return the smallest floating-point type that sums exactly up to ``bound``.

    16-bit operands reach 2**31 per product, so 2**53 allows for 2**22 of them; the model's
    limit on weights keeps kernels below that.
    """
    return np.float32 if bound < _FLOAT32_EXACT else np.float64


def _bound(frame: NDArray[Any], weights: NDArray[np.int16], axes: tuple[int, ...]) -> int:
    largest = max(int(frame.max()), -int(frame.min()))
    return largest * int(np.abs(weights.astype(np.int64)).sum(axis=axes).max())


def bands(ofm: Shape, row_elements: int) -> Iterator[tuple[int, int]]:
    """Split the OFM's rows so that a band's working matrix stays small."""
    rows = max(1, _BAND_ELEMENTS // max(1, row_elements))
    for top in range(0, ofm.height, rows):
        yield top, min(top + rows, ofm.height)


def convolve(
    frame: NDArray[np.int32], weights: NDArray[np.int16], ofm: Shape, kernel: Kernel
) -> Iterator[tuple[int, int, Int64Array]]:
    """Yield first row, last row and accumulators [rows, width, OFM depth] of each band.

    Args:
        frame: Padded IFM [height, width, IFM depth], zero points removed.
        weights: [OFM depth, kernel height, kernel width, IFM depth].
        ofm: Shape of the OFM.
        kernel: Strides and dilations.
    """
    taps = kernel.height * kernel.width * frame.shape[2]
    dtype = exact_float(_bound(frame, weights, (1, 2, 3)))
    matrix = weights.reshape(weights.shape[0], taps).T.astype(dtype)
    source = np.ascontiguousarray(frame, dtype=dtype)
    for top, bottom in bands(ofm, ofm.width * taps):
        rows = _patches(source, ofm, kernel, top, bottom).reshape(-1, taps)
        sums = (rows @ matrix).reshape(bottom - top, ofm.width, -1)
        yield top, bottom, sums.astype(np.int64)


def _patches(
    source: NDArray[Any], ofm: Shape, kernel: Kernel, top: int, bottom: int
) -> NDArray[Any]:
    """Return the IFM elements under the kernel [rows, width, kernel y, kernel x, depth]."""
    step_y, step_x, step_c = source.strides
    return as_strided(
        source[top * kernel.stride_y :],
        shape=(bottom - top, ofm.width, kernel.height, kernel.width, source.shape[2]),
        strides=(
            step_y * kernel.stride_y,
            step_x * kernel.stride_x,
            step_y * kernel.dilation_y,
            step_x * kernel.dilation_x,
            step_c,
        ),
        writeable=False,
    )


def convolve_depthwise(
    frame: NDArray[np.int32], weights: NDArray[np.int16], ofm: Shape, kernel: Kernel
) -> Iterator[tuple[int, int, Int64Array]]:
    """Yield bands of accumulators; each channel has a kernel of its own.

    Args:
        frame: Padded IFM [height, width, depth], zero points removed.
        weights: [depth, kernel height, kernel width, 1].
        ofm: Shape of the OFM.
        kernel: Strides and dilations.
    """
    dtype = exact_float(_bound(frame, weights, (1, 2, 3)))
    source = frame.astype(dtype)
    factors = weights[..., 0].transpose(1, 2, 0).astype(dtype)
    for top, bottom in bands(ofm, ofm.width * ofm.depth):
        patches = _patches(source, ofm, kernel, top, bottom)
        sums = np.zeros((bottom - top, ofm.width, ofm.depth), dtype=dtype)
        for y in range(kernel.height):
            for x in range(kernel.width):
                sums += patches[:, :, y, x] * factors[y, x]
        yield top, bottom, sums.astype(np.int64)
