# SPDX-License-Identifier: Apache-2.0
"""The values of Ethos-U85's fields, where they differ from Ethos-U55's and U65's."""

from __future__ import annotations

from enum import IntEnum


class ElementSize(IntEnum):
    """Size of a feature map's elements."""

    B8 = 0
    B16 = 1
    B32 = 2
    B64 = 3


class Storage(IntEnum):
    """``activation_storage``: tiles in memory, a chaining buffer, or no feature map at all."""

    TILE2X2 = 0
    TILE3X1 = 1
    CHAINED = 2
    NONE = 3


class Reverse(IntEnum):
    """``activation_reverse``: the axis along which the OFM is written backwards."""

    NONE = 0
    H = 1
    W = 2
    C = 3


class Transpose(IntEnum):
    """``activation_transpose``: which axes of the result are the OFM's rows, columns, channels."""

    HWC = 0
    WHC = 1
    HCW = 2
    WCH = 3
    CHW = 6
    CWH = 7


class OfmRounding(IntEnum):
    """``round_mode`` of OFM_SCALE."""

    DOUBLE_SYMMETRIC = 0
    NATURAL = 1
    DOUBLE_ASYMMETRIC = 2
    SYMMETRIC = 3
    TRUNCATE_TO_ZERO = 4
    TRUNCATE_TO_LOWER = 5


class IfmRounding(IntEnum):
    """``round_mode`` of IFM_SCALE and IFM2_SCALE."""

    DOUBLE_SYMMETRIC = 0
    NATURAL = 1


class Accumulator(IntEnum):
    """``acc_format``: bits of the accumulators."""

    I32 = 0
    I48 = 1


class AccumulatorInput(IntEnum):
    """``acc_input``: what accumulators begin with."""

    RESET = 0
    KEEP = 1
    IFM2 = 2


class AccumulatorOutput(IntEnum):
    """``acc_output``: whether they are written out at the end."""

    ENABLE = 0
    DISABLE = 1


class Microblock(IntEnum):
    """Rows and columns that are worked on at once; the depth follows from the build."""

    U1X1 = 0
    U1X2 = 1
    U1X4 = 2
    U2X2 = 3
    U2X4 = 4
    U4X4 = 5


class Function(IntEnum):
    """``activation_function``: how a table is looked up."""

    LUT_NONE = 0
    LUT_U8_U8 = 1
    LUT_S8_S8 = 4
    LUT_S8_S16 = 5
    LUT_S8_S32 = 7
    LUT_S16_S16 = 8
    LUT_S16_S32 = 9
    LUT_TANH = 10
    LUT_SIGMOID = 11


class Clip(IntEnum):
    """``activation_clip_range``: whether the limits hold, of 16 bits."""

    B16 = 0
    NONE = 1


class WeightFormat(IntEnum):
    """The decoder of a weight stream: the standard one, or the fast one."""

    SWD = 0
    FWD = 1


class Sparsity(IntEnum):
    """``weight_sparsity``: at most two of four weights along the IFM's depth are not zero."""

    NONE = 0
    SPARSE_2_4 = 1


class BroadcastMode(IntEnum):
    """Axes along which an operand is repeated, or the scalar that stands for it."""

    NONE = 0
    H = 1
    W = 2
    HW = 3
    C = 4
    CH = 5
    CW = 6
    CWH = 7
    SCALAR = 8


class PoolingMode(IntEnum):
    """The parameter of NPU_OP_POOL."""

    MAX = 0
    AVERAGE = 1
    REDUCE_SUM = 2
    SUM = 3
    NONE = 4
    MIN = 5
    ARGMAX_X = 6
    ARGMAX_Y = 7


class ElementwiseMode(IntEnum):
    """The parameter of NPU_OP_ELEMENTWISE."""

    MUL = 0
    ADD = 1
    SUB = 2
    MIN = 3
    MAX = 4
    LRELU = 5
    ABS = 6
    CLZ = 7
    SHR = 8
    SHL = 9
    LSR = 10
    DIV = 11
    CMP_EQ = 16
    CMP_NE = 17
    CMP_GE = 18
    CMP_GT = 19
    AND = 33
    OR = 34
    XOR = 35
    NOT = 36
    AND_NOT = 42


class ResizeMode(IntEnum):
    """The parameter of NPU_OP_RESIZE."""

    BILINEAR = 0
    REPLICATE = 1
    NEAREST = 2


class BranchCondition(IntEnum):
    """When NPU_OP_BRANCH is taken."""

    ALWAYS = 0
    RF_TRUE = 1


class AxiPort(IntEnum):
    """``mem_attr_axi_port``: the ports to internal and external memory."""

    SRAM = 0
    EXT = 1
