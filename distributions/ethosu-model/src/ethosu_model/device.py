# SPDX-License-Identifier: Apache-2.0
"""The NPU as its host sees it: a page of registers and an interrupt line."""

from __future__ import annotations

from collections import Counter

from ethosu.vela.ethos_u55_regs.ethos_u55_regs import BASE, BASE_POINTERS, DEBUG, PMU

from ethosu_model.config import AcceleratorConfig
from ethosu_model.debug_registers import is_debug_register, read_debug_register
from ethosu_model.events import EventTotals, event_totals
from ethosu_model.executor import Executor
from ethosu_model.faults import AxiPort, CommandFault, NpuFault, TransferFault, WeightFault
from ethosu_model.job import REGIONS, Job, JobResult
from ethosu_model.memory import Memory
from ethosu_model.pmu import Pmu
from ethosu_model.registers import (
    CMD_CLEAR_IRQ_HISTORY_SHIFT,
    CMD_RESET_VALUE,
    IDENTIFICATION,
    PMU_REGISTERS,
    PROTECTION_MASK,
    STATUS_ERRORS,
    STATUS_FAULTING_CHANNEL_SHIFT,
    STATUS_IRQ_HISTORY_SHIFT,
    STORED,
    Command,
    Status,
)
from ethosu_model.trace import Trace


class NpuDevice:
    """An Ethos-U with its register page, driven as a driver drives the real one.

    A job runs to its end within the write of CMD that starts it, so no state between
    RUNNING and done is ever seen. The device never raises for what a guest does.
    """

    def __init__(
        self, accelerator: AcceleratorConfig, memory: Memory, *, trace: Trace | None = None
    ) -> None:
        """Make a device in its reset state.

        Args:
            accelerator: Which build of the NPU this is.
            memory: What its AXI ports reach.
            trace: Told of every command executed, if given.
        """
        self.accelerator = accelerator
        self.last_fault: NpuFault | None = None
        self._executor = Executor(accelerator, memory, trace)
        self._pmu = Pmu()
        self._events: Counter[int] = Counter()
        self._protection = 0
        self._reset()

    @property
    def irq(self) -> bool:
        """Level of the interrupt line."""
        return bool(self._status_word() & (Status.IRQ_RAISED | Status.PMU_IRQ_RAISED))

    def read_register(self, offset: int) -> int:
        """Return the 32-bit value of the register at ``offset`` in the page; 0 if there is none."""
        if offset in self._stored:
            return self._stored[offset]
        if offset in PMU_REGISTERS:
            return self._pmu.read(PMU_REGISTERS[offset])
        if offset in IDENTIFICATION:
            return IDENTIFICATION[offset]
        if is_debug_register(offset):
            address = self._stored[DEBUG.DEBUG_ADDRESS.value]
            return read_debug_register(
                offset, self._executor.last_state, self._executor.shram, address
            )
        return self._computed_registers().get(offset, 0)

    def _computed_registers(self) -> dict[int, int]:
        return {
            BASE.ID.value: self.accelerator.id_register,
            BASE.STATUS.value: self._status_word(),
            BASE.CMD.value: int(self._command),
            BASE.QREAD.value: self._read_offset,
            BASE.PROT.value: self._protection,
            BASE.CONFIG.value: self.accelerator.config_register,
        }

    def write_register(self, offset: int, value: int) -> None:
        """Write the register at ``offset``; writes to read-only and absent ones do nothing."""
        value &= 0xFFFFFFFF
        if offset in self._stored:
            self._stored[offset] = value & STORED[offset].writable
        elif offset in PMU_REGISTERS:
            self._write_pmu(PMU_REGISTERS[offset], value)
        elif offset == BASE.RESET.value:
            self._soft_reset(value)
        elif offset == BASE.CMD.value:
            self._write_command(value)

    def _write_pmu(self, register: PMU, value: int) -> None:
        self._pmu.write(register, value)

    def _reset(self) -> None:
        self._stored = {offset: register.reset for offset, register in STORED.items()}
        self._status = Status(0)
        self._faulting_channel = 0
        self._irq_history = 0
        self._command = CMD_RESET_VALUE
        self._read_offset = 0
        self.last_fault = None
        self._pmu.reset()
        self._executor.reset()

    def _soft_reset(self, value: int) -> None:
        """RESET: take the pending privilege and security levels; done at once."""
        self._protection = value & PROTECTION_MASK
        self._reset()

    def _status_word(self) -> int:
        pmu = Status.PMU_IRQ_RAISED if self._pmu.irq else Status(0)
        return (
            int(self._status | pmu)
            | self._faulting_channel << STATUS_FAULTING_CHANNEL_SHIFT
            | self._irq_history << STATUS_IRQ_HISTORY_SHIFT
        )

    def _write_command(self, value: int) -> None:
        self._irq_history &= ~(value >> CMD_CLEAR_IRQ_HISTORY_SHIFT)
        if value & Command.CLEAR_IRQ:
            self._status &= ~Status.IRQ_RAISED
        self._command = Command(value) & (Command.CLOCK_Q_ENABLE | Command.POWER_Q_ENABLE)
        # After an error only a reset brings the NPU back.
        if value & Command.RUN and not self._status & STATUS_ERRORS:
            self._run()

    def _run(self) -> None:
        self._status &= ~Status.CMD_END_REACHED
        result = self._executor.run(self._job())
        self._read_offset = result.read_offset
        self._irq_history |= result.irq_mask
        if result.irq_raised:
            self._status |= Status.IRQ_RAISED
        if result.end_reached:
            self._status |= Status.CMD_END_REACHED
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
        self._status |= Status.IRQ_RAISED
        if isinstance(fault, CommandFault):
            self._status |= Status.CMD_PARSE_ERROR
        elif isinstance(fault, WeightFault):
            self._status |= Status.WD_FAULT
        elif isinstance(fault, TransferFault):
            self._status |= Status.BUS_STATUS
            if fault.port is AxiPort.AXI1:
                self._status |= Status.FAULTING_AXI1
            self._faulting_channel = int(fault.channel)

    def _job(self) -> Job:
        region_config = self._stored[BASE.REGIONCFG.value]
        address_mask = (1 << self.accelerator.address_bits) - 1
        return Job(
            stream_address=self._pair(BASE.QBASE0.value) & address_mask,
            stream_bytes=self._stored[BASE.QSIZE.value],
            stream_port=_port(self._stored[BASE.QCONFIG.value]),
            region_bases=tuple(
                self._pair(BASE_POINTERS.BASEP0.value + 8 * i) & address_mask
                for i in range(REGIONS)
            ),
            region_ports=tuple(_port(region_config >> 2 * i & 3) for i in range(REGIONS)),
        )

    def _pair(self, low_offset: int) -> int:
        return self._stored[low_offset] | self._stored[low_offset + 4] << 32


def _port(memory_type: int) -> AxiPort:
    """Return the AXI port of a ``memory_type``: counters 0 and 1 are AXI0's, 2 and 3 AXI1's."""
    return AxiPort(memory_type >> 1)
