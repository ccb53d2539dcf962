# SPDX-License-Identifier: Apache-2.0
"""Ethos-U85's fixed-point scaling: the roundings of Ethos-U55 and U65, and three more."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethosu_model.enums import Rounding
from ethosu_model.faults import CommandFault
from ethosu_model.rounding import scale_and_round
from ethosu_model.u85.enums import IfmRounding, OfmRounding
from ethosu_model.u85.operands import Scaling

IntArray = NDArray[Any]
_Factor = IntArray | int

_SHARED = {
    OfmRounding.DOUBLE_SYMMETRIC: Rounding.TFL,
    OfmRounding.NATURAL: Rounding.NATURAL,
    OfmRounding.TRUNCATE_TO_ZERO: Rounding.TRUNCATE,
}
_OPERAND = {
    IfmRounding.DOUBLE_SYMMETRIC: Rounding.TFL,
    IfmRounding.NATURAL: Rounding.NATURAL,
}


def scale_result(
    values: IntArray, multiplier: _Factor, shift: _Factor, rounding: OfmRounding
) -> IntArray:
    """Return ``values * multiplier / 2**shift``, rounded, int64 or int32.

    Args:
        values: int64; may be overwritten.
        multiplier: 0 to 2**31 - 1; broadcast against ``values``.
        shift: 0 to 63; broadcast against ``values``.
        rounding: As OFM_SCALE names it.

    Raises:
        CommandFault: The rounding is not modelled.
    """
    if rounding in _SHARED:
        return scale_and_round(values, multiplier, shift, _SHARED[rounding])
    if rounding is OfmRounding.SYMMETRIC:
        magnitude = scale_and_round(np.abs(values), multiplier, shift, Rounding.NATURAL)
        return np.where(values < 0, -magnitude, magnitude)
    if rounding is OfmRounding.TRUNCATE_TO_LOWER:
        return np.asarray(_exact_product(values, multiplier) >> shift)
    raise CommandFault(f"NPU_SET_OFM_SCALE: round_mode {rounding.name} is not modelled")


def _exact_product(values: IntArray, multiplier: _Factor) -> IntArray:
    """Return the product, int64; CommandFault if it may not fit."""
    largest = int(np.abs(values).max()) if values.size else 0
    if largest * int(np.max(multiplier)) >= 1 << 61:
        raise CommandFault("NPU_SET_OFM_SCALE: a product of more than 61 bits is not modelled here")
    return np.asarray(values * multiplier)


def scale_operand(values: IntArray, scaling: Scaling, rounding: IfmRounding) -> IntArray:
    """Scale an operand of ADD, SUB or LRELU.

    ``dbl_rnd`` bits are appended first, so that rounding twice rounds where TensorFlow Lite does.

    Raises:
        CommandFault: That makes more than 62 bits.
    """
    left = scaling.left_shift
    largest = max(int(values.max()), -int(values.min()))
    if largest << left >= 1 << 62:
        raise CommandFault(f"NPU_SET_IFM_SCALE.dbl_rnd {left} for {largest} is not modelled here")
    return scale_and_round(
        values << left, scaling.multiplier, scaling.shift + left, _OPERAND[rounding]
    )
