# SPDX-License-Identifier: Apache-2.0
"""The operands of one operation of Ethos-U85, resolved from the command registers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ethosu_model.command_stream import CommandState
from ethosu_model.command_words import Address, HeightM1, Length, Region, WidthM1, ZeroPoint
from ethosu_model.config import AcceleratorConfig
from ethosu_model.enums import Decomposition, Layout, WeightOrder
from ethosu_model.faults import AxiPort, CommandFault
from ethosu_model.job import Job
from ethosu_model.operands import ElementType, FeatureMap, Kernel, Padding, Shape, Tiles
from ethosu_model.u85.command_words import IfmPrecision, IfmScale, OfmPrecision, OfmScale
from ethosu_model.u85.commands import Cmd0, Cmd1
from ethosu_model.u85.enums import ElementSize, Storage

_ELEMENT_BYTES = {
    ElementSize.B8: 1,
    ElementSize.B16: 2,
    ElementSize.B32: 4,
    ElementSize.B64: 8,
}
_DECOMPOSITION = {Decomposition.D8X8: 8, Decomposition.D4X4: 4}


@dataclass(frozen=True)
class Scaling:
    """A multiplier and a shift to the right.

    Attributes:
        left_shift: ``dbl_rnd``: bits that are appended before, and shifted out behind.
    """

    multiplier: int
    shift: int
    left_shift: int

    @property
    def is_one(self) -> bool:
        """Whether it changes nothing."""
        return self.multiplier == 1 << self.shift

    def __str__(self) -> str:
        return f"{self.multiplier}>>{self.shift}"


@dataclass(frozen=True)
class Operand:
    """An IFM or OFM: a feature map in memory, or the number of a chaining buffer.

    Attributes:
        fm: Shape, type and zero point, and, unless chained, where it lies.
        chain: The chaining buffer, None for memory.
    """

    fm: FeatureMap
    chain: int | None


@dataclass(frozen=True)
class FeatureMapCommands:
    """The commands of one feature map."""

    region: Region
    bases: tuple[Address, Address, Address, Address]
    precision: IfmPrecision | OfmPrecision
    height_0_m1: HeightM1
    height_1_m1: HeightM1
    width_0_m1: WidthM1
    stride_y: Address
    stride_x: Address
    stride_c: Address
    zero_point: ZeroPoint


IFM = FeatureMapCommands(
    region=Cmd0.NPU_SET_IFM_REGION,
    bases=(
        Cmd1.NPU_SET_IFM_BASE0,
        Cmd1.NPU_SET_IFM_BASE1,
        Cmd1.NPU_SET_IFM_BASE2,
        Cmd1.NPU_SET_IFM_BASE3,
    ),
    precision=Cmd0.NPU_SET_IFM_PRECISION,
    height_0_m1=Cmd0.NPU_SET_IFM_HEIGHT0_M1,
    height_1_m1=Cmd0.NPU_SET_IFM_HEIGHT1_M1,
    width_0_m1=Cmd0.NPU_SET_IFM_WIDTH0_M1,
    stride_y=Cmd1.NPU_SET_IFM_STRIDE_Y,
    stride_x=Cmd1.NPU_SET_IFM_STRIDE_X,
    stride_c=Cmd1.NPU_SET_IFM_STRIDE_C,
    zero_point=Cmd0.NPU_SET_IFM_ZERO_POINT,
)
IFM2 = FeatureMapCommands(
    region=Cmd0.NPU_SET_IFM2_REGION,
    bases=(
        Cmd1.NPU_SET_IFM2_BASE0,
        Cmd1.NPU_SET_IFM2_BASE1,
        Cmd1.NPU_SET_IFM2_BASE2,
        Cmd1.NPU_SET_IFM2_BASE3,
    ),
    precision=Cmd0.NPU_SET_IFM2_PRECISION,
    height_0_m1=Cmd0.NPU_SET_IFM2_HEIGHT0_M1,
    height_1_m1=Cmd0.NPU_SET_IFM2_HEIGHT1_M1,
    width_0_m1=Cmd0.NPU_SET_IFM2_WIDTH0_M1,
    stride_y=Cmd1.NPU_SET_IFM2_STRIDE_Y,
    stride_x=Cmd1.NPU_SET_IFM2_STRIDE_X,
    stride_c=Cmd1.NPU_SET_IFM2_STRIDE_C,
    zero_point=Cmd0.NPU_SET_IFM2_ZERO_POINT,
)
OFM = FeatureMapCommands(
    region=Cmd0.NPU_SET_OFM_REGION,
    bases=(
        Cmd1.NPU_SET_OFM_BASE0,
        Cmd1.NPU_SET_OFM_BASE1,
        Cmd1.NPU_SET_OFM_BASE2,
        Cmd1.NPU_SET_OFM_BASE3,
    ),
    precision=Cmd0.NPU_SET_OFM_PRECISION,
    height_0_m1=Cmd0.NPU_SET_OFM_HEIGHT0_M1,
    height_1_m1=Cmd0.NPU_SET_OFM_HEIGHT1_M1,
    width_0_m1=Cmd0.NPU_SET_OFM_WIDTH0_M1,
    stride_y=Cmd1.NPU_SET_OFM_STRIDE_Y,
    stride_x=Cmd1.NPU_SET_OFM_STRIDE_X,
    stride_c=Cmd1.NPU_SET_OFM_STRIDE_C,
    zero_point=Cmd0.NPU_SET_OFM_ZERO_POINT,
)


class OperandDecoder:
    """Reads operands out of the command registers of one job."""

    def __init__(self, accelerator: AcceleratorConfig, state: CommandState, job: Job) -> None:
        self._bits = accelerator.address_bits
        self._state = state
        self._job = job

    def region(self, command: Region) -> tuple[int, AxiPort]:
        """Return base address and AXI port of the region that a SET_..._REGION names."""
        number = self._state.get(command.region)
        return self._job.region_bases[number], self._job.region_ports[number]

    def bus_address(self, base: int, command: Address) -> int:
        """Return a region's base plus an offset register, as the address adder wraps it."""
        return (base + self._state.address(command, self._bits)) & (1 << self._bits) - 1

    def length(self, command: Length) -> int:
        """Return a length, in bytes."""
        return self._state.get(command.length)

    def dtype(self, precision: IfmPrecision | OfmPrecision) -> ElementType:
        """Return an element type."""
        size = _ELEMENT_BYTES[self._state.get(precision.activation_precision)]
        return np.dtype(f"{'i' if self._state.get(precision.activation_type) else 'u'}{size}")

    def zero_point(self, commands: FeatureMapCommands) -> int:
        """Return a zero point, signed as its elements are."""
        field, unsigned = commands.zero_point.zero_point, self.dtype(commands.precision).kind == "u"
        return self._state.get(field) if unsigned else self._state.signed(field)

    def ofm_shape(self) -> Shape:
        """Return the size of the result, before it is transposed."""
        get = self._state.get
        return Shape(
            get(Cmd0.NPU_SET_OFM_HEIGHT_M1.height_m1) + 1,
            get(Cmd0.NPU_SET_OFM_WIDTH_M1.width_m1) + 1,
            get(Cmd0.NPU_SET_OFM_DEPTH_M1.depth_m1) + 1,
        )

    def ifm_depth(self) -> int:
        """Return IFM_DEPTH_M1 + 1."""
        return self._state.get(Cmd0.NPU_SET_IFM_DEPTH_M1.depth_m1) + 1

    def operand(self, commands: FeatureMapCommands, shape: Shape) -> Operand:
        """Return a feature map of ``shape``, in memory or in a chaining buffer.

        Raises:
            CommandFault: It is stored in a way that is not modelled, or not at all.
        """
        state, precision = self._state, commands.precision
        storage = state.get(precision.activation_storage)
        if storage in (Storage.TILE3X1, Storage.NONE):
            raise CommandFault(
                f"{precision.name}: activation_storage {storage.name} is not modelled here"
            )
        chained = storage is Storage.CHAINED
        base, port = (0, AxiPort.AXI0) if chained else self.region(commands.region)
        first, second, third, fourth = (self.bus_address(base, each) for each in commands.bases)
        fm = FeatureMap(
            shape=shape,
            dtype=self.dtype(precision),
            layout=Layout.NHWC if chained else state.get(precision.activation_format),
            tiles=Tiles(
                state.get(commands.height_0_m1.height_m1) + 1,
                state.get(commands.height_1_m1.height_m1) + 1,
                state.get(commands.width_0_m1.width_m1) + 1,
                (first, second, third, fourth),
            ),
            stride_y=state.stride(commands.stride_y, self._bits),
            stride_x=state.stride(commands.stride_x, self._bits),
            stride_c=state.stride(commands.stride_c, self._bits),
            zero_point=self.zero_point(commands),
            port=port,
        )
        return Operand(fm, state.get(commands.region.region) if chained else None)

    def kernel(self) -> Kernel:
        """Return the kernel; KERNEL_..._M1 hold its dilated size.

        Raises:
            CommandFault: The dilated size fits no whole number of elements.
        """
        get, word = self._state.get, Cmd0.NPU_SET_KERNEL_STRIDE
        dilation_x, dilation_y = get(word.dilation_x) + 1, get(word.dilation_y) + 1
        height_m1 = get(Cmd0.NPU_SET_KERNEL_HEIGHT_M1.height_m1)
        width_m1 = get(Cmd0.NPU_SET_KERNEL_WIDTH_M1.width_m1)
        if height_m1 % dilation_y or width_m1 % dilation_x:
            raise CommandFault("KERNEL size and dilation disagree")
        return Kernel(
            height=height_m1 // dilation_y + 1,
            width=width_m1 // dilation_x + 1,
            stride_y=(get(word.stride_y_lsb) | get(word.stride_y_msb) << 1) + 1,
            stride_x=(get(word.stride_x_lsb) | get(word.stride_x_msb) << 1) + 1,
            dilation_y=dilation_y,
            dilation_x=dilation_x,
            part_kernel_first=get(word.weight_order) is WeightOrder.PART_KERNEL_FIRST,
            decomposition=_DECOMPOSITION[get(word.decomposition)],
        )

    def padding(self) -> Padding:
        """Return the padding of the IFM."""
        return Padding(
            self._state.get(Cmd0.NPU_SET_IFM_PAD_TOP.pad),
            self._state.get(Cmd0.NPU_SET_IFM_PAD_LEFT.pad),
            self._state.get(Cmd0.NPU_SET_IFM_PAD_BOTTOM.pad),
            self._state.get(Cmd0.NPU_SET_IFM_PAD_RIGHT.pad),
        )

    def scaling(self, command: OfmScale | IfmScale) -> Scaling:
        """Return OFM_SCALE, IFM_SCALE or IFM2_SCALE."""
        get = self._state.get
        return Scaling(
            multiplier=get(command.scale),
            shift=get(command.shift),
            left_shift=get(command.dbl_rnd),
        )

    def scalar(self, commands: FeatureMapCommands) -> int:
        """Return OP_SCALAR without the zero point of the operand that it stands for."""
        return self._state.signed(Cmd1.NPU_SET_OP_SCALAR.scalar) - self.zero_point(commands)
