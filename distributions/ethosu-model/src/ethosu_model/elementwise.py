# SPDX-License-Identifier: Apache-2.0
"""NPU_OP_ELEMENTWISE: one rule per operation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethosu_model.enums import ElementwiseMode, Rounding, ScaleMode
from ethosu_model.operands import OfmScaling
from ethosu_model.rounding import scale_and_round

Int64Array = NDArray[Any]

UNARY = frozenset({ElementwiseMode.LRELU, ElementwiseMode.ABS, ElementwiseMode.CLZ})
# Left shift of both operands before 32-bit scaling (TFLite add.cc: 20, or 15 for int16);
# the operand that is not scaled has a scale of one half, so one bit less.
INPUT_SHIFT = {8: 20, 16: 15, 32: 0}


@dataclass(frozen=True)
class OperandScaling:
    """How ADD and SUB bring both operands to one scale.

    Attributes:
        scale_mode: Which operand is scaled with 32 bits, or both with 16.
        rounding: Rounding of the 32-bit scaling.
        opa: Multiplier and shift of OPA_SCALE.
        opb_multiplier: Multiplier of OPB_SCALE.
        ifm_bits: Element size of the IFM.
        reversed_order: IFM2 is operand A.
    """

    scale_mode: ScaleMode
    rounding: Rounding
    opa: tuple[int, int]
    opb_multiplier: int
    ifm_bits: int
    reversed_order: bool


def add_operands(
    ifm: Int64Array, ifm2: Int64Array, scaling: OperandScaling
) -> tuple[Int64Array, Int64Array]:
    """Return IFM and IFM2 at a common scale.

    OPA and OPB name the first and second operand; with reversed order the first is IFM2
    (Vela: register_command_stream_generator.generate_scaling_for_elementwise).
    """
    if scaling.scale_mode is ScaleMode.OPA_OPB_16:
        first, second = scaling.opa[0] & 0xFFFF, scaling.opb_multiplier
        if scaling.reversed_order:
            first, second = second, first
        return ifm * first, ifm2 * second
    scales_ifm = (scaling.scale_mode is ScaleMode.OPA_32) is not scaling.reversed_order
    left = INPUT_SHIFT[scaling.ifm_bits]
    plain = max(0, left - 1)
    if scales_ifm:
        return _scale_operand(ifm, scaling, left), ifm2 << plain
    return ifm << plain, _scale_operand(ifm2, scaling, left)


def _scale_operand(values: Int64Array, scaling: OperandScaling, left: int) -> Int64Array:
    """Scale as TFLite does: shift left first, so that double rounding rounds at the same bits."""
    multiplier, shift = scaling.opa
    return scale_and_round(values << left, multiplier, shift + left, scaling.rounding)


def combine(operation: ElementwiseMode, first: Int64Array, second: Int64Array) -> Int64Array:
    """Return the accumulators of a binary operation on its operands in order."""
    return _BINARY[operation](first, second)


_BINARY: dict[ElementwiseMode, Callable[[Int64Array, Int64Array], Int64Array]] = {
    ElementwiseMode.MUL: np.multiply,
    ElementwiseMode.ADD: np.add,
    ElementwiseMode.SUB: np.subtract,
    ElementwiseMode.MIN: np.minimum,
    ElementwiseMode.MAX: np.maximum,
}


def shift_left(values: Int64Array, amounts: Int64Array) -> Int64Array:
    """SHL: shift and keep 32 bits."""
    shifted = values << np.clip(amounts, 0, 31)
    return np.asarray((shifted & 0xFFFFFFFF ^ 0x80000000) - 0x80000000)


def count_leading_zeros(values: Int64Array) -> Int64Array:
    """CLZ of the 32-bit pattern."""
    unsigned = (values & 0xFFFFFFFF).astype(np.float64)
    return np.where(unsigned > 0, 32 - np.frexp(unsigned)[1], 32).astype(np.int64)


def leaky_relu(values: Int64Array, scaling: OfmScaling) -> Int64Array:
    """LRELU: scale the negative values only."""
    scaled = scale_and_round(values, scaling.multiplier, scaling.shift, scaling.rounding)
    return np.where(values < 0, scaled, values)


def scale_wide_product(values: Int64Array, scaling: OfmScaling) -> Int64Array:
    """MUL of 32-bit operands: shift only.

    Vela's softmax multiplies fixed-point numbers this way (softmax.py, passes 11 to 29):
    with OFM_SCALE 2**30 >> 31 it means product >> 31, and with 1 >> 0 the plain product.
    """
    return scale_and_round(values, 1, scaling.shift, scaling.rounding)
