# SPDX-License-Identifier: Apache-2.0
"""Executes Ethos-U85's NPU_OP_RESIZE."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethosu_model.blocks import Reading, Stretch
from ethosu_model.command_stream import CommandState
from ethosu_model.cycles import BlockKind
from ethosu_model.faults import CommandFault
from ethosu_model.limits import MAX_ELEMENTS, check
from ethosu_model.operands import Shape
from ethosu_model.u85.command_words import ResizeOffset, ResizeScale, ResizeStep
from ethosu_model.u85.commands import Cmd0, Cmd1
from ethosu_model.u85.enums import ResizeMode
from ethosu_model.u85.operands import IFM, Operand
from ethosu_model.u85.operation import Operation

_FRACTION_BITS = 16  # of the OFM's shift, beyond what scales


class Resize(Operation):
    """NPU_OP_RESIZE; its parameter is the mode."""

    kind = BlockKind.ELEMENTWISE

    @cached_property
    def inputs(self) -> tuple[Operand, ...]:
        """The IFM; KERNEL_..._M1 have its size.

        Raises:
            CommandFault: OFM_SCALE is no power of two, or the IFM beyond the model's limit.
        """
        if self.scaling.multiplier != 1 or self.scaling.shift < _FRACTION_BITS:
            raise CommandFault(f"NPU_OP_RESIZE: NPU_SET_OFM_SCALE {self.scaling} is not modelled")
        get = self.state.get
        shape = Shape(
            get(Cmd0.NPU_SET_KERNEL_HEIGHT_M1.height_m1) + 1,
            get(Cmd0.NPU_SET_KERNEL_WIDTH_M1.width_m1) + 1,
            self.shape.depth,
        )
        check(shape.elements, MAX_ELEMENTS, "IFM elements")
        return (self.decoder.operand(IFM, shape),)

    def readings(self) -> Iterable[Reading]:
        """Return how blocks read the IFM."""
        nearest = self._mode is ResizeMode.NEAREST
        vertical, across = (axis.stretch(nearest=nearest) for axis in self._axes)
        return [Reading(self.inputs[0].fm, stretch=(vertical, across))]

    @property
    def _mode(self) -> ResizeMode:
        return self.instruction.get(Cmd0.NPU_OP_RESIZE.resize_mode)

    @property
    def _axes(self) -> tuple[_Axis, _Axis]:
        rows = _Axis(
            self.state,
            Cmd0.NPU_SET_RESIZE_Y_SCALE_N_M1,
            Cmd1.NPU_SET_RESIZE_Y_STEP,
            Cmd0.NPU_SET_RESIZE_Y_OFFSET,
        )
        columns = _Axis(
            self.state,
            Cmd0.NPU_SET_RESIZE_X_SCALE_N_M1,
            Cmd1.NPU_SET_RESIZE_X_STEP,
            Cmd0.NPU_SET_RESIZE_X_OFFSET,
        )
        return rows, columns

    def compute(self) -> NDArray[Any]:
        """Return scaled results."""
        values = self.read(self.inputs[0])
        rows, columns = self._axes
        mode = self._mode
        if mode is ResizeMode.REPLICATE:
            raise CommandFault("NPU_OP_RESIZE.resize_mode REPLICATE is not modelled")
        blend = _bilinear if mode is ResizeMode.BILINEAR else _nearest
        result = blend(values, rows, self.shape.height, axis=0)
        result = blend(result, columns, self.shape.width, axis=1)
        return self.scale_global(result << _FRACTION_BITS)


class _Axis:
    """Where along an axis the elements of the OFM lie in the IFM."""

    def __init__(
        self, state: CommandState, scale: ResizeScale, step: ResizeStep, offset: ResizeOffset
    ) -> None:
        self.parts = state.get(scale.resize_scale_n_m1) + 1
        self._step = state.get(step.one_step_int) * self.parts + state.get(step.one_step_mod)
        self._offset = state.signed(offset.resize_offset)

    def stretch(self, *, nearest: bool) -> Stretch:
        """Return where blocks read along the axis."""
        return Stretch(self.parts, self._step, self._offset, nearest)

    def places(self, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the IFM's element before each of the OFM's, and the parts behind it."""
        place = np.arange(count) * self._step + self._offset
        whole = place // self.parts
        return whole, place - whole * self.parts


def _bilinear(values: NDArray[Any], along: _Axis, count: int, axis: int) -> NDArray[Any]:
    """Return weighted sums of neighbours, times the axis's parts."""
    whole, part = along.places(count)
    last = values.shape[axis] - 1
    low = values.take(np.clip(whole, 0, last), axis)
    high = values.take(np.clip(whole + 1, 0, last), axis)
    weight = part.reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
    return low * (along.parts - weight) + high * weight


def _nearest(values: NDArray[Any], along: _Axis, count: int, axis: int) -> NDArray[Any]:
    whole, part = along.places(count)
    nearest = whole + (2 * part >= along.parts)
    return values.take(np.clip(nearest, 0, values.shape[axis] - 1), axis)
