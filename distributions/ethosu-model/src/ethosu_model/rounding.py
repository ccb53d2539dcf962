# SPDX-License-Identifier: Apache-2.0
"""Fixed-point scaling with the NPU's three roundings."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethosu_model.enums import Rounding

IntArray = NDArray[Any]

# Products below this leave room for a rounding term in 64 bits, and their upper 31 bits
# with a rounding term fit 32 bits.
_SAFE_PRODUCT = 1 << 61
MAX_SHIFT = 62
WIDE_LIMIT = 1 << 62  # results beyond saturate
_UPPER = 1 if sys.byteorder == "little" else 0  # word of two
_LONG_ROW = 4096  # elements: such rows are not worth repeating
_MAX_WIDTHS = 8  # of rows, for which it is kept what they take
_FEW = 64  # elements that Python goes through sooner than NumPy begins


def scale_and_round(
    values: IntArray,
    multiplier: IntArray | int,
    shift: IntArray | int,
    rounding: Rounding,
    *,
    bound: int | None = None,
) -> IntArray:
    """Return ``values * multiplier / 2**shift``, rounded: int64, or int32 if that is sure to do.

    Args:
        values: Accumulators, int64, any shape.
        multiplier: 0 to 2**32 - 1; broadcast against ``values``.
        shift: 0 or more; broadcast against ``values``.
        rounding: TFL is TensorFlow Lite's MultiplyByQuantizedMultiplier; NATURAL rounds
            halves up; TRUNCATE drops the fraction towards zero.
        bound: What no magnitude in ``values`` exceeds, if the caller knows it.
    """
    largest_multiplier = multiplier if isinstance(multiplier, int) else int(multiplier.max())
    if bound is None or bound * largest_multiplier >= _SAFE_PRODUCT:
        bound = _largest(values)
    if bound * largest_multiplier < _SAFE_PRODUCT:
        return _ROUNDINGS[rounding](values * multiplier, shift)
    return _scale_wide(values, np.asarray(multiplier), np.asarray(shift), rounding)


def _largest(values: IntArray) -> int:
    """Return the largest magnitude, 0 of none."""
    if values.size > _FEW:
        return max(int(values.max()), -int(values.min()))
    few = values.ravel().tolist()
    return max(*few, -min(few)) if few else 0


class ChannelRounding:
    """Adds biases, and rounds at bit 31 and then at each channel's own shift.

    What that takes is worked out once for each width of a row: NumPy goes through long rows faster
    than through the channels of one element after the other.

    Attributes:
        applies: All shifts are such that the second rounding fits 32 bits.
    """

    def __init__(self, bias: IntArray, multiplier: IntArray, shift: IntArray) -> None:
        """Prepare for biases, multipliers and shifts by channel, int64."""
        self.applies = bool(shift.size) and int(shift.min()) > 31 and int(shift.max()) < 62
        self._largest = int(multiplier.max()) if multiplier.size else 0
        rest = (shift - 31).astype(np.int32)
        half = np.left_shift(np.int32(1), rest) >> np.int32(1)
        self._channels = bias, multiplier, half, rest
        self._rows: dict[int, tuple[IntArray, ...]] = {}

    def scale(self, sums: IntArray, bound: int) -> IntArray | None:
        """Return what `scale_and_round` returns for TFL, int32.

        Args:
            sums: Without biases [rows, width, channels], whole numbers.
            bound: What no magnitude exceeds when the biases have been added, nor without.

        Returns:
            None if a product might not fit 64 bits, or a shift is another.
        """
        if not self.applies or bound * self._largest >= _SAFE_PRODUCT:
            return None
        twice, added, half, rest = self._of_rows(sums.shape[1])
        values = sums.reshape(-1, len(added))
        if bound < 1 << 31 and values.dtype.kind == "f":
            values = values.astype(np.int32)  # in two steps it takes half the time
        values = values.astype(np.int64)
        values *= twice
        values += added
        # Twice the product, rounded at bit 32: what is left of it is the upper word.
        high = values.view(np.int32)[:, _UPPER::2]
        result = high + half
        result += high >> np.int32(31)
        result >>= rest
        return result.reshape(sums.shape)

    def _of_rows(self, width: int) -> tuple[IntArray, ...]:
        rows = self._rows.get(width)
        if rows is None:
            if len(self._rows) >= _MAX_WIDTHS:
                self._rows.clear()
            bias, multiplier, half, rest = self._channels
            repeats = width if width * len(bias) <= _LONG_ROW else 1
            twice, added = 2 * multiplier, 2 * (bias * multiplier + (1 << 30))
            rows = tuple(np.tile(each, repeats) for each in (twice, added, half, rest))
            self._rows[width] = rows
        return rows


def _scale_wide(
    values: IntArray, multiplier: IntArray, shift: IntArray, rounding: Rounding
) -> IntArray:
    """Do the same in Python's integers, for products beyond 64 bits; saturate at 2**62."""
    result = _WIDE_ROUNDINGS[rounding](
        values.astype(object) * multiplier.astype(object), shift.astype(object)
    )
    limited = np.minimum(np.maximum(result, -WIDE_LIMIT), WIDE_LIMIT)
    return np.asarray(limited, dtype=np.int64)


