# SPDX-License-Identifier: Apache-2.0
"""The NPU as its host sees it: a page of registers and an interrupt line."""

from __future__ import annotations

from collections import Counter

from ethosu_model.checks import NO_CHECKS, Checks
from ethosu_model.config import AcceleratorConfig
from ethosu_model.debug_registers import is_debug_register, read_debug_register
from ethosu_model.events import EventTotals, event_totals
from ethosu_model.executor import Executor
from ethosu_model.faults import AxiPort, CommandFault, NpuFault, TransferFault, WeightFault
from ethosu_model.job import Job, JobResult
from ethosu_model.memory import Memory
from ethosu_model.pmu import Pmu
from ethosu_model.register_page import register_page
from ethosu_model.register_words import PmuRegister, Register
from ethosu_model.registers import (
    CMD_RESET_VALUE,
    REGION_BASES,
    STATUS_ERRORS,
    Command,
    Reg,
    Status,
)
from ethosu_model.trace import Trace

_IRQ_RAISED, _END_REACHED = int(Status.IRQ_RAISED), int(Status.CMD_END_REACHED)
_RUN, _CLEAR_IRQ = int(Command.RUN), int(Command.CLEAR_IRQ)
_STORED_COMMAND = int(Command.CLOCK_Q_ENABLE | Command.POWER_Q_ENABLE)
_QUEUE = {Reg.QBASE0.offset, Reg.QBASE1.offset, Reg.QSIZE.offset}


