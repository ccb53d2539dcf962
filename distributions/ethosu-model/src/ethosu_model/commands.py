# SPDX-License-Identifier: Apache-2.0
"""Every command of Ethos-U55 and U65, by the manual's name, with its code and its products."""

from __future__ import annotations

from ethosu_model.command_words import (
    U55_ONLY,
    U65_ONLY,
    AccumulatorFormat,
    Activation,
    Address,
    BlockDependency,
    BlockDepthM1,
    BlockHeightM1,
    BlockWidthM1,
    BufferStart,
    ClipBoundary,
    Command,
    CustomDmaRegion,
    DepthM1,
    DmaRegion,
    DmaSize,
    DmaWaitOperation,
    ElementwiseOperation,
    HeightM1,
    Ifm2Broadcast,
    Ifm2Precision,
    IfmPrecision,
    IfmUpscale,
    KernelStride,
    KernelWaitOperation,
    Length,
    MaskOperation,
    NarrowScale,
    OfmPrecision,
    Operation,
    PadFar,
    PadNear,
    Parallel,
    PmuMaskOperation,
    PoolOperation,
    Region,
    Scalar,
    Scale,
    UserDefined,
    WidthM1,
    ZeroPoint,
)
from ethosu_model.enums import Product
from ethosu_model.fields import words_of


class Cmd0:
    """The commands without a payload."""

    NPU_OP_STOP = MaskOperation(0x000)
    NPU_OP_IRQ = MaskOperation(0x001)
    NPU_OP_CONV = Operation(0x002)
    NPU_OP_DEPTHWISE = Operation(0x003)
    NPU_OP_POOL = PoolOperation(0x005)
    NPU_OP_ELEMENTWISE = ElementwiseOperation(0x006)
    NPU_OP_DMA_START = Operation(0x010)
    NPU_OP_DMA_WAIT = DmaWaitOperation(0x011)
    NPU_OP_KERNEL_WAIT = KernelWaitOperation(0x012)
    NPU_OP_PMU_MASK = PmuMaskOperation(0x013)
    NPU_SET_IFM_PAD_TOP = PadNear(0x100)
    NPU_SET_IFM_PAD_LEFT = PadNear(0x101)
    NPU_SET_IFM_PAD_RIGHT = PadFar(0x102)
    NPU_SET_IFM_PAD_BOTTOM = PadFar(0x103)
    NPU_SET_IFM_DEPTH_M1 = DepthM1(0x104)
    NPU_SET_IFM_PRECISION = IfmPrecision(0x105)
    NPU_SET_IFM_UPSCALE = IfmUpscale(0x107)
    NPU_SET_IFM_ZERO_POINT = ZeroPoint(0x109)
    NPU_SET_IFM_WIDTH0_M1 = WidthM1(0x10A)
    NPU_SET_IFM_HEIGHT0_M1 = HeightM1(0x10B)
    NPU_SET_IFM_HEIGHT1_M1 = HeightM1(0x10C)
    NPU_SET_IFM_IB_END = BufferStart(0x10D)
    NPU_SET_IFM_REGION = CustomDmaRegion(0x10F)
    NPU_SET_OFM_WIDTH_M1 = WidthM1(0x111)
    NPU_SET_OFM_HEIGHT_M1 = HeightM1(0x112)
    NPU_SET_OFM_DEPTH_M1 = DepthM1(0x113)
    NPU_SET_OFM_PRECISION = OfmPrecision(0x114)
    NPU_SET_OFM_BLK_WIDTH_M1 = BlockWidthM1(0x115)
    NPU_SET_OFM_BLK_HEIGHT_M1 = BlockHeightM1(0x116)
    NPU_SET_OFM_BLK_DEPTH_M1 = BlockDepthM1(0x117)
    NPU_SET_OFM_ZERO_POINT = ZeroPoint(0x118)
    NPU_SET_OFM_WIDTH0_M1 = WidthM1(0x11A)
    NPU_SET_OFM_HEIGHT0_M1 = HeightM1(0x11B)
    NPU_SET_OFM_HEIGHT1_M1 = HeightM1(0x11C)
    NPU_SET_OFM_REGION = CustomDmaRegion(0x11F)
    NPU_SET_KERNEL_WIDTH_M1 = WidthM1(0x120)
    NPU_SET_KERNEL_HEIGHT_M1 = HeightM1(0x121)
    NPU_SET_KERNEL_STRIDE = KernelStride(0x122)
    NPU_SET_PARALLEL_MODE = Parallel(0x123, U65_ONLY)
    NPU_SET_ACC_FORMAT = AccumulatorFormat(0x124)
    NPU_SET_ACTIVATION = Activation(0x125)
    NPU_SET_ACTIVATION_MIN = ClipBoundary(0x126)
    NPU_SET_ACTIVATION_MAX = ClipBoundary(0x127)
    NPU_SET_WEIGHT_REGION = CustomDmaRegion(0x128)
    NPU_SET_SCALE_REGION = CustomDmaRegion(0x129)
    NPU_SET_AB_START = BufferStart(0x12D)
    NPU_SET_BLOCKDEP = BlockDependency(0x12F)
    NPU_SET_DMA0_SRC_REGION = DmaRegion(0x130)
    NPU_SET_DMA0_DST_REGION = DmaRegion(0x131)
    NPU_SET_DMA0_SIZE0 = DmaSize(0x132)
    NPU_SET_DMA0_SIZE1 = DmaSize(0x133)
    NPU_SET_IFM2_BROADCAST = Ifm2Broadcast(0x180)
    NPU_SET_IFM2_SCALAR = Scalar(0x181)
    NPU_SET_IFM2_PRECISION = Ifm2Precision(0x185)
    NPU_SET_IFM2_ZERO_POINT = ZeroPoint(0x189)
    NPU_SET_IFM2_WIDTH0_M1 = WidthM1(0x18A)
    NPU_SET_IFM2_HEIGHT0_M1 = HeightM1(0x18B)
    NPU_SET_IFM2_HEIGHT1_M1 = HeightM1(0x18C)
    NPU_SET_IFM2_IB_START = BufferStart(0x18D)
    NPU_SET_IFM2_REGION = Region(0x18F)


