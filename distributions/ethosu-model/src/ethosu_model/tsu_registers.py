# SPDX-License-Identifier: Apache-2.0
"""The read-only registers for debugging: command registers as last set, and the traversal unit."""

from __future__ import annotations

from ethosu_model.command_words import Command
from ethosu_model.commands import Cmd0, Cmd1
from ethosu_model.fields import Word, words_of


class TsuRegister(Word):
    """A register that shows what a command has set.

    Attributes:
        offset: In the register page, in bytes.
        command: Which command.
        low: The lowest bit of the command's value that it shows; of a payload's parameter, 32.
    """

    def __init__(self, offset: int, command: Command, low: int = 0) -> None:
        super().__init__()
        self.offset = offset
        self.command = command
        self.low = low


class Tsu:
    """Every register that shows a command's value, by the manual's name."""

    IFM_PAD_TOP = TsuRegister(0x800, Cmd0.NPU_SET_IFM_PAD_TOP)
    IFM_PAD_LEFT = TsuRegister(0x804, Cmd0.NPU_SET_IFM_PAD_LEFT)
    IFM_PAD_RIGHT = TsuRegister(0x808, Cmd0.NPU_SET_IFM_PAD_RIGHT)
    IFM_PAD_BOTTOM = TsuRegister(0x80C, Cmd0.NPU_SET_IFM_PAD_BOTTOM)
    IFM_DEPTH_M1 = TsuRegister(0x810, Cmd0.NPU_SET_IFM_DEPTH_M1)
    IFM_PRECISION = TsuRegister(0x814, Cmd0.NPU_SET_IFM_PRECISION)
    IFM_UPSCALE = TsuRegister(0x81C, Cmd0.NPU_SET_IFM_UPSCALE)
    IFM_ZERO_POINT = TsuRegister(0x824, Cmd0.NPU_SET_IFM_ZERO_POINT)
    IFM_WIDTH0_M1 = TsuRegister(0x828, Cmd0.NPU_SET_IFM_WIDTH0_M1)
    IFM_HEIGHT0_M1 = TsuRegister(0x82C, Cmd0.NPU_SET_IFM_HEIGHT0_M1)
    IFM_HEIGHT1_M1 = TsuRegister(0x830, Cmd0.NPU_SET_IFM_HEIGHT1_M1)
    IFM_IB_END = TsuRegister(0x834, Cmd0.NPU_SET_IFM_IB_END)
    IFM_REGION = TsuRegister(0x83C, Cmd0.NPU_SET_IFM_REGION)
    OFM_WIDTH_M1 = TsuRegister(0x844, Cmd0.NPU_SET_OFM_WIDTH_M1)
    OFM_HEIGHT_M1 = TsuRegister(0x848, Cmd0.NPU_SET_OFM_HEIGHT_M1)
    OFM_DEPTH_M1 = TsuRegister(0x84C, Cmd0.NPU_SET_OFM_DEPTH_M1)
    OFM_PRECISION = TsuRegister(0x850, Cmd0.NPU_SET_OFM_PRECISION)
    OFM_BLK_WIDTH_M1 = TsuRegister(0x854, Cmd0.NPU_SET_OFM_BLK_WIDTH_M1)
    OFM_BLK_HEIGHT_M1 = TsuRegister(0x858, Cmd0.NPU_SET_OFM_BLK_HEIGHT_M1)
    OFM_BLK_DEPTH_M1 = TsuRegister(0x85C, Cmd0.NPU_SET_OFM_BLK_DEPTH_M1)
    OFM_ZERO_POINT = TsuRegister(0x860, Cmd0.NPU_SET_OFM_ZERO_POINT)
    OFM_WIDTH0_M1 = TsuRegister(0x868, Cmd0.NPU_SET_OFM_WIDTH0_M1)
    OFM_HEIGHT0_M1 = TsuRegister(0x86C, Cmd0.NPU_SET_OFM_HEIGHT0_M1)
    OFM_HEIGHT1_M1 = TsuRegister(0x870, Cmd0.NPU_SET_OFM_HEIGHT1_M1)
    OFM_REGION = TsuRegister(0x87C, Cmd0.NPU_SET_OFM_REGION)
    KERNEL_WIDTH_M1 = TsuRegister(0x880, Cmd0.NPU_SET_KERNEL_WIDTH_M1)
    KERNEL_HEIGHT_M1 = TsuRegister(0x884, Cmd0.NPU_SET_KERNEL_HEIGHT_M1)
    KERNEL_STRIDE = TsuRegister(0x888, Cmd0.NPU_SET_KERNEL_STRIDE)
    PARALLEL_MODE = TsuRegister(0x88C, Cmd0.NPU_SET_PARALLEL_MODE)
    ACC_FORMAT = TsuRegister(0x890, Cmd0.NPU_SET_ACC_FORMAT)
    ACTIVATION = TsuRegister(0x894, Cmd0.NPU_SET_ACTIVATION)
    ACTIVATION_MIN = TsuRegister(0x898, Cmd0.NPU_SET_ACTIVATION_MIN)
    ACTIVATION_MAX = TsuRegister(0x89C, Cmd0.NPU_SET_ACTIVATION_MAX)
    WEIGHT_REGION = TsuRegister(0x8A0, Cmd0.NPU_SET_WEIGHT_REGION)
    SCALE_REGION = TsuRegister(0x8A4, Cmd0.NPU_SET_SCALE_REGION)
    AB_START = TsuRegister(0x8B4, Cmd0.NPU_SET_AB_START)
    BLOCKDEP = TsuRegister(0x8BC, Cmd0.NPU_SET_BLOCKDEP)
    DMA0_SRC_REGION = TsuRegister(0x8C0, Cmd0.NPU_SET_DMA0_SRC_REGION)
    DMA0_DST_REGION = TsuRegister(0x8C4, Cmd0.NPU_SET_DMA0_DST_REGION)
    DMA0_SIZE0 = TsuRegister(0x8C8, Cmd0.NPU_SET_DMA0_SIZE0)
    DMA0_SIZE1 = TsuRegister(0x8CC, Cmd0.NPU_SET_DMA0_SIZE1)
    IFM2_BROADCAST = TsuRegister(0x900, Cmd0.NPU_SET_IFM2_BROADCAST)
    IFM2_SCALAR = TsuRegister(0x904, Cmd0.NPU_SET_IFM2_SCALAR)
    IFM2_PRECISION = TsuRegister(0x914, Cmd0.NPU_SET_IFM2_PRECISION)
    IFM2_ZERO_POINT = TsuRegister(0x924, Cmd0.NPU_SET_IFM2_ZERO_POINT)
    IFM2_WIDTH0_M1 = TsuRegister(0x928, Cmd0.NPU_SET_IFM2_WIDTH0_M1)
    IFM2_HEIGHT0_M1 = TsuRegister(0x92C, Cmd0.NPU_SET_IFM2_HEIGHT0_M1)
    IFM2_HEIGHT1_M1 = TsuRegister(0x930, Cmd0.NPU_SET_IFM2_HEIGHT1_M1)
    IFM2_IB_START = TsuRegister(0x934, Cmd0.NPU_SET_IFM2_IB_START)
    IFM2_REGION = TsuRegister(0x93C, Cmd0.NPU_SET_IFM2_REGION)
    IFM_BASE0 = TsuRegister(0xA00, Cmd1.NPU_SET_IFM_BASE0)
    IFM_BASE0_HI = TsuRegister(0xA04, Cmd1.NPU_SET_IFM_BASE0, 32)
    IFM_BASE1 = TsuRegister(0xA08, Cmd1.NPU_SET_IFM_BASE1)
    IFM_BASE1_HI = TsuRegister(0xA0C, Cmd1.NPU_SET_IFM_BASE1, 32)
    IFM_BASE2 = TsuRegister(0xA10, Cmd1.NPU_SET_IFM_BASE2)
    IFM_BASE2_HI = TsuRegister(0xA14, Cmd1.NPU_SET_IFM_BASE2, 32)
    IFM_BASE3 = TsuRegister(0xA18, Cmd1.NPU_SET_IFM_BASE3)
    IFM_BASE3_HI = TsuRegister(0xA1C, Cmd1.NPU_SET_IFM_BASE3, 32)
    IFM_STRIDE_X = TsuRegister(0xA20, Cmd1.NPU_SET_IFM_STRIDE_X)
    IFM_STRIDE_X_HI = TsuRegister(0xA24, Cmd1.NPU_SET_IFM_STRIDE_X, 32)
    IFM_STRIDE_Y = TsuRegister(0xA28, Cmd1.NPU_SET_IFM_STRIDE_Y)
    IFM_STRIDE_Y_HI = TsuRegister(0xA2C, Cmd1.NPU_SET_IFM_STRIDE_Y, 32)
    IFM_STRIDE_C = TsuRegister(0xA30, Cmd1.NPU_SET_IFM_STRIDE_C)
    IFM_STRIDE_C_HI = TsuRegister(0xA34, Cmd1.NPU_SET_IFM_STRIDE_C, 32)
    OFM_BASE0 = TsuRegister(0xA40, Cmd1.NPU_SET_OFM_BASE0)
    OFM_BASE0_HI = TsuRegister(0xA44, Cmd1.NPU_SET_OFM_BASE0, 32)
    OFM_BASE1 = TsuRegister(0xA48, Cmd1.NPU_SET_OFM_BASE1)
    OFM_BASE1_HI = TsuRegister(0xA4C, Cmd1.NPU_SET_OFM_BASE1, 32)
    OFM_BASE2 = TsuRegister(0xA50, Cmd1.NPU_SET_OFM_BASE2)
    OFM_BASE2_HI = TsuRegister(0xA54, Cmd1.NPU_SET_OFM_BASE2, 32)
    OFM_BASE3 = TsuRegister(0xA58, Cmd1.NPU_SET_OFM_BASE3)
    OFM_BASE3_HI = TsuRegister(0xA5C, Cmd1.NPU_SET_OFM_BASE3, 32)
    OFM_STRIDE_X = TsuRegister(0xA60, Cmd1.NPU_SET_OFM_STRIDE_X)
    OFM_STRIDE_X_HI = TsuRegister(0xA64, Cmd1.NPU_SET_OFM_STRIDE_X, 32)
    OFM_STRIDE_Y = TsuRegister(0xA68, Cmd1.NPU_SET_OFM_STRIDE_Y)
    OFM_STRIDE_Y_HI = TsuRegister(0xA6C, Cmd1.NPU_SET_OFM_STRIDE_Y, 32)
    OFM_STRIDE_C = TsuRegister(0xA70, Cmd1.NPU_SET_OFM_STRIDE_C)
    OFM_STRIDE_C_HI = TsuRegister(0xA74, Cmd1.NPU_SET_OFM_STRIDE_C, 32)
    WEIGHT_BASE = TsuRegister(0xA80, Cmd1.NPU_SET_WEIGHT_BASE)
    WEIGHT_BASE_HI = TsuRegister(0xA84, Cmd1.NPU_SET_WEIGHT_BASE, 32)
    WEIGHT_LENGTH = TsuRegister(0xA88, Cmd1.NPU_SET_WEIGHT_LENGTH)
    SCALE_BASE = TsuRegister(0xA90, Cmd1.NPU_SET_SCALE_BASE)
    SCALE_BASE_HI = TsuRegister(0xA94, Cmd1.NPU_SET_SCALE_BASE, 32)
    SCALE_LENGTH = TsuRegister(0xA98, Cmd1.NPU_SET_SCALE_LENGTH)
    OFM_SCALE = TsuRegister(0xAA0, Cmd1.NPU_SET_OFM_SCALE)
    OFM_SCALE_SHIFT = TsuRegister(0xAA4, Cmd1.NPU_SET_OFM_SCALE, 32)
    OPA_SCALE = TsuRegister(0xAA8, Cmd1.NPU_SET_OPA_SCALE)
    OPA_SCALE_SHIFT = TsuRegister(0xAAC, Cmd1.NPU_SET_OPA_SCALE, 32)
    OPB_SCALE = TsuRegister(0xAB0, Cmd1.NPU_SET_OPB_SCALE)
    DMA0_SRC = TsuRegister(0xAC0, Cmd1.NPU_SET_DMA0_SRC)
    DMA0_SRC_HI = TsuRegister(0xAC4, Cmd1.NPU_SET_DMA0_SRC, 32)
    DMA0_DST = TsuRegister(0xAC8, Cmd1.NPU_SET_DMA0_DST)
    DMA0_DST_HI = TsuRegister(0xACC, Cmd1.NPU_SET_DMA0_DST, 32)
    DMA0_LEN = TsuRegister(0xAD0, Cmd1.NPU_SET_DMA0_LEN)
    DMA0_LEN_HI = TsuRegister(0xAD4, Cmd1.NPU_SET_DMA0_LEN, 32)
    DMA0_SKIP0 = TsuRegister(0xAD8, Cmd1.NPU_SET_DMA0_SKIP0)
    DMA0_SKIP0_HI = TsuRegister(0xADC, Cmd1.NPU_SET_DMA0_SKIP0, 32)
    DMA0_SKIP1 = TsuRegister(0xAE0, Cmd1.NPU_SET_DMA0_SKIP1)
    DMA0_SKIP1_HI = TsuRegister(0xAE4, Cmd1.NPU_SET_DMA0_SKIP1, 32)
    IFM2_BASE0 = TsuRegister(0xB00, Cmd1.NPU_SET_IFM2_BASE0)
    IFM2_BASE0_HI = TsuRegister(0xB04, Cmd1.NPU_SET_IFM2_BASE0, 32)
    IFM2_BASE1 = TsuRegister(0xB08, Cmd1.NPU_SET_IFM2_BASE1)
    IFM2_BASE1_HI = TsuRegister(0xB0C, Cmd1.NPU_SET_IFM2_BASE1, 32)
    IFM2_BASE2 = TsuRegister(0xB10, Cmd1.NPU_SET_IFM2_BASE2)
    IFM2_BASE2_HI = TsuRegister(0xB14, Cmd1.NPU_SET_IFM2_BASE2, 32)
    IFM2_BASE3 = TsuRegister(0xB18, Cmd1.NPU_SET_IFM2_BASE3)
    IFM2_BASE3_HI = TsuRegister(0xB1C, Cmd1.NPU_SET_IFM2_BASE3, 32)
    IFM2_STRIDE_X = TsuRegister(0xB20, Cmd1.NPU_SET_IFM2_STRIDE_X)
    IFM2_STRIDE_X_HI = TsuRegister(0xB24, Cmd1.NPU_SET_IFM2_STRIDE_X, 32)
    IFM2_STRIDE_Y = TsuRegister(0xB28, Cmd1.NPU_SET_IFM2_STRIDE_Y)
    IFM2_STRIDE_Y_HI = TsuRegister(0xB2C, Cmd1.NPU_SET_IFM2_STRIDE_Y, 32)
    IFM2_STRIDE_C = TsuRegister(0xB30, Cmd1.NPU_SET_IFM2_STRIDE_C)
    IFM2_STRIDE_C_HI = TsuRegister(0xB34, Cmd1.NPU_SET_IFM2_STRIDE_C, 32)
    WEIGHT1_BASE = TsuRegister(0xB40, Cmd1.NPU_SET_WEIGHT1_BASE)
    WEIGHT1_BASE_HI = TsuRegister(0xB44, Cmd1.NPU_SET_WEIGHT1_BASE, 32)
    WEIGHT1_LENGTH = TsuRegister(0xB48, Cmd1.NPU_SET_WEIGHT1_LENGTH)
    SCALE1_BASE = TsuRegister(0xB50, Cmd1.NPU_SET_SCALE1_BASE)
    SCALE1_BASE_HI = TsuRegister(0xB54, Cmd1.NPU_SET_SCALE1_BASE, 32)
    SCALE1_LENGTH = TsuRegister(0xB58, Cmd1.NPU_SET_SCALE1_LENGTH)


TSU_REGISTERS = {register.offset: register for register in words_of(Tsu, TsuRegister)}