# -- products in 64 bits; they are overwritten ------------------------------------------


def _half(shift: IntArray | int) -> IntArray | int:
    """Return half of ``2**shift``, and 0 for a shift of 0."""
    if isinstance(shift, int):
        return (1 << shift) >> 1
    return np.asarray(np.left_shift(shift.dtype.type(1), shift) >> shift.dtype.type(1))


def _natural(product: IntArray, shift: IntArray | int) -> IntArray:
    """Round halves up."""
    if isinstance(shift, int) and shift > MAX_SHIFT:
        return np.zeros_like(product)  # less than half is left of a product below 2**61
    bounded = shift if isinstance(shift, int) else np.minimum(shift, MAX_SHIFT)
    product += _half(bounded)
    product >>= bounded
    if isinstance(shift, int) or int(shift.max()) <= MAX_SHIFT:
        return product
    return np.where(shift > MAX_SHIFT, 0, product)


def _half_away(values: IntArray, shift: IntArray | int) -> IntArray:
    """Round halves away from zero (gemmlowp's RoundingDivideByPOT).

    Adding a half, less one for negative values, gives that with one shift.
    """
    sign = values >> values.dtype.type(8 * values.itemsize - 1)
    if isinstance(shift, int):
        sign *= values.dtype.type(shift > 0)
    else:
        shift = shift.astype(values.dtype)
        if int(shift.min()) == 0:
            sign *= (shift > 0).astype(values.dtype)
    values += _half(shift)
    values += sign
    values >>= shift
    return values


def _tfl(product: IntArray, shift: IntArray | int) -> IntArray:
    """Round at bit 31, then at what is left (TFLite common.h MultiplyByQuantizedMultiplier).

    With a shift below 31 TFLite shifts left before it multiplies, so there is one rounding.
    """
    if isinstance(shift, int):
        least = most = shift
    else:
        least, most = int(shift.min()), int(shift.max())
    if most <= 31:
        return _natural(product, shift)
    if isinstance(shift, int):
        high, rest = _natural(product, 31), shift - 31
    else:
        high = _natural(product, 31 if least > 31 else np.minimum(shift, 31))
        rest = np.maximum(shift - 31, 0)
    if least > 31 and most < 62:
        high = high.astype(np.int32)  # and the second rounding leaves at most 2**30
    return _half_away(high, rest)


def _to_zero(product: IntArray, shift: IntArray | int) -> IntArray:
    bounded = np.minimum(shift, MAX_SHIFT)
    product += np.where(product < 0, np.left_shift(1, bounded) - 1, 0)
    product >>= bounded
    return product


_ROUNDINGS = {Rounding.TFL: _tfl, Rounding.TRUNCATE: _to_zero, Rounding.NATURAL: _natural}


# -- the same rules for Python's integers -----------------------------------------------


def _wide_natural(product: IntArray, shift: IntArray) -> IntArray:
    return np.asarray((product + (2**shift // 2)) // 2**shift)


def _wide_tfl(product: IntArray, shift: IntArray) -> IntArray:
    high = _wide_natural(product, np.minimum(shift, 31))
    rest = np.maximum(shift - 31, 0)
    sign = np.where((high < 0) & (rest > 0), 1, 0)
    return np.asarray((high + 2**rest // 2 - sign) // 2**rest)


def _wide_to_zero(product: IntArray, shift: IntArray) -> IntArray:
    return np.asarray(np.where(product < 0, -(-product // 2**shift), product // 2**shift))


_WIDE_ROUNDINGS = {
    Rounding.TFL: _wide_tfl,
    Rounding.TRUNCATE: _wide_to_zero,
    Rounding.NATURAL: _wide_natural,
}


def shift_right_rounded(values: IntArray, shift: IntArray, rounding: Rounding) -> IntArray:
    """Return ``values / 2**shift`` for SHR: halves up, halves away from zero, or to zero."""
    bounded = np.broadcast_to(np.clip(shift, 0, MAX_SHIFT), values.shape)
    if rounding is Rounding.NATURAL:
        return _natural(values.copy(), bounded)
    if rounding is Rounding.TFL:
        return _half_away(values.copy(), bounded)
    return _to_zero(values.copy(), bounded)