class Cmd1:
    """The commands with a payload."""

    NPU_SET_IFM_BASE0 = Address(0x000)
    NPU_SET_IFM_BASE1 = Address(0x001)
    NPU_SET_IFM_BASE2 = Address(0x002)
    NPU_SET_IFM_BASE3 = Address(0x003)
    NPU_SET_IFM_STRIDE_X = Address(0x004)
    NPU_SET_IFM_STRIDE_Y = Address(0x005)
    NPU_SET_IFM_STRIDE_C = Address(0x006)
    NPU_SET_OFM_BASE0 = Address(0x010)
    NPU_SET_OFM_BASE1 = Address(0x011)
    NPU_SET_OFM_BASE2 = Address(0x012)
    NPU_SET_OFM_BASE3 = Address(0x013)
    NPU_SET_OFM_STRIDE_X = Address(0x014)
    NPU_SET_OFM_STRIDE_Y = Address(0x015)
    NPU_SET_OFM_STRIDE_C = Address(0x016)
    NPU_SET_WEIGHT_BASE = Address(0x020)
    NPU_SET_WEIGHT_LENGTH = Length(0x021)
    NPU_SET_SCALE_BASE = Address(0x022)
    NPU_SET_SCALE_LENGTH = Length(0x023)
    NPU_SET_OFM_SCALE = Scale(0x024)
    NPU_SET_OPA_SCALE = Scale(0x025)
    NPU_SET_OPB_SCALE = NarrowScale(0x026)
    NPU_SET_DMA0_SRC = Address(0x030)
    NPU_SET_DMA0_DST = Address(0x031)
    NPU_SET_DMA0_LEN = Address(0x032)
    NPU_SET_DMA0_SKIP0 = Address(0x033, U65_ONLY)
    NPU_SET_DMA0_SKIP1 = Address(0x034, U65_ONLY)
    NPU_SET_IFM2_BASE0 = Address(0x080)
    NPU_SET_IFM2_BASE1 = Address(0x081)
    NPU_SET_IFM2_BASE2 = Address(0x082)
    NPU_SET_IFM2_BASE3 = Address(0x083)
    NPU_SET_IFM2_STRIDE_X = Address(0x084)
    NPU_SET_IFM2_STRIDE_Y = Address(0x085)
    NPU_SET_IFM2_STRIDE_C = Address(0x086)
    NPU_SET_WEIGHT1_BASE = Address(0x090, U65_ONLY)
    NPU_SET_WEIGHT1_LENGTH = Length(0x091, U65_ONLY)
    NPU_SET_SCALE1_BASE = Address(0x092, U65_ONLY)
    NPU_SET_SCALE1_LENGTH = Length(0x093, U65_ONLY)
    NPU_SET_USER_DEFINED0 = UserDefined(0x0A0, U55_ONLY)
    NPU_SET_USER_DEFINED1 = UserDefined(0x0A1, U55_ONLY)
    NPU_SET_USER_DEFINED2 = UserDefined(0x0A2, U55_ONLY)
    NPU_SET_USER_DEFINED3 = UserDefined(0x0A3, U55_ONLY)
    NPU_SET_USER_DEFINED4 = UserDefined(0x0A4, U55_ONLY)
    NPU_SET_USER_DEFINED5 = UserDefined(0x0A5, U55_ONLY)
    NPU_SET_USER_DEFINED6 = UserDefined(0x0A6, U55_ONLY)
    NPU_SET_USER_DEFINED7 = UserDefined(0x0A7, U55_ONLY)


COMMANDS = (*words_of(Cmd0, Command), *words_of(Cmd1, Command))


def command_set(product: Product) -> dict[tuple[bool, int], Command]:
    """Return the commands of a product, by whether they have a payload, and code."""
    return {
        (command.has_payload, command.code): command
        for command in COMMANDS
        if product in command.products
    }
