# SPDX-License-Identifier: Apache-2.0
"""Accumulators of NPU_OP_POOL: maximum, average, sum over depth."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethosu_model.convolution import patches_of
from ethosu_model.operands import Kernel, Padding, Shape
from ethosu_model.window import padded, taps

Int64Array = NDArray[np.int64]
_LOWEST = np.iinfo(np.int32).min


def pool_maximum(ifm: NDArray[Any], ofm: Shape, kernel: Kernel, padding: Padding) -> Int64Array:
    """Return the largest element under the kernel; padding never wins."""
    frame = padded(ifm, ofm, kernel, padding, _LOWEST)
    if _is_wide(ofm, kernel):
        windows = patches_of(frame, ofm, kernel, 0, ofm.height)
        return np.asarray(windows.max(axis=(2, 3)).astype(np.int64))
    result = np.full((ofm.height, ofm.width, ofm.depth), _LOWEST, dtype=np.int32)
    for _, _, elements in taps(frame, ofm, kernel):
        np.maximum(result, elements, out=result)
    return result.astype(np.int64)


def pool_sum(ifm: NDArray[Any], ofm: Shape, kernel: Kernel, padding: Padding) -> Int64Array:
    """Return the sum of the elements under the kernel; padding counts as zero."""
    frame = padded(ifm, ofm, kernel, padding, 0)
    if _is_wide(ofm, kernel):
        windows = patches_of(frame, ofm, kernel, 0, ofm.height)
        return np.asarray(windows.sum(axis=(2, 3), dtype=np.int64))
    result = np.zeros((ofm.height, ofm.width, ofm.depth), dtype=np.int64)
    for _, _, elements in taps(frame, ofm, kernel):
        result += elements
    return result


def _is_wide(ofm: Shape, kernel: Kernel) -> bool:
    """Tell whether the kernel has more elements than there are places for it."""
    return kernel.height * kernel.width > ofm.height * ofm.width


def count_elements(ifm: Shape, ofm: Shape, kernel: Kernel, padding: Padding) -> Int64Array:
    """Return how many IFM elements, not padding, lie under the kernel [height, width, 1]."""
    ones = np.ones((ifm.height, ifm.width, 1), dtype=np.int32)
    return pool_sum(ones, Shape(ofm.height, ofm.width, 1), kernel, padding)


def reduce_sum(ifm: NDArray[Any]) -> Int64Array:
    """Return the sum over depth [height, width, 1]."""
    return np.asarray(ifm.sum(axis=2, dtype=np.int64, keepdims=True))


def average_scale(counts: Int64Array) -> tuple[Int64Array, Int64Array]:
    """Return multiplier and shift that divide by ``counts``.

    The NPU makes them itself when padding lets the counts differ; the rule is Vela's
    scaling.quantise_pooling_scale.
    """
    bits = np.array([(int(n) - 1).bit_length() for n in counts.ravel()]).reshape(counts.shape)
    multiplier = ((1 << 31 + bits) + (1 << bits)) // np.maximum(counts, 1)
    return multiplier, 31 + bits
