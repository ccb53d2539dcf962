# SPDX-License-Identifier: Apache-2.0
"""Runs one job: fetches the command stream and executes it to its end or to a fault."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from ethosu_model.accounting import Account, Added
from ethosu_model.bus import Bus
from ethosu_model.checks import Checks
from ethosu_model.command_stream import CommandState, Instruction, no_pace
from ethosu_model.config import AcceleratorConfig
from ethosu_model.dma import DmaReport
from ethosu_model.faults import AxiChannel, CommandFault, NpuFault
from ethosu_model.instruction_set import instruction_set
from ethosu_model.job import Job, JobResult
from ethosu_model.limits import MAX_STREAM_BYTES, Budget, check
from ethosu_model.machine import Machine
from ethosu_model.memory import Memory
from ethosu_model.operation import OperationReport
from ethosu_model.ordering import Accesses, Ordering
from ethosu_model.program import MAX_KEPT_ACTIONS, Action, Program
from ethosu_model.trace import Trace
from ethosu_model.weights import WeightCache

_MAX_KEPT_PROGRAMS = 4


class Executor:
    """The NPU behind its registers: what lasts from job to job is SHRAM.

    Attributes:
        last_state: Command registers as the last operation found them.
    """

    def __init__(
        self, accelerator: AcceleratorConfig, memory: Memory, trace: Trace | None, checks: Checks
    ) -> None:
        self._machine = Machine(
            accelerator=accelerator,
            bus=Bus(memory, accelerator.address_bits),
            cache=WeightCache(),
            shram=bytearray(accelerator.shram_bytes),
            budget=Budget(),
            checks=checks,
        )
        # A memory with a time limit of its own checks it while a long stream is decoded too.
        self._check_time: Callable[[], None] = getattr(memory, "check_time", no_pace)
        self._commands = instruction_set(accelerator.architecture)
        self._trace = trace
        self._ordering = Ordering(accelerator.architecture)
        self.last_state = CommandState()
        self._programs: OrderedDict[tuple[bytes, Job], Program] = OrderedDict()

    @property
    def shram(self) -> bytearray:
        """Shared RAM."""
        return self._machine.shram

    def reset(self) -> None:
        """Clear SHRAM and the command registers."""
        self.last_state = CommandState()
        self._machine.shram[:] = bytes(len(self._machine.shram))
        self._machine.chains.clear()

    def run(self, job: Job, start: int = 0) -> JobResult:
        """Execute ``job`` from byte ``start`` on, to a stop, to its end or to the first fault."""
        result = JobResult(read_offset=start)
        self._machine.budget = Budget()
        self._ordering = Ordering(self._machine.accelerator.architecture)
        account = Account(self._machine.accelerator)
        program: Program | None = None
        try:
            program = self._program(job)
            counted = self._counted(program, start)
            self._run_program(program, job, result, account if counted is None else None)
            result.end_reached = result.read_offset == job.stream_bytes
            if counted is not None:
                result.events, result.masked_events = map(dict, counted)
                return result
        except NpuFault as fault:
            result.fault = fault
            if program is not None and self._counted(program, start) is not None:
                self._count(program, job, start, result.read_offset, account)
        fetch = account.commands(job.stream_port, result.read_offset - start)
        if self._trace is not None:
            self._trace.cost(start, "commands", fetch)
        account.settle(result)
        if program is not None and program.kept_actions and result.fault is None:
            program.events[start] = dict(result.events), dict(result.masked_events)
        return result

    def _counted(
        self, program: Program, start: int
    ) -> tuple[dict[int, int], dict[int, int]] | None:
        """Return what a run is known to count; None if it has to be counted."""
        if self._trace is not None or self._machine.checks.ordering:
            return None
        return program.events.get(start)

    def _count(self, program: Program, job: Job, start: int, end: int, account: Account) -> None:
        """Enter the actions from one offset up to another, which have been executed."""
        for action in program.actions():
            instruction = action.instruction
            if not start <= instruction.offset < end or self._ends(instruction):
                continue
            make = self._commands.operations.get(instruction.command)
            if make is not None:
                account.operation(action.operation(make, self._machine, job).cost)
            elif action.moved is not None:
                account.transfer(action.moved)
            else:
                self._account_for(instruction, account)

    def _ends(self, instruction: Instruction) -> bool:
        return instruction.command in (self._commands.stop, self._commands.irq)

    def _program(self, job: Job) -> Program:
        """Fetch the command stream and make it ready; the last few streams are kept so."""
        check(job.stream_bytes, MAX_STREAM_BYTES, "bytes of commands")
        stream = self._machine.bus.read(
            job.stream_address, job.stream_bytes, job.stream_port, AxiChannel.COMMAND
        )
        key = (stream, job)
        program = self._programs.get(key)
        if program is None:
            product = self._machine.accelerator.architecture
            program = Program(stream, product, self._check_time)
            if not program.kept_actions:
                return program
            self._programs[key] = program
            self._forget_programs()
        self._programs.move_to_end(key)
        return program

    def _forget_programs(self) -> None:
        """Keep the newest program, and as many others as there is room for."""
        while len(self._programs) > 1 and (
            len(self._programs) > _MAX_KEPT_PROGRAMS
            or sum(each.kept_actions for each in self._programs.values()) > MAX_KEPT_ACTIONS
        ):
            self._programs.popitem(last=False)

    def _run_program(
        self, program: Program, job: Job, result: JobResult, account: Account | None
    ) -> None:
        """Execute operations up to NPU_OP_STOP, or until the queue runs dry."""
        start = result.read_offset
        for action in program.actions():
            instruction = action.instruction
            if instruction.offset < start:
                continue
            self.last_state = action.state
            result.read_offset = instruction.offset
            if account is None and action.again is not None:
                action.again()
            elif self._ends(instruction):
                result.irq_raised = True
                result.irq_mask |= instruction.get(self._commands.irq_mask)
                self._tell(instruction, lambda: f"mask 0x{result.irq_mask:04x}")
            elif account is not None:
                self._execute(action, job, account)
            else:
                self._execute_again(action, job)
            result.read_offset += instruction.size_bytes
            if instruction.command is self._commands.stop:
                return
        result.read_offset = program.size_bytes
        if program.fault is not None:
            raise program.fault

    def _execute(self, action: Action, job: Job, account: Account) -> None:
        instruction = action.instruction
        make = self._commands.operations.get(instruction.command)
        if make is not None:
            operation = action.operation(make, self._machine, job)
            if self._machine.checks.ordering:
                place = _place(instruction)
                accesses, blocks = operation.accesses(place), operation.blocks(place)
                self._ordering.kernel(accesses, blocks, joins=operation.joins)
            report = operation.run()
            self._tell_operation(instruction, report, account.operation(report.cost))
        elif instruction.command is self._commands.dma_start:
            transfer = self._move(action, job)
            if self._machine.checks.ordering:
                self._ordering.transfer(Accesses(_place(instruction), *transfer.accesses()))
            added = account.transfer(transfer)
            self._tell(instruction, lambda: transfer.operands)
            self._tell_cost(instruction, added)
        else:
            self._account_for(instruction, account)
            self._tell(instruction, lambda: str(instruction.parameter))

    def _execute_again(self, action: Action, job: Job) -> None:
        """Execute what has been counted before."""
        if action.again is None:
            action.again = self._again(action, job)
        action.again()

    def _again(self, action: Action, job: Job) -> Callable[[], object]:
        command = action.instruction.command
        make = self._commands.operations.get(command)
        if make is not None:
            return action.operation(make, self._machine, job).again
        if command is self._commands.dma_start:
            return action.transfer(self._commands.prepare_dma, self._machine, job)
        return _nothing  # waits and the like are seen by the account only

    def _move(self, action: Action, job: Job) -> DmaReport:
        transfer = action.transfer(self._commands.prepare_dma, self._machine, job)
        moved = action.moved = transfer()
        return moved

    def _account_for(self, instruction: Instruction, account: Account) -> None:
        """Carry out what only the account and the checks see: waits and the PMU's mask."""
        commands = self._commands
        if instruction.command is commands.kernel_wait:
            kernels = instruction.get(commands.kernels_left)
            account.wait_for_kernels(kernels)
            self._ordering.wait_for_kernels(kernels)
        elif instruction.command is commands.dma_wait:
            transfers = instruction.get(commands.transfers_left)
            account.wait_for_transfers(transfers)
            self._ordering.wait_for_transfers(transfers)
        elif instruction.command is commands.pmu_mask:
            account.masked = instruction.get(commands.pmu_masked)
        else:
            raise CommandFault(f"{_place(instruction)} is not modelled")

    def _tell_operation(
        self, instruction: Instruction, report: OperationReport, added: Added
    ) -> None:
        self._tell(instruction, report.describe)
        if self._trace is not None:
            shape = report.ofm.shape
            self._trace.ofm(
                instruction.offset,
                instruction.command.name,
                (shape.height, shape.width, shape.depth),
                report.result.tobytes(),
            )
        self._tell_cost(instruction, added)

    def _tell_cost(self, instruction: Instruction, added: Added) -> None:
        if self._trace is not None:
            self._trace.cost(instruction.offset, instruction.command.name, added.totals())

    def _tell(self, instruction: Instruction, describe: Callable[[], str]) -> None:
        if self._trace is not None:
            self._trace.command(instruction.offset, instruction.command.name, describe())


def _nothing() -> None:
    """Do nothing."""


def _place(instruction: Instruction) -> str:
    return f"{instruction.command.name} at 0x{instruction.offset:x}"
