# SPDX-License-Identifier: Apache-2.0
"""Runs one job: fetches the command stream and executes it to its end or to a fault."""

from __future__ import annotations

from collections.abc import Callable

from ethosu.vela.ethos_u55_regs.ethos_u55_regs import cmd0, cmd1

from ethosmith.npu.accounting import Account
from ethosmith.npu.bus import Bus
from ethosmith.npu.command_stream import Command, CommandState, decode
from ethosmith.npu.config import AcceleratorConfig
from ethosmith.npu.convolution_operation import Convolution, DepthwiseConvolution
from ethosmith.npu.dma import run_dma
from ethosmith.npu.elementwise_operation import Elementwise
from ethosmith.npu.faults import AxiChannel, NpuFault
from ethosmith.npu.job import Job, JobResult
from ethosmith.npu.limits import MAX_STREAM_BYTES, Budget, check
from ethosmith.npu.lookup import LUT_REGION_BYTES
from ethosmith.npu.memory import Memory
from ethosmith.npu.operation import BlockOperation, OperationContext
from ethosmith.npu.pooling_operation import Pooling
from ethosmith.npu.trace import Trace
from ethosmith.npu.weights import WeightCache

_OPERATIONS: dict[cmd0 | cmd1, type[BlockOperation]] = {
    cmd0.NPU_OP_CONV: Convolution,
    cmd0.NPU_OP_DEPTHWISE: DepthwiseConvolution,
    cmd0.NPU_OP_POOL: Pooling,
    cmd0.NPU_OP_ELEMENTWISE: Elementwise,
}


class Executor:
    """The NPU behind its registers: what lasts from job to job is SHRAM."""

    def __init__(self, accelerator: AcceleratorConfig, memory: Memory, trace: Trace | None) -> None:
        self._accelerator = accelerator
        self._bus = Bus(memory, accelerator.address_bits)
        self._trace = trace
        self._cache = WeightCache()
        self._shram = bytearray(accelerator.shram_bytes)

    def reset(self) -> None:
        """Clear SHRAM."""
        self._shram[:] = bytes(len(self._shram))

    def run(self, job: Job) -> JobResult:
        """Execute ``job`` to its end or to the first fault."""
        result = JobResult()
        account = Account(self._accelerator)
        try:
            self._run_stream(job, result, account)
            result.end_reached = result.irq_raised = True
        except NpuFault as fault:
            result.fault = fault
        account.commands(job.stream_port, result.read_offset)
        account.settle(result)
        return result

    def _run_stream(self, job: Job, result: JobResult, account: Account) -> None:
        """Execute commands up to NPU_OP_STOP, or until the queue runs dry."""
        state, budget = CommandState(), Budget()
        stream = decode(self._fetch(job))
        for command in stream.commands:
            result.read_offset = command.offset
            if command.code in (cmd0.NPU_OP_STOP, cmd0.NPU_OP_IRQ):
                result.irq_raised = True
                result.irq_mask |= command.parameter
            else:
                self._execute(command, state, job, account, budget)
            result.read_offset += command.size_bytes
            if command.code is cmd0.NPU_OP_STOP:
                return
        if stream.fault is not None:
            raise stream.fault

    def _fetch(self, job: Job) -> bytes:
        check(job.stream_bytes, MAX_STREAM_BYTES, "bytes of commands")
        return self._bus.read(
            job.stream_address, job.stream_bytes, job.stream_port, AxiChannel.COMMAND
        )

    def _execute(
        self, command: Command, state: CommandState, job: Job, account: Account, budget: Budget
    ) -> None:
        if not command.is_operation:
            state.set(command)
        elif command.code in _OPERATIONS:
            context = OperationContext(
                self._accelerator,
                self._bus,
                state,
                job,
                bytes(self._shram[-LUT_REGION_BYTES:]),
                self._cache,
                budget,
            )
            self._run_block(command, context, account)
        elif command.code is cmd0.NPU_OP_DMA_START:
            report = run_dma(self._accelerator, self._bus, state, job, self._shram)
            budget.spend(0, report.size_bytes)
            account.transfer(report)
            self._tell(command, lambda: report.operands)
        elif command.code is cmd0.NPU_OP_KERNEL_WAIT:
            account.wait_for_kernels(command.parameter)
        elif command.code is cmd0.NPU_OP_DMA_WAIT:
            account.wait_for_transfers(command.parameter & 0xF)
        elif command.code is cmd0.NPU_OP_PMU_MASK:
            account.masked = bool(command.parameter & 1)

    def _run_block(self, command: Command, context: OperationContext, account: Account) -> None:
        report = _OPERATIONS[command.code](context).run(command.parameter)
        account.operation(report.cost)
        self._tell(command, report.describe)
        if self._trace is not None:
            shape = report.ofm.shape
            self._trace.ofm(
                command.offset,
                command.code.name,
                (shape.height, shape.width, shape.depth),
                report.result.tobytes(),
            )

    def _tell(self, command: Command, describe: Callable[[], str]) -> None:
        if self._trace is not None:
            self._trace.command(command.offset, command.code.name, describe())
