# SPDX-License-Identifier: Apache-2.0
"""The values of fields, by the names of the architecture's headers.

Vela's table calls some otherwise; tests/unit/npu/test_tables.py lists them.
"""

from __future__ import annotations

from enum import IntEnum


class Product(IntEnum):
    """CONFIG.product."""

    U55 = 0
    U65 = 1
    U85 = 2


class MemAttr(IntEnum):
    """REGIONCFG and QCONFIG: an AXI port and one of its counters of outstanding transfers."""

    AXI0_OUTSTANDING_COUNTER0 = 0
    AXI0_OUTSTANDING_COUNTER1 = 1
    AXI1_OUTSTANDING_COUNTER2 = 2
    AXI1_OUTSTANDING_COUNTER3 = 3


class ActivationPrecision(IntEnum):
    """Size of a feature map's elements."""

    B8 = 0
    B16 = 1
    B32 = 2


class Layout(IntEnum):
    """``activation_format``: how a feature map is laid out."""

    NHWC = 0
    NHCWB16 = 1


class Upscale(IntEnum):
    """``ifm_upscale_mode``; ZEROS inserts zeros, for transposed convolution."""

    NONE = 0
    NEAREST = 1
    ZEROS = 2


class ScaleMode(IntEnum):
    """``ifm_scale_mode``: how ADD and SUB scale their operands."""

    OPA_OPB_16 = 0
    OPA_32 = 1
    OPB_32 = 2


class OfmScaleMode(IntEnum):
    """Whether each channel has a scale, or all share OFM_SCALE."""

    PER_CHANNEL = 0
    GLOBAL = 1


class Rounding(IntEnum):
    """``round_mode``; the headers call TFL DBL: it rounds twice, as gemmlowp does."""

    TFL = 0
    TRUNCATE = 1
    NATURAL = 2


class AccFormat(IntEnum):
    """``acc_format``: the accumulators."""

    I32 = 0
    I40 = 1
    F16 = 2


class ActivationFunction(IntEnum):
    """``activation_function``; the headers call NONE RELU: a clamp is all it does."""

    NONE = 0
    TANH = 3
    SIGMOID = 4
    TABLE_0 = 16
    TABLE_1 = 17
    TABLE_2 = 18
    TABLE_3 = 19
    TABLE_4 = 20
    TABLE_5 = 21
    TABLE_6 = 22
    TABLE_7 = 23


class ClipRange(IntEnum):
    """``activation_clip_range``: the type within which the activation's limits hold."""

    OFM_PRECISION = 0
    FORCE_UINT8 = 2
    FORCE_INT8 = 3
    FORCE_INT16 = 5


class PoolingMode(IntEnum):
    """The parameter of NPU_OP_POOL."""

    MAX = 0
    AVERAGE = 1
    REDUCE_SUM = 2


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


class OperandOrder(IntEnum):
    """Which operand IFM2 is."""

    ORDER_B = 0
    ORDER_A = 1


class StrideMode(IntEnum):
    """``dma_stride_mode``: rows, and planes, of a transfer; Ethos-U55 has D1 alone."""

    D1 = 0
    D2 = 1
    D3 = 2


class Decomposition(IntEnum):
    """``kernel_decomposition``: the largest piece of a kernel that is computed at a time."""

    D8X8 = 0
    D4X4 = 1


class WeightOrder(IntEnum):
    """The order of weights in their stream."""

    DEPTH_FIRST = 0
    PART_KERNEL_FIRST = 1


class ParallelMode(IntEnum):
    """Ethos-U65 with two cores: one or both work on an operation."""

    SINGLE_CORE = 0
    DUAL_CORE_DEPTH = 1
