# SPDX-License-Identifier: Apache-2.0
"""The kinds of Ethos-U85's commands whose fields Ethos-U55 and U65 have not."""

from __future__ import annotations

from ethosu_model.command_words import Address, Command, Operation, PayloadCommand
from ethosu_model.enums import Layout, OfmScaleMode, StrideMode
from ethosu_model.fields import bits, choice, flag
from ethosu_model.u85.enums import (
    Accumulator,
    AccumulatorInput,
    AccumulatorOutput,
    BranchCondition,
    BroadcastMode,
    Clip,
    ElementSize,
    ElementwiseMode,
    Function,
    IfmRounding,
    Microblock,
    OfmRounding,
    PoolingMode,
    ResizeMode,
    Reverse,
    Sparsity,
    Storage,
    Transpose,
    WeightFormat,
)


class ConvolutionOperation(Operation):
    """NPU_OP_CONV."""

    weights_ifm2 = flag(0)


class PoolOperation(Operation):
    """NPU_OP_POOL."""

    pooling_mode = choice(0, 3, PoolingMode)


class ElementwiseOperation(Operation):
    """NPU_OP_ELEMENTWISE."""

    elementwise_mode = choice(0, 6, ElementwiseMode)


class ResizeOperation(Operation):
    """NPU_OP_RESIZE."""

    resize_mode = choice(0, 2, ResizeMode)


class DmaWaitOperation(Operation):
    """NPU_OP_DMA_WAIT: until at most k transfers are outstanding."""

    k = bits(0, 2)


class KernelWaitOperation(Operation):
    """NPU_OP_KERNEL_WAIT: until at most n block operations are outstanding."""

    n = bits(0, 1)


class BranchOperation(PayloadCommand):
    """NPU_OP_BRANCH: go on elsewhere in the stream."""

    is_operation = True
    branch_target = bits(0, 32)
    branch_cond = choice(32, 1, BranchCondition)


class IfmPrecision(Command):
    """The elements of the IFM, or of IFM2, and where they are."""

    activation_type = flag(0)  # signed
    activation_precision = choice(2, 2, ElementSize)
    activation_format = choice(6, 2, Layout)
    activation_storage = choice(14, 2, Storage)


class OfmPrecision(Command):
    """The OFM's elements, the order in which they are written, and where to."""

    activation_type = flag(0)
    activation_precision = choice(1, 2, ElementSize)
    activation_format = choice(6, 2, Layout)
    scale_mode = choice(8, 1, OfmScaleMode)
    activation_reverse = choice(9, 2, Reverse)
    activation_transpose = choice(11, 3, Transpose)
    activation_storage = choice(14, 2, Storage)


class Broadcast(Command):
    """How an operand is repeated."""

    broadcast_mode = choice(0, 4, BroadcastMode)


class BlockWidthM1(Command):
    """The OFM block's width less one."""

    width_m1 = bits(0, 7)


class BlockHeightM1(Command):
    """The OFM block's height less one."""

    height_m1 = bits(0, 7)


class BlockDepthM1(Command):
    """The OFM block's depth less one."""

    depth_m1 = bits(0, 10)


class AccumulatorFormat(Command):
    """The accumulators, and the microblock that orders the weights."""

    acc_format = choice(0, 2, Accumulator)
    acc_input = choice(4, 2, AccumulatorInput)
    acc_output = choice(6, 1, AccumulatorOutput)
    microblock = choice(8, 3, Microblock)


class Activation(Command):
    """The table that values go through, and whether they are limited before."""

    activation_function = choice(0, 5, Function)
    table = bits(5, 3)
    activation_clip_range = choice(12, 1, Clip)


class WeightFormatWord(Command):
    """How weights are compressed."""

    weight_format = choice(0, 4, WeightFormat)
    weight_sparsity = choice(4, 1, Sparsity)


class ResizeScale(Command):
    """The numerator of a factor less one."""

    resize_scale_n_m1 = bits(0, 11)


class ResizeOffset(Command):
    """Where the first element is, signed, in parts of the numerator."""

    resize_offset = bits(0, 12)


class BlockDependency(Command):
    """How many blocks an operation may overtake those before it by; the model has no overlap."""

    blockdep = bits(0, 3)


class DmaSourceRegion(Command):
    """Where a transfer comes from, and its shape."""

    region = bits(0, 3)
    region_mode = flag(8)  # internal: the table RAM
    stride_mode = choice(9, 2, StrideMode)
    idx_mode = flag(11)


class DmaTargetRegion(Command):
    """Where a transfer goes to."""

    region = bits(0, 3)
    region_mode = flag(8)
    idx_mode = flag(11)


class WideAddress(Address):
    """An address, offset, stride or length of 40 bits."""

    addr = bits(0, 40)


class OfmScale(PayloadCommand):
    """How results become elements."""

    scale = bits(0, 31)
    shift = bits(32, 6)
    dbl_rnd = bits(38, 5)
    round_mode = choice(45, 3, OfmRounding)


class IfmScale(PayloadCommand):
    """How an operand is scaled before ADD, SUB and LRELU."""

    scale = bits(0, 31)
    shift = bits(32, 6)
    dbl_rnd = bits(38, 5)
    round_mode = choice(45, 1, IfmRounding)


class OpScalar(PayloadCommand):
    """The scalar that stands for an operand."""

    scalar = bits(0, 32)


class IndexMax(PayloadCommand):
    """The largest index of an indexed transfer."""

    idx_max = bits(0, 31)


class ResizeStep(PayloadCommand):
    """How far an element and a block of the OFM go in the IFM: whole elements, and the rest."""

    one_step_mod = bits(0, 11)
    blk_step_mod = bits(16, 11)
    one_step_int = bits(32, 4)
    blk_step_int = bits(36, 11)
