# SPDX-License-Identifier: Apache-2.0
"""The operands of one operation of Ethos-U85, and their elements."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethosu_model.command_stream import CommandState, Instruction
from ethosu_model.faults import AxiChannel, CommandFault
from ethosu_model.feature_map import read_feature_map
from ethosu_model.job import Job
from ethosu_model.limits import MAX_ELEMENTS, MAX_KERNEL_ELEMENTS, check
from ethosu_model.machine import Machine
from ethosu_model.operands import Shape
from ethosu_model.traffic import Window
from ethosu_model.u85.commands import Cmd0, Cmd1
from ethosu_model.u85.enums import Accumulator, OfmRounding, Transpose
from ethosu_model.u85.operands import (
    IFM,
    OFM,
    FeatureMapCommands,
    Operand,
    OperandDecoder,
    Scaling,
)
from ethosu_model.u85.output import Activation, decode_activation
from ethosu_model.u85.scaling import scale_result
from ethosu_model.window import frame_shape, ifm_shape, upscaled

Array = NDArray[Any]

# Which axes of the result are the OFM's rows, columns and channels.
_AXES = {
    Transpose.HWC: (0, 1, 2),
    Transpose.WHC: (1, 0, 2),
    Transpose.HCW: (0, 2, 1),
    Transpose.WCH: (1, 2, 0),
    Transpose.CHW: (2, 0, 1),
    Transpose.CWH: (2, 1, 0),
}


class Operands:
    """What the command registers ask for; resolved on first use and kept."""

    takes_64_bits: bool = False  # else a fault

    def __init__(
        self, machine: Machine, state: CommandState, job: Job, instruction: Instruction
    ) -> None:
        """Take the command registers, which are not to change afterwards."""
        self.machine = machine
        self.state = state
        self.instruction = instruction
        self.decoder = OperandDecoder(machine.accelerator, state, job)

    @cached_property
    def shape(self) -> Shape:
        """Size of the result, before it is transposed."""
        shape = self.decoder.ofm_shape()
        check(shape.elements, MAX_ELEMENTS, "OFM elements")
        return shape

    @cached_property
    def transpose(self) -> tuple[int, int, int]:
        """Which axes of the result are the OFM's rows, columns and channels."""
        return _AXES[self.state.get(Cmd0.NPU_SET_OFM_PRECISION.activation_transpose)]

    @cached_property
    def ofm(self) -> Operand:
        """The OFM, as it is written."""
        sizes = (self.shape.height, self.shape.width, self.shape.depth)
        height, width, depth = (sizes[axis] for axis in self.transpose)
        return self.decoder.operand(OFM, Shape(height, width, depth))

    @cached_property
    def scaling(self) -> Scaling:
        """OFM_SCALE.

        Raises:
            CommandFault: It appends bits, which nothing of Vela's does.
        """
        scaling = self.decoder.scaling(Cmd1.NPU_SET_OFM_SCALE)
        if scaling.left_shift:
            raise CommandFault(f"NPU_SET_OFM_SCALE: dbl_rnd {scaling.left_shift} is not modelled")
        return scaling

    @property
    def rounding(self) -> OfmRounding:
        """How results are rounded, whatever scales them."""
        return self.state.get(Cmd1.NPU_SET_OFM_SCALE.round_mode)

    @cached_property
    def activation(self) -> Activation:
        """The activation."""
        return decode_activation(self.state, self.ofm.fm)

    @cached_property
    def wide(self) -> bool:
        """Whether accumulators have 48 bits."""
        return self.state.get(Cmd0.NPU_SET_ACC_FORMAT.acc_format) is Accumulator.I48

    @cached_property
    def window(self) -> Window:
        """Kernel, padding and upscaling, checked against the model's limits."""
        kernel = self.decoder.kernel()
        check(kernel.height * kernel.width, MAX_KERNEL_ELEMENTS, "kernel elements")
        upscale = self.state.get(Cmd0.NPU_SET_IFM_UPSCALE.mode)
        return Window(kernel, self.decoder.padding(), upscale)

    def windowed(self, depth: int, commands: FeatureMapCommands = IFM) -> Operand:
        """Return an operand under a kernel: no register holds its size.

        Raises:
            CommandFault: Its size, or that with padding, is beyond the model's limit.
        """
        window = self.window
        shape = ifm_shape(self.shape, window.kernel, window.padding, window.upscale, depth)
        frame = frame_shape(self.shape, window.kernel, depth)
        check(max(frame.elements, shape.elements), MAX_ELEMENTS, "IFM elements")
        return self.decoder.operand(commands, shape)

    @cached_property
    def block(self) -> Shape:
        """The OFM block."""
        return Shape(
            self.state.get(Cmd0.NPU_SET_OFM_BLK_HEIGHT_M1.height_m1) + 1,
            self.state.get(Cmd0.NPU_SET_OFM_BLK_WIDTH_M1.width_m1) + 1,
            self.state.get(Cmd0.NPU_SET_OFM_BLK_DEPTH_M1.depth_m1) + 1,
        )

    def read(self, operand: Operand, dtype: type = np.int64) -> Array:
        """Return an operand's elements without its zero point.

        Raises:
            CommandFault: The chaining buffer does not hold such a feature map.
        """
        if operand.fm.dtype.itemsize == 8 and not self.takes_64_bits:
            raise CommandFault(
                f"{self.instruction.command.name}: operands of {operand.fm.dtype} are not modelled"
            )
        if operand.chain is None:
            values = read_feature_map(self.machine.bus, operand.fm, AxiChannel.IFM)
        else:
            values = self._chained(operand)
        return np.subtract(values, operand.fm.zero_point, dtype=dtype)

    def _chained(self, operand: Operand) -> Array:
        shape = operand.fm.shape
        expected = (shape.height, shape.width, shape.depth)
        held = self.machine.chains.get(operand.chain if operand.chain is not None else -1)
        if held is None or held.shape != expected or held.dtype != operand.fm.dtype:
            found = "nothing" if held is None else f"{held.dtype} {held.shape}"
            raise CommandFault(
                f"{self.instruction.command.name}: chaining buffer {operand.chain} holds {found},"
                f" {operand.fm.dtype} {expected} wanted"
            )
        return held

    def read_window(self, operand: Operand, dtype: type = np.int64) -> Array:
        """Read an operand and upscale it."""
        return upscaled(self.read(operand, dtype), self.window.upscale)

    def scale_global(self, values: Array) -> Array:
        """Scale results with OFM_SCALE."""
        scaling = self.scaling
        return scale_result(values, scaling.multiplier, scaling.shift, self.rounding)
