# SPDX-License-Identifier: Apache-2.0
"""Fixed-point scaling with the NPU's three roundings."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Int64Array = NDArray[np.int64]

_SAFE_PRODUCT = 1 << 62
_MAX_SHIFT = 62


class Rounding(IntEnum):
    """``rounding`` of ethos_u55_regs; regor calls TFL "DBL", for it rounds twice."""

    TFL = 0
    TRUNCATE = 1
    NATURAL = 2


def scale_and_round(
    values: Int64Array,
    multiplier: Int64Array | int,
    shift: Int64Array | int,
    rounding: Rounding,
) -> Int64Array:
    """Return ``values * multiplier / 2**shift``, rounded.

    Args:
        values: Accumulators, any shape.
        multiplier: 0 to 2**32 - 1; broadcast against ``values``.
        shift: 0 to 63; broadcast against ``values``.
        rounding: TFL is TensorFlow Lite's MultiplyByQuantizedMultiplier; NATURAL rounds
            halves up; TRUNCATE drops the fraction towards zero.
    """
    product, wide = _product(values, multiplier)
    shifts = np.asarray(shift, dtype=object if wide else np.int64)
    result = _ROUNDINGS[rounding](product, shifts)
    return _saturate_to_64(result) if wide else result


def _product(values: Int64Array, multiplier: Int64Array | int) -> tuple[NDArray[np.int64], bool]:
    """Multiply exactly: in 64 bits where that holds, else in Python's integers."""
    if values.size == 0:
        return values, False
    largest = max(int(values.max()), -int(values.min()))
    if largest * int(np.max(multiplier)) < _SAFE_PRODUCT:
        return values * multiplier, False
    return values.astype(object) * np.asarray(multiplier, dtype=object), True


def _saturate_to_64(values: NDArray[np.int64]) -> Int64Array:
    limit = (1 << 63) - 1
    clipped = np.minimum(np.maximum(values, -limit), limit)
    return np.asarray(clipped, dtype=np.int64)


def round_natural(product: Int64Array, shift: Int64Array) -> Int64Array:
    """Divide by ``2**shift``; halves round towards plus infinity."""
    if shift.dtype != object and np.any(shift > _MAX_SHIFT):
        # Products stay below 2**62, so beyond that shift less than a half is left.
        return np.where(
            shift > _MAX_SHIFT, 0, round_natural(product, np.minimum(shift, _MAX_SHIFT))
        )
    half = (1 << shift) >> 1 if shift.dtype == object else np.left_shift(1, shift) >> 1
    return (product + half) >> shift


def round_half_away(values: Int64Array, shift: Int64Array) -> Int64Array:
    """Divide by ``2**shift``; halves round away from zero (gemmlowp RoundingDivideByPOT)."""
    mask = (1 << shift) - 1 if shift.dtype == object else np.left_shift(1, shift) - 1
    remainder = values & mask
    threshold = (mask >> 1) + (values < 0)
    return (values >> shift) + (remainder > threshold)


def _round_tfl(product: Int64Array, shift: Int64Array) -> Int64Array:
    """Round at bit 31, then at what is left (TFLite common.h MultiplyByQuantizedMultiplier).

    With a shift below 31 TFLite shifts left before it multiplies, so there is one rounding.
    """
    if not np.any(shift > 31):
        return round_natural(product, shift)
    first = np.minimum(shift, 31)
    high = round_natural(product, first)
    return round_half_away(high, shift - first)


def _round_to_zero(product: Int64Array, shift: Int64Array) -> Int64Array:
    if shift.dtype != object:
        shift = np.minimum(shift, _MAX_SHIFT)  # products stay below 2**62
    bias = (1 << shift) - 1 if shift.dtype == object else np.left_shift(1, shift) - 1
    return (product + np.where(product < 0, bias, 0)) >> shift


_ROUNDINGS = {
    Rounding.TFL: _round_tfl,
    Rounding.TRUNCATE: _round_to_zero,
    Rounding.NATURAL: round_natural,
}
