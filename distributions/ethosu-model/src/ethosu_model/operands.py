# SPDX-License-Identifier: Apache-2.0
"""The operands of one NPU operation, resolved from the command registers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ethosu_model.command_stream import CommandState
from ethosu_model.command_words import (
    Address,
    CustomDmaRegion,
    HeightM1,
    Ifm2Precision,
    IfmPrecision,
    Length,
    OfmPrecision,
    Region,
    WidthM1,
    ZeroPoint,
)
from ethosu_model.commands import Cmd0, Cmd1
from ethosu_model.config import AcceleratorConfig
from ethosu_model.enums import (
    ActivationFunction,
    ActivationPrecision,
    ClipRange,
    Decomposition,
    Layout,
    OfmScaleMode,
    Rounding,
    ScaleMode,
    Upscale,
    WeightOrder,
)
from ethosu_model.faults import AxiPort, CommandFault
from ethosu_model.fields import Field
from ethosu_model.job import Job

ElementType = np.dtype[Any]

_ELEMENT_BYTES = {
    ActivationPrecision.B8: 1,
    ActivationPrecision.B16: 2,
    ActivationPrecision.B32: 4,
}
BRICK = 16  # channels in a brick of NHCWB16


@dataclass(frozen=True)
class Shape:
    """Size of a feature map in elements."""

    height: int
    width: int
    depth: int

    @property
    def elements(self) -> int:
        """Number of elements."""
        return self.height * self.width * self.depth

    def __str__(self) -> str:
        return f"{self.height}x{self.width}x{self.depth}"


@dataclass(frozen=True)
class Tiles:
    """The up to four memory areas of a feature map: 0 | 1 above 2 | 3.

    Attributes:
        height_0: Rows of tile 0; tile 2 lies below.
        height_1: Rows of tile 1; tile 3 lies below.
        width_0: Columns of tiles 0 and 2.
        bases: Bus address of each tile.
    """

    height_0: int
    height_1: int
    width_0: int
    bases: tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class FeatureMap:
    """Where a feature map lies and how to read its elements.

    Compared by identity, for its transfers are looked up by it.

    Strides are in bytes and may be negative. NHWC ignores ``stride_c``; NHCWB16 ignores
    ``stride_x`` (its bricks of 16 channels follow one another along x).
    """

    shape: Shape
    dtype: ElementType
    layout: Layout
    tiles: Tiles
    stride_y: int
    stride_x: int
    stride_c: int
    zero_point: int
    port: AxiPort

    def __str__(self) -> str:
        return (
            f"{self.shape} {self.dtype} {self.layout.name} at 0x{self.tiles.bases[0]:x}"
            f" zero_point={self.zero_point}"
        )


@dataclass(frozen=True)
class Kernel:
    """Kernel size (not dilated), steps, and the order in which weights come."""

    height: int
    width: int
    stride_y: int
    stride_x: int
    dilation_y: int
    dilation_x: int
    part_kernel_first: bool
    decomposition: int

    @property
    def dilated_height(self) -> int:
        """Rows of the IFM that one output covers."""
        return (self.height - 1) * self.dilation_y + 1

    @property
    def dilated_width(self) -> int:
        """Columns of the IFM that one output covers."""
        return (self.width - 1) * self.dilation_x + 1

    def __str__(self) -> str:
        return (
            f"{self.height}x{self.width} stride {self.stride_y}x{self.stride_x}"
            f" dilation {self.dilation_y}x{self.dilation_x}"
        )


@dataclass(frozen=True)
class Padding:
    """Rows and columns of zeros around the IFM."""

    top: int
    left: int
    bottom: int
    right: int

    def __str__(self) -> str:
        return f"{self.top},{self.left},{self.bottom},{self.right}"


@dataclass(frozen=True)
class OfmScaling:
    """How accumulators become OFM elements."""

    use_global: bool
    multiplier: int
    shift: int
    rounding: Rounding

    def __str__(self) -> str:
        scale = f"scale {self.multiplier}>>{self.shift}" if self.use_global else "channel scales"
        return f"{scale}, rounding {self.rounding.name}"


@dataclass(frozen=True)
class Activation:
    """NPU_SET_ACTIVATION and its limits."""

    function: ActivationFunction
    clip_range: ClipRange
    minimum: int
    maximum: int

    def __str__(self) -> str:
        return f"activation {self.function:d} in {self.minimum}..{self.maximum}"


_Precision = IfmPrecision | Ifm2Precision | OfmPrecision


@dataclass(frozen=True)
class _FeatureMapCommands:
    """The commands of one feature map."""

    region: Region
    bases: tuple[Address, Address, Address, Address]
    precision: _Precision
    height_0_m1: HeightM1
    height_1_m1: HeightM1
    width_0_m1: WidthM1
    stride_y: Address
    stride_x: Address
    stride_c: Address
    zero_point: ZeroPoint


_IFM_COMMANDS = _FeatureMapCommands(
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
_IFM2_COMMANDS = _FeatureMapCommands(
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
_OFM_COMMANDS = _FeatureMapCommands(
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
        """Return base address and AXI port of the region that a SET_..._REGION names.

        Raises:
            CommandFault: It names a custom DMA.
        """
        if isinstance(command, CustomDmaRegion) and self._state.get(command.custom_dma_cs):
            raise CommandFault(f"{command.name} selects a custom DMA, and CONFIG has none")
        number = self._state.get(command.region)
        return self._job.region_bases[number], self._job.region_ports[number]

    def bus_address(self, base: int, command: Address) -> int:
        """Return a region's base plus an offset register, as the address adder wraps it."""
        return (base + self._state.address(command, self._bits)) & (1 << self._bits) - 1

    def length(self, command: Length) -> int:
        """Return a length, in bytes."""
        return self._state.get(command.length)

    def ofm(self) -> FeatureMap:
        """Return the OFM."""
        get = self._state.get
        shape = Shape(
            get(Cmd0.NPU_SET_OFM_HEIGHT_M1.height_m1) + 1,
            get(Cmd0.NPU_SET_OFM_WIDTH_M1.width_m1) + 1,
            get(Cmd0.NPU_SET_OFM_DEPTH_M1.depth_m1) + 1,
        )
        return self._feature_map(_OFM_COMMANDS, shape)

    def ifm(self, shape: Shape) -> FeatureMap:
        """Return the IFM with the shape that the operation derives for it."""
        return self._feature_map(_IFM_COMMANDS, shape)

    def ifm2(self, shape: Shape) -> FeatureMap:
        """Return IFM2 with the shape that broadcasting leaves it."""
        return self._feature_map(_IFM2_COMMANDS, shape)

    def ifm2_scalar(self) -> int:
        """Return IFM2_SCALAR without the zero point."""
        dtype = self._dtype(Cmd0.NPU_SET_IFM2_PRECISION)
        scalar = self._number(Cmd0.NPU_SET_IFM2_SCALAR.scalar, dtype)
        return scalar - self._number(Cmd0.NPU_SET_IFM2_ZERO_POINT.zero_point, dtype)

    def ifm_dtype(self) -> ElementType:
        """Return the element type of the IFM."""
        return self._dtype(Cmd0.NPU_SET_IFM_PRECISION)

    def ifm_depth(self) -> int:
        """Return IFM_DEPTH_M1 + 1."""
        return self._state.get(Cmd0.NPU_SET_IFM_DEPTH_M1.depth_m1) + 1

    def _dtype(self, precision: _Precision) -> ElementType:
        size = _ELEMENT_BYTES[self._state.get(precision.activation_precision)]
        return np.dtype(f"{'i' if self._state.get(precision.activation_type) else 'u'}{size}")

    def _number(self, field: Field[int], dtype: ElementType) -> int:
        """Return a 16-bit number that is signed as ``dtype`` is."""
        return self._state.get(field) if dtype.kind == "u" else self._state.signed(field)

    def _feature_map(self, commands: _FeatureMapCommands, shape: Shape) -> FeatureMap:
        state, bits = self._state, self._bits
        base, port = self.region(commands.region)
        first, second, third, fourth = (self.bus_address(base, each) for each in commands.bases)
        dtype = self._dtype(commands.precision)
        return FeatureMap(
            shape=shape,
            dtype=dtype,
            layout=state.get(commands.precision.activation_format),
            tiles=Tiles(
                state.get(commands.height_0_m1.height_m1) + 1,
                state.get(commands.height_1_m1.height_m1) + 1,
                state.get(commands.width_0_m1.width_m1) + 1,
                (first, second, third, fourth),
            ),
            stride_y=state.stride(commands.stride_y, bits),
            stride_x=state.stride(commands.stride_x, bits),
            stride_c=state.stride(commands.stride_c, bits),
            zero_point=self._number(commands.zero_point.zero_point, dtype),
            port=port,
        )

    def kernel(self) -> Kernel:
        """Return the kernel (Vela: register_command_stream_generator.generate_kernel).

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
            decomposition=4 if get(word.decomposition) is Decomposition.D4X4 else 8,
        )

    def padding(self) -> Padding:
        """Return the padding of the IFM."""
        return Padding(
            self._state.get(Cmd0.NPU_SET_IFM_PAD_TOP.pad),
            self._state.get(Cmd0.NPU_SET_IFM_PAD_LEFT.pad),
            self._state.get(Cmd0.NPU_SET_IFM_PAD_BOTTOM.pad),
            self._state.get(Cmd0.NPU_SET_IFM_PAD_RIGHT.pad),
        )

    def upscale(self) -> Upscale:
        """Return IFM_UPSCALE.

        Raises:
            CommandFault: The mode is reserved.
        """
        return self._state.get(Cmd0.NPU_SET_IFM_UPSCALE.mode)

    def ofm_scaling(self) -> OfmScaling:
        """Return rounding and scaling of the OFM."""
        get, precision = self._state.get, Cmd0.NPU_SET_OFM_PRECISION
        multiplier, shift = self._state.scale(Cmd1.NPU_SET_OFM_SCALE)
        return OfmScaling(
            use_global=get(precision.scale_mode) is OfmScaleMode.GLOBAL,
            multiplier=multiplier,
            shift=shift,
            rounding=get(precision.round_mode),
        )

    def ifm_scale_mode(self) -> tuple[ScaleMode, Rounding]:
        """Return how ADD and SUB scale operands, and the rounding of that scaling.

        Raises:
            CommandFault: A reserved mode.
        """
        get, precision = self._state.get, Cmd0.NPU_SET_IFM_PRECISION
        return get(precision.scale_mode), get(precision.round_mode)

    def activation(self, dtype: ElementType) -> Activation:
        """Return the activation; limits are signed or not as the OFM is.

        Raises:
            CommandFault: A reserved function or clip range.
        """
        get, word = self._state.get, Cmd0.NPU_SET_ACTIVATION
        return Activation(
            function=get(word.activation_function),
            clip_range=get(word.activation_clip_range),
            minimum=self._number(Cmd0.NPU_SET_ACTIVATION_MIN.clip_boundary, dtype),
            maximum=self._number(Cmd0.NPU_SET_ACTIVATION_MAX.clip_boundary, dtype),
        )