class NpuDevice:
    """An Ethos-U with its register page, driven as a driver drives the real one.

    A job runs to its end within the write of CMD that starts it, so no state between
    RUNNING and done is ever seen. The device never raises for what a guest does.
    """

    def __init__(
        self,
        accelerator: AcceleratorConfig,
        memory: Memory,
        *,
        trace: Trace | None = None,
        checks: Checks = NO_CHECKS,
    ) -> None:
        """Make a device in its reset state.

        Args:
            accelerator: Which build of the NPU this is.
            memory: What its AXI ports reach.
            trace: Told of every command executed, if given.
            checks: What it refuses beyond what it must.
        """
        self.accelerator = accelerator
        self.last_fault: NpuFault | None = None
        self._executor = Executor(accelerator, memory, trace, checks)
        self._page = register_page(accelerator.architecture)
        self._pmu = Pmu(self._page.pmu)
        self._events: Counter[int] = Counter()
        self._protection = 0
        self._reset()

    @property
    def irq(self) -> bool:
        """Level of the interrupt line."""
        return bool(self._status & _IRQ_RAISED) or self._pmu.irq

    def read_register(self, offset: int) -> int:
        """Return the 32-bit value of the register at ``offset`` in the page; 0 if there is none."""
        if offset in self._stored:
            return self._stored[offset]
        page = self._page
        if offset in page.pmu_by_offset:
            return self._pmu.read(page.pmu_by_offset[offset])
        if offset in page.identification:
            return page.identification[offset].reads[self.accelerator.architecture]
        if is_debug_register(page.shown, offset):
            address = self._stored[Reg.DEBUG_ADDRESS.offset]
            return read_debug_register(
                page.shown, offset, self._executor.last_state, self._executor.shram, address
            )
        return self._computed_register(offset)

    def _computed_register(self, offset: int) -> int:
        if offset == Reg.STATUS.offset:
            return self._status_word()
        computed = {
            Reg.ID.offset: self.accelerator.id_register,
            Reg.CMD.offset: self._command,
            Reg.QREAD.offset: self._read_offset,
            Reg.PROT.offset: self._protection,
            Reg.CONFIG.offset: self.accelerator.config_register,
        }
        return computed.get(offset, 0)

    def write_register(self, offset: int, value: int) -> None:
        """Write the register at ``offset``; writes to read-only and absent ones do nothing."""
        value &= 0xFFFFFFFF
        if offset in self._stored:
            self._stored[offset] = value & self._page.stored[offset].mask
            if offset in _QUEUE:
                self._rewind()
        elif offset in self._page.pmu_by_offset:
            self._write_pmu(self._page.pmu_by_offset[offset], value)
        elif offset == Reg.RESET.offset:
            self._soft_reset(value)
        elif offset == Reg.CMD.offset:
            self._write_command(value)

    def _rewind(self) -> None:
        """Let the next run begin at QBASE: QBASE or QSIZE was written."""
        self._status &= ~_END_REACHED
        self._read_offset = 0

    def _write_pmu(self, register: PmuRegister, value: int) -> None:
        self._pmu.write(register, value)

    def _reset(self) -> None:
        self._stored = dict.fromkeys(self._page.stored, 0)
        self._status = 0  # flags; a number, for an IntFlag takes its time
        self._faulting_channel = 0
        self._irq_history = 0
        self._command = int(CMD_RESET_VALUE)
        self._read_offset = 0
        self.last_fault = None
        self._pmu.reset()
        self._executor.reset()

    def _soft_reset(self, value: int) -> None:
        """RESET: take the pending privilege and security levels; done at once."""
        self._protection = value & Reg.RESET.mask
        self._reset()

    def _status_word(self) -> int:
        return (
            self._status
            | (int(Status.PMU_IRQ_RAISED) if self._pmu.irq else 0)
            | Reg.STATUS.faulting_channel.put(self._faulting_channel)
            | Reg.STATUS.irq_history_mask.put(self._irq_history)
        )

    def _write_command(self, value: int) -> None:
        self._irq_history &= ~Reg.CMD.clear_irq_history.get(value)
        if value & _CLEAR_IRQ:
            self._status &= ~_IRQ_RAISED
            self._pmu.clear_irq()
        self._command = value & _STORED_COMMAND
        # After an error only a reset brings the NPU back.
        if value & _RUN and not self._status & STATUS_ERRORS:
            self._run()

    def _run(self) -> None:
        result = self._executor.run(self._job(), self._read_offset)
        self._read_offset = result.read_offset
        self._irq_history |= result.irq_mask
        if result.irq_raised:
            self._status |= _IRQ_RAISED
        if result.end_reached:
            self._status |= _END_REACHED
        if result.fault is not None:
            self._raise_fault(result.fault)
        self._count(result)

    @property
    def totals(self) -> EventTotals:
        """What all jobs since the device was made have cost."""
        return event_totals(self._events)

    def _count(self, result: JobResult) -> None:
        self._events.update(result.events)
        self._events.update(result.masked_events)
        self._pmu.count(result.events)
        self._pmu.count(result.masked_events, masked=True)

    def _raise_fault(self, fault: NpuFault) -> None:
        self.last_fault = fault
        self._status |= _IRQ_RAISED
        if isinstance(fault, CommandFault):
            self._status |= int(Status.CMD_PARSE_ERROR)
        elif isinstance(fault, WeightFault):
            self._status |= int(self._page.weight_fault)
        elif isinstance(fault, TransferFault):
            self._status |= int(Status.BUS_STATUS)
            if fault.port is AxiPort.AXI1:
                self._status |= int(Status.FAULTING_AXI1)
            self._faulting_channel = int(fault.channel)

    def _job(self) -> Job:
        address_mask = (1 << self.accelerator.address_bits) - 1
        return Job(
            stream_address=self._pair(Reg.QBASE0, Reg.QBASE1) & address_mask,
            stream_bytes=self._stored[Reg.QSIZE.offset],
            stream_port=self._page.stream_port(self._stored),
            region_bases=tuple(self._pair(*pair) & address_mask for pair in REGION_BASES),
            region_ports=self._page.region_ports(self._stored),
        )

    def _pair(self, low: Register, high: Register) -> int:
        return self._stored[low.offset] | self._stored[high.offset] << 32
