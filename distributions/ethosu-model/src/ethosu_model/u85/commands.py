# SPDX-License-Identifier: Apache-2.0
"""Every command of Ethos-U85, by the manual's name, with its code."""

from __future__ import annotations

from ethosu_model.command_words import (
    ClipBoundary,
    Command,
    DepthM1,
    DmaSize,
    HeightM1,
    IfmUpscale,
    KernelStride,
    Length,
    MaskOperation,
    Operation,
    PadFar,
    PadNear,
    PmuMaskOperation,
    Region,
    WidthM1,
    ZeroPoint,
)
from ethosu_model.fields import words_of
from ethosu_model.u85.command_words import (
    AccumulatorFormat,
    Activation,
    BlockDependency,
    BlockDepthM1,
    BlockHeightM1,
    BlockWidthM1,
    BranchOperation,
    Broadcast,
    ConvolutionOperation,
    DmaSourceRegion,
    DmaTargetRegion,
    DmaWaitOperation,
    ElementwiseOperation,
    IfmPrecision,
    IfmScale,
    IndexMax,
    KernelWaitOperation,
    OfmPrecision,
    OfmScale,
    OpScalar,
    PoolOperation,
    ResizeOffset,
    ResizeOperation,
    ResizeScale,
    ResizeStep,
    WeightFormatWord,
    WideAddress,
)


class Cmd0:
    """The commands without a payload."""

    NPU_OP_STOP = MaskOperation(0x000)
    NPU_OP_IRQ = MaskOperation(0x001)
    NPU_OP_CONV = ConvolutionOperation(0x002)
    NPU_OP_DEPTHWISE = Operation(0x003)
    NPU_OP_POOL = PoolOperation(0x005)
    NPU_OP_ELEMENTWISE = ElementwiseOperation(0x006)
    NPU_OP_RESIZE = ResizeOperation(0x007)
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
    NPU_SET_IFM_BROADCAST = Broadcast(0x108)
    NPU_SET_IFM_ZERO_POINT = ZeroPoint(0x109)
    NPU_SET_IFM_WIDTH0_M1 = WidthM1(0x10A)
    NPU_SET_IFM_HEIGHT0_M1 = HeightM1(0x10B)
    NPU_SET_IFM_HEIGHT1_M1 = HeightM1(0x10C)
    NPU_SET_IFM_REGION = Region(0x10F)
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
    NPU_SET_OFM_REGION = Region(0x11F)
    NPU_SET_KERNEL_WIDTH_M1 = WidthM1(0x120)
    NPU_SET_KERNEL_HEIGHT_M1 = HeightM1(0x121)
    NPU_SET_KERNEL_STRIDE = KernelStride(0x122)
    NPU_SET_ACC_FORMAT = AccumulatorFormat(0x124)
    NPU_SET_ACTIVATION = Activation(0x125)
    NPU_SET_ACTIVATION_MIN = ClipBoundary(0x126)
    NPU_SET_ACTIVATION_MAX = ClipBoundary(0x127)
    NPU_SET_WEIGHT_REGION = Region(0x128)
    NPU_SET_SCALE_REGION = Region(0x129)
    NPU_SET_RESIZE_X_SCALE_N_M1 = ResizeScale(0x12A)
    NPU_SET_RESIZE_Y_SCALE_N_M1 = ResizeScale(0x12B)
    NPU_SET_RESIZE_X_OFFSET = ResizeOffset(0x12C)
    NPU_SET_RESIZE_Y_OFFSET = ResizeOffset(0x12D)
    NPU_SET_WEIGHT_FORMAT = WeightFormatWord(0x12E)
    NPU_SET_BLOCKDEP = BlockDependency(0x12F)
    NPU_SET_DMA0_SRC_REGION = DmaSourceRegion(0x130)
    NPU_SET_DMA0_DST_REGION = DmaTargetRegion(0x131)
    NPU_SET_DMA0_SIZE0 = DmaSize(0x132)
    NPU_SET_DMA0_SIZE1 = DmaSize(0x133)
    NPU_SET_DMA0_IDX_REGION = Region(0x134)
    NPU_SET_IFM2_BROADCAST = Broadcast(0x180)
    NPU_SET_IFM2_PRECISION = IfmPrecision(0x185)
    NPU_SET_IFM2_ZERO_POINT = ZeroPoint(0x189)
    NPU_SET_IFM2_WIDTH0_M1 = WidthM1(0x18A)
    NPU_SET_IFM2_HEIGHT0_M1 = HeightM1(0x18B)
    NPU_SET_IFM2_HEIGHT1_M1 = HeightM1(0x18C)
    NPU_SET_IFM2_REGION = Region(0x18F)


