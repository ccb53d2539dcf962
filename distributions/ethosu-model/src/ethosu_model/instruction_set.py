# SPDX-License-Identifier: Apache-2.0
"""What the executor needs to know of a product's commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from ethosu_model import commands
from ethosu_model.accounting import OperationCost
from ethosu_model.blocks import BlockWork
from ethosu_model.command_stream import CommandState, Instruction
from ethosu_model.command_words import Command
from ethosu_model.convolution_operation import Convolution, DepthwiseConvolution
from ethosu_model.dma import RunTransfer, prepare_dma
from ethosu_model.elementwise_operation import Elementwise
from ethosu_model.enums import Product
from ethosu_model.fields import Field
from ethosu_model.job import Job
from ethosu_model.machine import Machine
from ethosu_model.operation import OperationReport
from ethosu_model.ordering import Accesses
from ethosu_model.pooling_operation import Pooling
from ethosu_model.u85 import commands as u85_commands
from ethosu_model.u85.convolution import Convolution as U85Convolution
from ethosu_model.u85.convolution import DepthwiseConvolution as U85DepthwiseConvolution
from ethosu_model.u85.dma import prepare_dma as prepare_u85_dma
from ethosu_model.u85.elementwise import Elementwise as U85Elementwise
from ethosu_model.u85.pooling import Pooling as U85Pooling
from ethosu_model.u85.resize import Resize


class NpuOperation(Protocol):
    """An operation with its operands."""

    @property
    def joins(self) -> bool:
        """Whether it is chained to the operation before it."""

    @property
    def cost(self) -> OperationCost:
        """What running it costs."""

    def resolve(self) -> None:
        """Resolve the operands; CommandFault if one is not legal."""

    def accesses(self, name: str) -> Accesses:
        """Return what the operation reads and writes."""

    def blocks(self, name: str) -> BlockWork:
        """Return what its blocks read and write."""

    def run(self) -> OperationReport:
        """Execute the operation; NpuFault if it cannot be."""

    def again(self) -> None:
        """Execute it without a report."""


MakeOperation = Callable[[Machine, CommandState, Job, Instruction], NpuOperation]
PrepareTransfer = Callable[[Machine, CommandState, Job], RunTransfer]


@dataclass(frozen=True)
class InstructionSet:
    """The commands that the executor treats in a way of their own.

    Attributes:
        operations: What makes the block operation of a command.
        prepare_dma: Makes ``dma_start`` ready to be executed.
        kernels_left: Where ``kernel_wait`` tells how many may be outstanding.
        transfers_left: And where ``dma_wait`` does.
    """

    stop: Command
    irq: Command
    irq_mask: Field[int]
    dma_start: Command
    prepare_dma: PrepareTransfer
    kernel_wait: Command
    kernels_left: Field[int]
    dma_wait: Command
    transfers_left: Field[int]
    pmu_mask: Command
    pmu_masked: Field[bool]
    operations: Mapping[Command, MakeOperation]


_Cmd0 = commands.Cmd0
_U85_Cmd0 = u85_commands.Cmd0

_U55_AND_U65 = InstructionSet(
    stop=_Cmd0.NPU_OP_STOP,
    irq=_Cmd0.NPU_OP_IRQ,
    irq_mask=_Cmd0.NPU_OP_STOP.irq_mask,
    dma_start=_Cmd0.NPU_OP_DMA_START,
    prepare_dma=prepare_dma,
    kernel_wait=_Cmd0.NPU_OP_KERNEL_WAIT,
    kernels_left=_Cmd0.NPU_OP_KERNEL_WAIT.n,
    dma_wait=_Cmd0.NPU_OP_DMA_WAIT,
    transfers_left=_Cmd0.NPU_OP_DMA_WAIT.k,
    pmu_mask=_Cmd0.NPU_OP_PMU_MASK,
    pmu_masked=_Cmd0.NPU_OP_PMU_MASK.enable,
    operations={
        _Cmd0.NPU_OP_CONV: Convolution,
        _Cmd0.NPU_OP_DEPTHWISE: DepthwiseConvolution,
        _Cmd0.NPU_OP_POOL: Pooling,
        _Cmd0.NPU_OP_ELEMENTWISE: Elementwise,
    },
)
_U85 = InstructionSet(
    stop=_U85_Cmd0.NPU_OP_STOP,
    irq=_U85_Cmd0.NPU_OP_IRQ,
    irq_mask=_U85_Cmd0.NPU_OP_STOP.irq_mask,
    dma_start=_U85_Cmd0.NPU_OP_DMA_START,
    prepare_dma=prepare_u85_dma,
    kernel_wait=_U85_Cmd0.NPU_OP_KERNEL_WAIT,
    kernels_left=_U85_Cmd0.NPU_OP_KERNEL_WAIT.n,
    dma_wait=_U85_Cmd0.NPU_OP_DMA_WAIT,
    transfers_left=_U85_Cmd0.NPU_OP_DMA_WAIT.k,
    pmu_mask=_U85_Cmd0.NPU_OP_PMU_MASK,
    pmu_masked=_U85_Cmd0.NPU_OP_PMU_MASK.enable,
    operations={
        _U85_Cmd0.NPU_OP_CONV: U85Convolution,
        _U85_Cmd0.NPU_OP_DEPTHWISE: U85DepthwiseConvolution,
        _U85_Cmd0.NPU_OP_POOL: U85Pooling,
        _U85_Cmd0.NPU_OP_ELEMENTWISE: U85Elementwise,
        _U85_Cmd0.NPU_OP_RESIZE: Resize,
    },
)


def instruction_set(product: Product) -> InstructionSet:
    """Return the instruction set of a product."""
    return _U85 if product is Product.U85 else _U55_AND_U65
