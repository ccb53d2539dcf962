# SPDX-License-Identifier: Apache-2.0
"""Executes Ethos-U85's NPU_OP_ELEMENTWISE."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethosu_model.elementwise import count_leading_zeros, shift_left
from ethosu_model.enums import Rounding
from ethosu_model.faults import CommandFault
from ethosu_model.operands import Shape
from ethosu_model.rounding import shift_right_rounded
from ethosu_model.u85.command_words import Broadcast, IfmScale
from ethosu_model.u85.commands import Cmd0, Cmd1
from ethosu_model.u85.enums import BroadcastMode, ElementwiseMode, OfmRounding
from ethosu_model.u85.operands import IFM, IFM2, FeatureMapCommands, Operand
from ethosu_model.u85.operation import Operation
from ethosu_model.u85.scaling import scale_operand, scale_result

IntArray = NDArray[Any]
Mode = ElementwiseMode

_UNARY = frozenset({Mode.LRELU, Mode.ABS, Mode.CLZ, Mode.NOT})
_COMPARISONS: dict[Mode, Callable[[IntArray, IntArray], IntArray]] = {
    Mode.CMP_EQ: np.equal,
    Mode.CMP_NE: np.not_equal,
    Mode.CMP_GE: np.greater_equal,
    Mode.CMP_GT: np.greater,
}
_SCALED_OPERANDS = frozenset({Mode.ADD, Mode.SUB, Mode.LRELU, *_COMPARISONS})
_SHIFT_ROUNDINGS = {
    OfmRounding.DOUBLE_SYMMETRIC: Rounding.TFL,
    OfmRounding.NATURAL: Rounding.NATURAL,
    OfmRounding.TRUNCATE_TO_ZERO: Rounding.TRUNCATE,
}
# Results that OFM_SCALE scales. The others are values or truths as they are.
_SCALED = frozenset({Mode.MUL, Mode.ADD, Mode.SUB, Mode.ABS})
_BINARY: dict[Mode, Callable[[IntArray, IntArray], IntArray]] = {
    Mode.MUL: np.multiply,
    Mode.ADD: np.add,
    Mode.SUB: np.subtract,
    Mode.MIN: np.minimum,
    Mode.MAX: np.maximum,
    Mode.SHL: shift_left,
    Mode.AND: np.bitwise_and,
    Mode.OR: np.bitwise_or,
    Mode.XOR: np.bitwise_xor,
    Mode.AND_NOT: lambda first, second: first & ~second,
}


class Elementwise(Operation):
    """NPU_OP_ELEMENTWISE; its parameter is the mode."""

    def resolve(self) -> None:
        """Resolve all operands.

        Raises:
            CommandFault: One of them is not legal, or the mode is not modelled in this form.
        """
        super().resolve()
        mode = self._mode
        name = f"NPU_OP_ELEMENTWISE {mode.name}"
        if mode is Mode.LSR:
            raise CommandFault(f"{name} is not modelled")
        if mode not in _SCALED and not self.scaling.is_one:
            raise CommandFault(f"{name}: NPU_SET_OFM_SCALE {self.scaling} is not modelled")
        if mode not in _SCALED_OPERANDS:
            for command in (Cmd1.NPU_SET_IFM_SCALE, Cmd1.NPU_SET_IFM2_SCALE)[: self._count]:
                if self.state.value(command) and not self.decoder.scaling(command).is_one:
                    raise CommandFault(f"{name}: a scale in {command.name} is not modelled")
        if mode is Mode.SHR and self.rounding not in _SHIFT_ROUNDINGS:
            raise CommandFault(f"{name}: round_mode {self.rounding.name} is not modelled")

    @property
    def divides(self) -> bool:  # type: ignore[override]
        """Whether the output stage divides."""
        return self._mode is Mode.DIV

    @cached_property
    def _mode(self) -> Mode:
        return self.instruction.get(Cmd0.NPU_OP_ELEMENTWISE.elementwise_mode)

    @property
    def _count(self) -> int:
        """How many operands there are."""
        return 1 if self._mode in _UNARY else 2

    @cached_property
    def _operands(self) -> tuple[Operand | None, Operand | None]:
        """IFM and IFM2; None for a scalar, and for IFM2 of an operation without one."""
        first = self._operand(IFM, Cmd0.NPU_SET_IFM_BROADCAST)
        if self._count == 1:
            return first, None
        return first, self._operand(IFM2, Cmd0.NPU_SET_IFM2_BROADCAST)

    def _operand(self, commands: FeatureMapCommands, broadcast: Broadcast) -> Operand | None:
        mode = self.state.get(broadcast.broadcast_mode)
        if mode is BroadcastMode.SCALAR:
            return None
        shape = Shape(
            1 if mode & BroadcastMode.H else self.shape.height,
            1 if mode & BroadcastMode.W else self.shape.width,
            1 if mode & BroadcastMode.C else self.shape.depth,
        )
        return self.decoder.operand(commands, shape)

    @cached_property
    def inputs(self) -> tuple[Operand, ...]:
        """The operands that are no scalars."""
        return tuple(operand for operand in self._operands if operand is not None)

    def compute(self) -> IntArray:
        """Return scaled results."""
        first = self._values(self._operands[0], IFM)
        if self._count == 1:
            result = self._unary(first)
        else:
            result = self._binary(first, self._values(self._operands[1], IFM2))
        shape = self.shape
        return np.broadcast_to(result, (shape.height, shape.width, shape.depth))

    def _values(self, operand: Operand | None, commands: FeatureMapCommands) -> IntArray:
        if operand is not None:
            return self.read(operand)
        return np.full((1, 1, 1), self.decoder.scalar(commands), np.int64)

    def _scaled(self, values: IntArray, command: IfmScale) -> IntArray:
        rounding = self.state.get(command.round_mode)
        return scale_operand(values, self.decoder.scaling(command), rounding)

    def _unary(self, values: IntArray) -> IntArray:
        if self._mode is Mode.LRELU:
            positive = self._scaled(values, Cmd1.NPU_SET_IFM_SCALE)
            negative = self._scaled(values, Cmd1.NPU_SET_IFM2_SCALE)
            return np.where(values < 0, negative, positive)
        if self._mode is Mode.ABS:
            return self.scale_global(np.abs(values))
        return ~values if self._mode is Mode.NOT else count_leading_zeros(values)

    def _binary(self, first: IntArray, second: IntArray) -> IntArray:
        mode = self._mode
        if mode in _SCALED_OPERANDS:
            first = self._scaled(first, Cmd1.NPU_SET_IFM_SCALE)
            second = self._scaled(second, Cmd1.NPU_SET_IFM2_SCALE)
        if mode is Mode.SHR:
            first, second = np.broadcast_arrays(first, second)
            return shift_right_rounded(first, second, _SHIFT_ROUNDINGS[self.rounding])
        if mode is Mode.DIV:
            return _divide(first, second)
        if mode in _COMPARISONS:
            # True is all ones: Vela masks with it, and makes it 1 by AND.
            return -np.asarray(_COMPARISONS[mode](first, second), np.int64)
        result = np.asarray(_BINARY[mode](first, second), np.int64)
        if mode is Mode.MUL and self.decoder.dtype(Cmd0.NPU_SET_IFM_PRECISION).itemsize == 4:
            return scale_result(result, 1, self.scaling.shift, self.rounding)
        return self.scale_global(result) if mode in _SCALED else result


def _divide(first: IntArray, second: IntArray) -> IntArray:
    """Return the quotient, its fraction dropped.

    Raises:
        CommandFault: A divisor is zero; what the NPU makes of that is not known.
    """
    if not np.all(second):
        raise CommandFault("NPU_OP_ELEMENTWISE DIV by zero is not modelled")
    return np.asarray(np.sign(first) * np.sign(second) * (np.abs(first) // np.abs(second)))