class Cmd1:
    """The commands with a payload."""

    NPU_SET_IFM_BASE0 = WideAddress(0x000)
    NPU_SET_IFM_BASE1 = WideAddress(0x001)
    NPU_SET_IFM_BASE2 = WideAddress(0x002)
    NPU_SET_IFM_BASE3 = WideAddress(0x003)
    NPU_SET_IFM_STRIDE_X = WideAddress(0x004)
    NPU_SET_IFM_STRIDE_Y = WideAddress(0x005)
    NPU_SET_IFM_STRIDE_C = WideAddress(0x006)
    NPU_SET_OFM_BASE0 = WideAddress(0x010)
    NPU_SET_OFM_BASE1 = WideAddress(0x011)
    NPU_SET_OFM_BASE2 = WideAddress(0x012)
    NPU_SET_OFM_BASE3 = WideAddress(0x013)
    NPU_SET_OFM_STRIDE_X = WideAddress(0x014)
    NPU_SET_OFM_STRIDE_Y = WideAddress(0x015)
    NPU_SET_OFM_STRIDE_C = WideAddress(0x016)
    NPU_SET_WEIGHT_BASE = WideAddress(0x020)
    NPU_SET_WEIGHT_LENGTH = Length(0x021)
    NPU_SET_SCALE_BASE = WideAddress(0x022)
    NPU_SET_SCALE_LENGTH = Length(0x023)
    NPU_SET_OFM_SCALE = OfmScale(0x024)
    NPU_SET_IFM_SCALE = IfmScale(0x025)
    NPU_SET_IFM2_SCALE = IfmScale(0x026)
    NPU_SET_OP_SCALAR = OpScalar(0x027)
    NPU_SET_DMA0_SRC = WideAddress(0x030)
    NPU_SET_DMA0_DST = WideAddress(0x031)
    NPU_SET_DMA0_LEN = WideAddress(0x032)
    NPU_SET_DMA0_SRC_STRIDE0 = WideAddress(0x033)
    NPU_SET_DMA0_SRC_STRIDE1 = WideAddress(0x034)
    NPU_SET_DMA0_DST_STRIDE0 = WideAddress(0x035)
    NPU_SET_DMA0_DST_STRIDE1 = WideAddress(0x036)
    NPU_SET_DMA0_IDX = WideAddress(0x037)
    NPU_SET_DMA0_IDX_MAX = IndexMax(0x038)
    NPU_SET_DMA0_IDX_SKIP1 = WideAddress(0x039)
    NPU_SET_IFM2_BASE0 = WideAddress(0x080)
    NPU_SET_IFM2_BASE1 = WideAddress(0x081)
    NPU_SET_IFM2_BASE2 = WideAddress(0x082)
    NPU_SET_IFM2_BASE3 = WideAddress(0x083)
    NPU_SET_IFM2_STRIDE_X = WideAddress(0x084)
    NPU_SET_IFM2_STRIDE_Y = WideAddress(0x085)
    NPU_SET_IFM2_STRIDE_C = WideAddress(0x086)
    NPU_SET_WEIGHT1_BASE = WideAddress(0x090)
    NPU_SET_WEIGHT1_LENGTH = Length(0x091)
    NPU_SET_WEIGHT2_BASE = WideAddress(0x092)
    NPU_SET_WEIGHT2_LENGTH = Length(0x093)
    NPU_SET_WEIGHT3_BASE = WideAddress(0x094)
    NPU_SET_WEIGHT3_LENGTH = Length(0x095)
    NPU_SET_RESIZE_X_STEP = ResizeStep(0x096)
    NPU_SET_RESIZE_Y_STEP = ResizeStep(0x097)
    NPU_OP_BRANCH = BranchOperation(0x100)


COMMANDS = (*words_of(Cmd0, Command), *words_of(Cmd1, Command))
COMMAND_SET = {(command.has_payload, command.code): command for command in COMMANDS}
