# SPDX-License-Identifier: Apache-2.0
"""Elementwise operations on a few elements, in Python's integers: NumPy takes longer to begin.

A softmax is some twenty of them. The rules are those of `elementwise`, `rounding` and `output`,
written for one element.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

from ethosu_model.bus import Bus
from ethosu_model.elementwise import INPUT_SHIFT, OperandScaling
from ethosu_model.enums import ElementwiseMode, Rounding, ScaleMode
from ethosu_model.faults import AxiChannel
from ethosu_model.feature_map import Plain
from ethosu_model.operands import ElementType, FeatureMap, OfmScaling
from ethosu_model.rounding import MAX_SHIFT, WIDE_LIMIT

MAX_FEW = 32

Unary = Callable[[int], int]
Binary = Callable[[int, int], int]
_Scale = Callable[[int, int, int], int]  # value, multiplier, shift


def struct_of(dtype: ElementType, count: int) -> struct.Struct:
    """Return how so many elements lie in memory."""
    letter = {1: "b", 2: "h", 4: "i"}[dtype.itemsize]
    return struct.Struct(f"<{count}{letter if dtype.kind == 'i' else letter.upper()}")


def places(plain: Plain, element_bytes: int) -> list[int]:
    """Return where in its transfer each element of a feature map is, in elements.

    In the order height, width, depth.
    """
    height, width, depth = plain.shape
    rows, columns, *bricks = plain.strides
    channel, brick = bricks[-1], bricks[0] if plain.bricks > 1 else 0
    channels = plain.axes[-1]
    return [
        (plain.offset + y * rows + x * columns + c // channels * brick + c % channels * channel)
        // element_bytes
        for y in range(height)
        for x in range(width)
        for c in range(depth)
    ]


class FewReader:
    """Reads a few elements without their zero point, one for each element of the OFM."""

    def __init__(
        self, bus: Bus, fm: FeatureMap, plain: Plain, ofm_shape: tuple[int, int, int]
    ) -> None:
        """Read ``fm``; axes of length 1 are repeated along those of the OFM."""
        size_bytes, found = fm.dtype.itemsize, places(plain, fm.dtype.itemsize)
        height, width, depth = ofm_shape
        rows, columns, channels = plain.shape
        self._bus, self._fm, self._plain = bus, fm, plain
        self._struct = struct_of(fm.dtype, plain.span_bytes // size_bytes)
        self._places = [
            found[(y % rows * columns + x % columns) * channels + c % channels]
            for y in range(height)
            for x in range(width)
            for c in range(depth)
        ]
        self._in_order = self._places == list(range(len(self._places)))

    def read(self) -> Sequence[int]:
        """Return the elements; TransferFault if they are no memory."""
        plain, zero_point = self._plain, self._fm.zero_point
        data = self._bus.read(plain.low, plain.span_bytes, self._fm.port, AxiChannel.IFM)
        values: Sequence[int] = self._struct.unpack(data)
        if not self._in_order:
            values = [values[place] for place in self._places]
        return [value - zero_point for value in values] if zero_point else values


class FewWriter:
    """Writes the elements of a dense OFM."""

    def __init__(self, bus: Bus, fm: FeatureMap, plain: Plain) -> None:
        found = places(plain, fm.dtype.itemsize)
        self._bus, self._fm, self._plain = bus, fm, plain
        self._struct = struct_of(fm.dtype, len(found))
        self._order = sorted(range(len(found)), key=found.__getitem__)

    def write(self, values: Sequence[int]) -> None:
        """Store elements, given in the order height, width, depth; TransferFault as for reads."""
        data = self._struct.pack(*(values[index] for index in self._order))
        self._bus.write(self._plain.low, data, self._fm.port, AxiChannel.OFM)


# -- rounding of one value ----------------------------------------------------------------


def _natural(value: int, multiplier: int, shift: int) -> int:
    return value * multiplier + (1 << shift >> 1) >> shift


def _tfl(value: int, multiplier: int, shift: int) -> int:
    if shift <= 31:
        return _natural(value, multiplier, shift)
    return _half_away(value * multiplier + (1 << 30) >> 31, shift - 31)


def _half_away(value: int, shift: int) -> int:
    return value + (1 << shift >> 1) - (value < 0 and shift > 0) >> shift


def _to_zero(value: int, multiplier: int, shift: int) -> int:
    product = value * multiplier
    return product >> shift if product >= 0 else -(-product >> shift)


_SCALES: dict[Rounding, _Scale] = {
    Rounding.TFL: _tfl,
    Rounding.TRUNCATE: _to_zero,
    Rounding.NATURAL: _natural,
}


def _scale_by(multiplier: int, shift: int, rounding: Rounding) -> Unary:
    scale = _SCALES[rounding]
    return lambda value: max(-WIDE_LIMIT, min(scale(value, multiplier, shift), WIDE_LIMIT))


# -- operations on one element --------------------------------------------------------------


def _shift_right(rounding: Rounding) -> Binary:
    if rounding is Rounding.TFL:
        return lambda value, by: _half_away(value, max(0, min(by, MAX_SHIFT)))
    scale = _SCALES[rounding]
    return lambda value, by: scale(value, 1, max(0, min(by, MAX_SHIFT)))


def _shift_left(value: int, by: int) -> int:
    return (value << max(0, min(by, 31)) & 0xFFFFFFFF ^ 0x80000000) - 0x80000000


def unary(mode: ElementwiseMode, scaling: OfmScaling) -> Unary:
    """Return LRELU, ABS or CLZ."""
    scale = _scale_by(scaling.multiplier, scaling.shift, scaling.rounding)
    if mode is ElementwiseMode.LRELU:
        return lambda value: scale(value) if value < 0 else value
    if mode is ElementwiseMode.ABS:
        return lambda value: scale(abs(value))
    return lambda value: 32 - (value & 0xFFFFFFFF).bit_length()


def _operands(scaling: OperandScaling) -> tuple[Unary, Unary]:
    """Return what brings IFM and IFM2 to one scale; see `elementwise.add_operands`."""
    if scaling.scale_mode is ScaleMode.OPA_OPB_16:
        first, second = scaling.opa[0] & 0xFFFF, scaling.opb_multiplier
        if scaling.reversed_order:
            first, second = second, first
        return lambda value: value * first, lambda value: value * second
    left = INPUT_SHIFT[scaling.ifm_bits]
    plain = max(0, left - 1)
    scale = _scale_by(scaling.opa[0], scaling.opa[1] + left, scaling.rounding)
    scaled: Unary = lambda value: scale(value << left)  # noqa: E731
    shifted: Unary = lambda value: value << plain  # noqa: E731
    scales_ifm = (scaling.scale_mode is ScaleMode.OPA_32) is not scaling.reversed_order
    return (scaled, shifted) if scales_ifm else (shifted, scaled)


def binary(
    mode: ElementwiseMode,
    scaling: OfmScaling,
    operands: OperandScaling | None,
    *,
    reversed_order: bool,
    wide_product: bool,
) -> Binary:
    """Return an operation on an element of IFM and one of IFM2.

    Args:
        mode: The operation.
        scaling: Of the result.
        operands: Of ADD and SUB.
        reversed_order: IFM2 is the first operand.
        wide_product: MUL of 32-bit operands.
    """
    if mode is ElementwiseMode.MIN:
        return min
    if mode is ElementwiseMode.MAX:
        return max
    if mode in (ElementwiseMode.SHL, ElementwiseMode.SHR):
        left = mode is ElementwiseMode.SHL
        shift = _shift_left if left else _shift_right(scaling.rounding)
        return (lambda ifm, ifm2: shift(ifm2, ifm)) if reversed_order else shift
    if mode is ElementwiseMode.MUL:
        multiplier = 1 if wide_product else scaling.multiplier
        scale = _scale_by(multiplier, scaling.shift, scaling.rounding)
        return lambda first, second: scale(first * second)
    if operands is None:
        raise ValueError(f"{mode.name} has operands of one scale")
    scale = _scale_by(scaling.multiplier, scaling.shift, scaling.rounding)
    of_ifm, of_ifm2 = _operands(operands)
    sign = -1 if mode is ElementwiseMode.SUB else 1
    if reversed_order:
        return lambda ifm, ifm2: scale(of_ifm2(ifm2) + sign * of_ifm(ifm))
    return lambda ifm, ifm2: scale(of_ifm(ifm) + sign * of_ifm2(ifm2))
