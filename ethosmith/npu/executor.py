# SPDX-License-Identifier: Apache-2.0
"""Runs one job: fetches the command stream and executes it to its end or to a fault."""

from __future__ import annotations

from ethosu.vela.ethos_u55_regs.ethos_u55_regs import cmd0

from ethosmith.npu.accounting import Account
from ethosmith.npu.block_operation import RUNNERS, BlockOperation
from ethosmith.npu.bus import Bus
from ethosmith.npu.command_stream import Command, CommandState, decode
from ethosmith.npu.config import AcceleratorConfig
from ethosmith.npu.dma import run_dma
from ethosmith.npu.faults import AxiChannel, CommandFault, NpuFault
from ethosmith.npu.job import Job, JobResult
from ethosmith.npu.lookup import LUT_REGION_BYTES
from ethosmith.npu.memory import Memory
from ethosmith.npu.trace import Trace
from ethosmith.npu.weights import WeightCache

_MAX_STREAM_BYTES = 1 << 24  # Vela: "hardware limit of 16 MiB"


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
        state = CommandState()
        for command in decode(self._fetch(job)):
            result.read_offset = command.offset
            if command.code in (cmd0.NPU_OP_STOP, cmd0.NPU_OP_IRQ):
                result.irq_raised = True
                result.irq_mask |= command.parameter
            else:
                self._execute(command, state, job, account)
            result.read_offset += command.size_bytes
            if command.code is cmd0.NPU_OP_STOP:
                return

    def _fetch(self, job: Job) -> bytes:
        if job.stream_bytes > _MAX_STREAM_BYTES:
            raise CommandFault(f"command stream of {job.stream_bytes} bytes")
        return self._bus.read(
            job.stream_address, job.stream_bytes, job.stream_port, AxiChannel.COMMAND
        )

    def _execute(self, command: Command, state: CommandState, job: Job, account: Account) -> None:
        if not command.is_operation:
            state.set(command)
        elif command.code in RUNNERS:
            self._run_block(command, state, job, account)
        elif command.code is cmd0.NPU_OP_DMA_START:
            report = run_dma(self._accelerator, self._bus, state, job, self._shram)
            account.transfer(report)
            self._tell(command, report.operands)
        elif command.code is cmd0.NPU_OP_KERNEL_WAIT:
            account.wait_for_kernels(command.parameter)
        elif command.code is cmd0.NPU_OP_DMA_WAIT:
            account.wait_for_transfers(command.parameter & 0xF)
        elif command.code is cmd0.NPU_OP_PMU_MASK:
            account.masked = bool(command.parameter & 1)

    def _run_block(self, command: Command, state: CommandState, job: Job, account: Account) -> None:
        assert isinstance(command.code, cmd0)  # noqa: S101 - the codes of RUNNERS
        table = bytes(self._shram[-LUT_REGION_BYTES:])
        operation = BlockOperation(self._accelerator, self._bus, state, job, table, self._cache)
        report = RUNNERS[command.code](operation, command.parameter)
        account.operation(report.cost)
        self._tell(command, report.operands)
        if self._trace is not None:
            shape = report.ofm.shape
            self._trace.ofm(
                command.offset,
                command.code.name,
                (shape.height, shape.width, shape.depth),
                report.result.tobytes(),
            )

    def _tell(self, command: Command, operands: str) -> None:
        if self._trace is not None:
            self._trace.command(command.offset, command.code.name, operands)
