# SPDX-License-Identifier: Apache-2.0
"""The kinds of commands, with their fields at their widths by the architecture's headers.

A field is that of a command's value: of its parameter, or, with a payload, of the payload with
the parameter above it from bit 32 on.
"""

from __future__ import annotations

from ethosu_model.enums import (
    AccFormat,
    ActivationFunction,
    ActivationPrecision,
    ClipRange,
    Decomposition,
    ElementwiseMode,
    Layout,
    OfmScaleMode,
    OperandOrder,
    ParallelMode,
    PoolingMode,
    Product,
    Rounding,
    ScaleMode,
    StrideMode,
    Upscale,
    WeightOrder,
)
from ethosu_model.fields import Word, bits, choice, flag

BOTH = frozenset({Product.U55, Product.U65})
U55_ONLY = frozenset({Product.U55})
U65_ONLY = frozenset({Product.U65})


class Command(Word):
    """A command of the stream.

    Attributes:
        code: Its opcode, unique among those with, or without, a payload.
        products: Those that know it.
    """

    has_payload = False
    is_operation = False

    def __init__(self, code: int, products: frozenset[Product] = BOTH) -> None:
        super().__init__()
        self.code = code
        self.products = products


class Operation(Command):
    """An NPU_OP command without a parameter."""

    is_operation = True


class MaskOperation(Operation):
    """NPU_OP_STOP and NPU_OP_IRQ: what is added to STATUS.irq_history_mask."""

    irq_mask = bits(0, 16)


class PoolOperation(Operation):
    """NPU_OP_POOL."""

    pooling_mode = choice(0, 3, PoolingMode)


class ElementwiseOperation(Operation):
    """NPU_OP_ELEMENTWISE."""

    elementwise_mode = choice(0, 6, ElementwiseMode)


class DmaWaitOperation(Operation):
    """NPU_OP_DMA_WAIT: until at most k transfers are outstanding."""

    k = bits(0, 4)


class KernelWaitOperation(Operation):
    """NPU_OP_KERNEL_WAIT: until at most n block operations are outstanding."""

    n = bits(0, 2)


class PmuMaskOperation(Operation):
    """NPU_OP_PMU_MASK: what follows is not counted, if PMCR.mask_en."""

    enable = flag(0)


class PadNear(Command):
    """Padding above or left of the IFM."""

    pad = bits(0, 7)


class PadFar(Command):
    """Padding below or right of the IFM."""

    pad = bits(0, 8)


class WidthM1(Command):
    """A width less one, in elements."""

    width_m1 = bits(0, 16)


class HeightM1(Command):
    """A height less one, in elements."""

    height_m1 = bits(0, 16)


class DepthM1(Command):
    """A depth less one, in elements."""

    depth_m1 = bits(0, 16)


class BlockWidthM1(Command):
    """The OFM block's width less one."""

    width_m1 = bits(0, 6)


class BlockHeightM1(Command):
    """The OFM block's height less one."""

    height_m1 = bits(0, 5)


class BlockDepthM1(Command):
    """The OFM block's depth less one."""

    depth_m1 = bits(0, 7)


class IfmPrecision(Command):
    """The IFM's elements, and how ADD and SUB scale."""

    activation_type = flag(0)  # signed
    activation_precision = choice(2, 2, ActivationPrecision)
    activation_format = choice(6, 2, Layout)
    scale_mode = choice(8, 2, ScaleMode)
    round_mode = choice(14, 2, Rounding)


class Ifm2Precision(Command):
    """The elements of IFM2."""

    activation_type = flag(0)
    activation_precision = choice(2, 2, ActivationPrecision)
    activation_format = choice(6, 2, Layout)


class OfmPrecision(Command):
    """The OFM's elements and scaling."""

    activation_type = flag(0)
    activation_precision = choice(1, 2, ActivationPrecision)
    activation_format = choice(6, 2, Layout)
    scale_mode = choice(8, 1, OfmScaleMode)
    round_mode = choice(14, 2, Rounding)


class IfmUpscale(Command):
    """How the IFM is enlarged before its window."""

    mode = choice(0, 2, Upscale)


class ZeroPoint(Command):
    """A zero point, signed as the elements are."""

    zero_point = bits(0, 16)


class BufferStart(Command):
    """Where a buffer begins or ends in SHRAM, in KiB; the model needs none of them."""

    kib = bits(0, 6)


class Region(Command):
    """The region of IFM2."""

    region = bits(0, 3)


class CustomDmaRegion(Region):
    """The region of the IFM, the OFM, weights or scales, or a custom DMA in its place."""

    custom_dma_cs = flag(15)  # Ethos-U55 1.1 with CONFIG.custom_dma, which the model has not


class KernelStride(Command):
    """Strides less one, dilations less one, order of weights."""

    stride_x_lsb = bits(0, 1)
    stride_y_lsb = bits(1, 1)
    weight_order = choice(2, 1, WeightOrder)
    dilation_x = bits(3, 1)
    dilation_y = bits(4, 1)
    decomposition = choice(5, 1, Decomposition)
    stride_x_msb = bits(6, 1)
    stride_y_msb = bits(9, 1)


class Parallel(Command):
    """How many cores work."""

    parallel_mode = choice(0, 1, ParallelMode)


class AccumulatorFormat(Command):
    """The accumulators."""

    acc_format = choice(0, 2, AccFormat)


class Activation(Command):
    """The activation and the type within which its limits hold."""

    activation_function = choice(0, 5, ActivationFunction)
    activation_clip_range = choice(12, 3, ClipRange)


class ClipBoundary(Command):
    """A limit of the activation, signed as the OFM is."""

    clip_boundary = bits(0, 16)


class BlockDependency(Command):
    """How many blocks an operation may overtake those before it by; the model has no overlap."""

    blockdep = bits(0, 2)


class DmaRegion(Command):
    """One side of a transfer."""

    region = bits(0, 3)
    region_mode = flag(8)  # internal: SHRAM
    stride_mode = choice(9, 2, StrideMode)
    custom_dma_cs = flag(15)


class DmaSize(Command):
    """Rows, or planes, of a transfer."""

    size = bits(0, 16)


class Ifm2Broadcast(Command):
    """Axes along which IFM2 is repeated, and which operand it is."""

    broadcast_h = flag(0)
    broadcast_w = flag(1)
    broadcast_c = flag(2)
    operand_order = choice(6, 1, OperandOrder)
    broadcast_constant = flag(7)


class Scalar(Command):
    """The constant that stands for IFM2, signed as its elements are."""

    scalar = bits(0, 16)


class PayloadCommand(Command):
    """A command with a second word."""

    has_payload = True


class Address(PayloadCommand):
    """An offset in a region, a stride or a length, as wide as the product's addresses."""

    addr = bits(0, 48)


class Length(PayloadCommand):
    """Bytes of a weight stream, or of scales."""

    length = bits(0, 32)


class Scale(PayloadCommand):
    """A multiplier and a shift to the right."""

    scale = bits(0, 32)
    shift = bits(32, 6)


class NarrowScale(PayloadCommand):
    """A multiplier of the 16-bit mode."""

    scale = bits(0, 16)


class UserDefined(PayloadCommand):
    """A register of a custom DMA."""

    user_reg = bits(0, 32)
