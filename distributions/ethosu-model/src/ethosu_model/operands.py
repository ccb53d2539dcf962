# SPDX-License-Identifier: Apache-2.0
"""The operands of one NPU operation, resolved from the command registers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from ethosu.vela.ethos_u55_regs.ethos_u55_regs import cmd0, cmd1

from ethosu_model.command_stream import CommandState
from ethosu_model.config import AcceleratorConfig
from ethosu_model.faults import AxiPort, CommandFault
from ethosu_model.job import REGIONS, Job
from ethosu_model.rounding import Rounding

ElementType = np.dtype[Any]

_ELEMENT_BITS = {0: 8, 1: 16, 2: 32}
BRICK = 16  # channels in a brick of NHCWB16


class Layout(IntEnum):
    """``data_format`` of ethos_u55_regs."""

    NHWC = 0
    NHCWB16 = 1


class Upscale(IntEnum):
    """``resampling_mode`` of ethos_u55_regs; TRANSPOSE inserts zeros."""

    NONE = 0
    NEAREST = 1
    ZEROS = 2


class ScaleMode(IntEnum):
    """``ifm_scale_mode`` of ethos_u55_regs: how ADD and SUB scale their operands."""

    OPA_OPB_16 = 0
    OPA_32 = 1
    OPB_32 = 2


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

    function: int
    clip_range: int
    minimum: int
    maximum: int

    def __str__(self) -> str:
        return f"activation {self.function} in {self.minimum}..{self.maximum}"


@dataclass(frozen=True)
class _FeatureMapCodes:
    """The registers of one feature map."""

    region: cmd0
    bases: tuple[cmd1, ...]
    height_0_m1: cmd0
    height_1_m1: cmd0
    width_0_m1: cmd0
    stride_y: cmd1
    stride_x: cmd1
    stride_c: cmd1
    zero_point: cmd0

    @classmethod
    def of(cls, name: str) -> _FeatureMapCodes:
        """Return the registers of IFM, IFM2 or OFM."""
        return cls(
            region=cmd0[f"NPU_SET_{name}_REGION"],
            bases=tuple(cmd1[f"NPU_SET_{name}_BASE{i}"] for i in range(4)),
            height_0_m1=cmd0[f"NPU_SET_{name}_HEIGHT0_M1"],
            height_1_m1=cmd0[f"NPU_SET_{name}_HEIGHT1_M1"],
            width_0_m1=cmd0[f"NPU_SET_{name}_WIDTH0_M1"],
            stride_y=cmd1[f"NPU_SET_{name}_STRIDE_Y"],
            stride_x=cmd1[f"NPU_SET_{name}_STRIDE_X"],
            stride_c=cmd1[f"NPU_SET_{name}_STRIDE_C"],
            zero_point=cmd0[f"NPU_SET_{name}_ZERO_POINT"],
        )


_IFM_CODES = _FeatureMapCodes.of("IFM")
_IFM2_CODES = _FeatureMapCodes.of("IFM2")
_OFM_CODES = _FeatureMapCodes.of("OFM")


class OperandDecoder:
    """Reads operands out of the command registers of one job."""

    def __init__(self, accelerator: AcceleratorConfig, state: CommandState, job: Job) -> None:
        self._bits = accelerator.address_bits
        self._state = state
        self._job = job

    def region(self, code: cmd0) -> tuple[int, AxiPort]:
        """Return base address and AXI port of the region that a SET_..._REGION names.

        Raises:
            CommandFault: There is no such region.
        """
        number = self._state.value(code)
        if number >= REGIONS:
            raise CommandFault(f"{code.name} names region {number} of {REGIONS}")
        return self._job.region_bases[number], self._job.region_ports[number]

    def bus_address(self, base: int, code: cmd1) -> int:
        """Return a region's base plus an offset register, as the address adder wraps it."""
        return (base + self._state.address(code, self._bits)) & (1 << self._bits) - 1

    def length(self, code: cmd1) -> int:
        """Return a 32-bit length register."""
        return self._state.address(code, 32)

    def ofm(self) -> FeatureMap:
        """Return the OFM."""
        shape = Shape(
            self._state.value(cmd0.NPU_SET_OFM_HEIGHT_M1) + 1,
            self._state.value(cmd0.NPU_SET_OFM_WIDTH_M1) + 1,
            self._state.value(cmd0.NPU_SET_OFM_DEPTH_M1) + 1,
        )
        precision = self._state.value(cmd0.NPU_SET_OFM_PRECISION)
        dtype = _dtype(precision >> 1 & 3, signed=bool(precision & 1), code="OFM_PRECISION")
        return self._feature_map(_OFM_CODES, shape, dtype, _layout(precision))

    def ifm(self, shape: Shape) -> FeatureMap:
        """Return the IFM with the shape that the operation derives for it."""
        precision = self._state.value(cmd0.NPU_SET_IFM_PRECISION)
        dtype = _dtype(precision >> 2 & 3, signed=bool(precision & 1), code="IFM_PRECISION")
        return self._feature_map(_IFM_CODES, shape, dtype, _layout(precision))

    def ifm2(self, shape: Shape) -> FeatureMap:
        """Return IFM2 with the shape that broadcasting leaves it."""
        precision = self._state.value(cmd0.NPU_SET_IFM2_PRECISION)
        dtype = _dtype(precision >> 2 & 3, signed=bool(precision & 1), code="IFM2_PRECISION")
        return self._feature_map(_IFM2_CODES, shape, dtype, _layout(precision))

    def ifm2_scalar(self) -> int:
        """Return IFM2_SCALAR without the zero point."""
        precision = self._state.value(cmd0.NPU_SET_IFM2_PRECISION)
        signed = bool(precision & 1)
        dtype = _dtype(precision >> 2 & 3, signed=signed, code="IFM2_PRECISION")
        read = self._state.signed if signed else self._state.value
        zero_point = _zero_point(self._state, cmd0.NPU_SET_IFM2_ZERO_POINT, dtype)
        return read(cmd0.NPU_SET_IFM2_SCALAR) - zero_point

    def ifm_dtype(self) -> ElementType:
        """Return the element type of the IFM."""
        precision = self._state.value(cmd0.NPU_SET_IFM_PRECISION)
        return _dtype(precision >> 2 & 3, signed=bool(precision & 1), code="IFM_PRECISION")

    def ifm_depth(self) -> int:
        """Return IFM_DEPTH_M1 + 1."""
        return self._state.value(cmd0.NPU_SET_IFM_DEPTH_M1) + 1

    def _feature_map(
        self, codes: _FeatureMapCodes, shape: Shape, dtype: ElementType, layout: Layout
    ) -> FeatureMap:
        state, bits = self._state, self._bits
        base, port = self.region(codes.region)
        first, second, third, fourth = (self.bus_address(base, code) for code in codes.bases)
        return FeatureMap(
            shape=shape,
            dtype=dtype,
            layout=layout,
            tiles=Tiles(
                state.value(codes.height_0_m1) + 1,
                state.value(codes.height_1_m1) + 1,
                state.value(codes.width_0_m1) + 1,
                (first, second, third, fourth),
            ),
            stride_y=state.stride(codes.stride_y, bits),
            stride_x=state.stride(codes.stride_x, bits),
            stride_c=state.stride(codes.stride_c, bits),
            zero_point=_zero_point(state, codes.zero_point, dtype),
            port=port,
        )

    def kernel(self) -> Kernel:
        """Return the kernel (Vela: register_command_stream_generator.generate_kernel).

        Raises:
            CommandFault: The dilated size fits no whole number of elements.
        """
        bits = self._state.value(cmd0.NPU_SET_KERNEL_STRIDE)
        dilation_x, dilation_y = (bits >> 3 & 1) + 1, (bits >> 4 & 1) + 1
        height_m1 = self._state.value(cmd0.NPU_SET_KERNEL_HEIGHT_M1)
        width_m1 = self._state.value(cmd0.NPU_SET_KERNEL_WIDTH_M1)
        if height_m1 % dilation_y or width_m1 % dilation_x:
            raise CommandFault("KERNEL size and dilation disagree")
        return Kernel(
            height=height_m1 // dilation_y + 1,
            width=width_m1 // dilation_x + 1,
            stride_y=(bits >> 1 & 1 | bits >> 9 << 1 & 2) + 1,
            stride_x=(bits & 1 | bits >> 6 << 1 & 2) + 1,
            dilation_y=dilation_y,
            dilation_x=dilation_x,
            part_kernel_first=bool(bits >> 2 & 1),
            decomposition=4 if bits >> 5 & 1 else 8,
        )

    def padding(self) -> Padding:
        """Return the padding of the IFM."""
        return Padding(
            self._state.value(cmd0.NPU_SET_IFM_PAD_TOP),
            self._state.value(cmd0.NPU_SET_IFM_PAD_LEFT),
            self._state.value(cmd0.NPU_SET_IFM_PAD_BOTTOM),
            self._state.value(cmd0.NPU_SET_IFM_PAD_RIGHT),
        )

    def upscale(self) -> Upscale:
        """Return IFM_UPSCALE.

        Raises:
            CommandFault: The mode is reserved.
        """
        mode = self._state.value(cmd0.NPU_SET_IFM_UPSCALE) & 3
        if mode not in tuple(Upscale):
            raise CommandFault(f"reserved IFM_UPSCALE mode {mode}")
        return Upscale(mode)

    def ofm_scaling(self) -> OfmScaling:
        """Return rounding and scaling of the OFM."""
        precision = self._state.value(cmd0.NPU_SET_OFM_PRECISION)
        multiplier, shift = self._state.scale(cmd1.NPU_SET_OFM_SCALE)
        return OfmScaling(
            use_global=bool(precision >> 8 & 1),
            multiplier=multiplier,
            shift=shift,
            rounding=_rounding(precision >> 14, "OFM_PRECISION"),
        )

    def ifm_scale_mode(self) -> tuple[ScaleMode, Rounding]:
        """Return how ADD and SUB scale operands, and the rounding of that scaling.

        Raises:
            CommandFault: A reserved mode.
        """
        precision = self._state.value(cmd0.NPU_SET_IFM_PRECISION)
        mode = precision >> 8 & 3
        if mode not in tuple(ScaleMode):
            raise CommandFault(f"reserved scale mode {mode} in IFM_PRECISION")
        return ScaleMode(mode), _rounding(precision >> 14, "IFM_PRECISION")

    def activation(self, dtype: ElementType) -> Activation:
        """Return the activation; limits are signed or not as the OFM is."""
        bits = self._state.value(cmd0.NPU_SET_ACTIVATION)
        read = self._state.value if dtype.kind == "u" else self._state.signed
        return Activation(
            function=bits & 0xFFF,
            clip_range=bits >> 12,
            minimum=read(cmd0.NPU_SET_ACTIVATION_MIN),
            maximum=read(cmd0.NPU_SET_ACTIVATION_MAX),
        )


def _dtype(precision: int, *, signed: bool, code: str) -> ElementType:
    bits = _ELEMENT_BITS.get(precision)
    if bits is None:
        raise CommandFault(f"reserved element size in {code}")
    return np.dtype(f"{'i' if signed else 'u'}{bits // 8}")


def _layout(precision: int) -> Layout:
    layout = precision >> 6 & 3
    if layout not in tuple(Layout):
        raise CommandFault(f"reserved feature map format {layout}")
    return Layout(layout)


def _rounding(bits: int, code: str) -> Rounding:
    if bits & 3 == 3:
        raise CommandFault(f"reserved rounding mode in {code}")
    return Rounding(bits & 3)


def _zero_point(
    state: CommandState,
    code: cmd0,
    dtype: ElementType,
) -> int:
    return state.value(code) if dtype.kind == "u" else state.signed(code)
