# SPDX-License-Identifier: Apache-2.0
"""A command stream made ready to run: its operations, each with the registers set before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from ethosu_model.command_stream import CommandState, Instruction, instructions, no_pace
from ethosu_model.dma import DmaReport, RunTransfer
from ethosu_model.enums import Product
from ethosu_model.faults import CommandFault
from ethosu_model.instruction_set import MakeOperation, NpuOperation, PrepareTransfer
from ethosu_model.job import Job
from ethosu_model.machine import Machine

# Longer streams are prepared anew each time, command by command; a network has some hundreds of
# operations. An action with its registers takes some 10 KiB.
MAX_KEPT_ACTIONS = 5000
_MAX_KEPT_BYTES = 1 << 20


@dataclass
class Action:
    """An NPU_OP command and the command registers as it finds them.

    Attributes:
        moved: What its transfer did the last time.
        again: Executes it once more, once it has been executed.
    """

    instruction: Instruction
    state: CommandState
    moved: DmaReport | None = field(default=None, repr=False)
    again: Callable[[], object] | None = field(default=None, repr=False)
    _operation: NpuOperation | None = field(default=None, repr=False)
    _transfer: RunTransfer | None = field(default=None, repr=False)

    def operation(self, make: MakeOperation, machine: Machine, job: Job) -> NpuOperation:
        """Return the operation that ``make`` makes, its operands resolved.

        Raises:
            CommandFault: An operand is not legal.
        """
        if self._operation is None:
            operation = make(machine, self.state, job, self.instruction)
            operation.resolve()
            self._operation = operation
        return self._operation

    def transfer(self, prepare: PrepareTransfer, machine: Machine, job: Job) -> RunTransfer:
        """Return the transfer that ``prepare`` makes ready.

        Raises:
            CommandFault: An operand is not legal.
        """
        if self._transfer is None:
            self._transfer = prepare(machine, self.state, job)
        return self._transfer


class Program:
    """The actions of one stream; they may be run again and again by the same job.

    Attributes:
        size_bytes: Bytes of the commands up to the fault or the end, when all actions were run.
        fault: What is wrong behind them, if anything.
        kept_actions: How many are kept ready.
        events: What a run to the end has counted, by where it began; it is the same each time.
    """

    def __init__(
        self, stream: bytes, product: Product, check_time: Callable[[], None] = no_pace
    ) -> None:
        """Make a stream ready, if it is not too long to be kept so.

        Args:
            stream: Its bytes.
            product: Whose commands they are.
            check_time: Called while decoding; raises when it takes too long.
        """
        self._stream = stream
        self._product = product
        self._check_time = check_time
        self.size_bytes = 0
        self.fault: CommandFault | None = None
        self._kept: tuple[Action, ...] | None = None
        if len(stream) <= _MAX_KEPT_BYTES:
            actions = tuple(islice(self._prepare(), MAX_KEPT_ACTIONS + 1))
            self._kept = actions if len(actions) <= MAX_KEPT_ACTIONS else None
        self.kept_actions = len(self._kept or ())
        self.events: dict[int, tuple[dict[int, int], dict[int, int]]] = {}

    def actions(self) -> Iterator[Action]:
        """Yield the actions in order."""
        return iter(self._kept) if self._kept is not None else self._prepare()

    def _prepare(self) -> Iterator[Action]:
        state = CommandState()
        self.size_bytes = 0
        self.fault = None
        try:
            for instruction in instructions(self._stream, self._product, self._check_time):
                if instruction.command.is_operation:
                    yield Action(instruction, state.copy())
                else:
                    state.set(instruction)
                self.size_bytes = instruction.offset + instruction.size_bytes
        except CommandFault as fault:
            self.fault = fault
