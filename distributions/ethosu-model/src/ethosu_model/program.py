# SPDX-License-Identifier: Apache-2.0
"""A command stream made ready to run: its operations, each with the registers set before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ethosu_model.command_stream import CommandState, DecodedStream, Instruction
from ethosu_model.command_words import Command
from ethosu_model.commands import Cmd0
from ethosu_model.convolution_operation import Convolution, DepthwiseConvolution
from ethosu_model.elementwise_operation import Elementwise
from ethosu_model.job import Job
from ethosu_model.machine import Machine
from ethosu_model.operation import BlockOperation
from ethosu_model.pooling_operation import Pooling

# Streams with more operations are prepared anew each time; a network has some hundreds.
_KEPT_ACTIONS = 5000

OPERATIONS: dict[Command, type[BlockOperation]] = {
    Cmd0.NPU_OP_CONV: Convolution,
    Cmd0.NPU_OP_DEPTHWISE: DepthwiseConvolution,
    Cmd0.NPU_OP_POOL: Pooling,
    Cmd0.NPU_OP_ELEMENTWISE: Elementwise,
}


@dataclass
class Action:
    """An NPU_OP command and the command registers as it finds them."""

    instruction: Instruction
    state: CommandState
    _operation: BlockOperation | None = field(default=None, repr=False)

    def operation(self, machine: Machine, job: Job) -> BlockOperation:
        """Return the operation, its operands resolved.

        Raises:
            CommandFault: An operand is not legal.
        """
        if self._operation is None:
            kind = OPERATIONS[self.instruction.command]
            operation = kind(machine, self.state, job, self.instruction)
            operation.resolve()
            self._operation = operation
        return self._operation


class Program:
    """The actions of one stream; they may be run again and again by the same job."""

    def __init__(self, stream: DecodedStream) -> None:
        self.stream = stream
        count = sum(each.command.is_operation for each in stream.commands)
        self._kept = tuple(self._prepare()) if count <= _KEPT_ACTIONS else None

    def actions(self) -> Iterator[Action]:
        """Yield the actions in order."""
        return iter(self._kept) if self._kept is not None else self._prepare()

    def _prepare(self) -> Iterator[Action]:
        state = CommandState()
        for instruction in self.stream.commands:
            if instruction.command.is_operation:
                yield Action(instruction, state.copy())
            else:
                state.set(instruction)
