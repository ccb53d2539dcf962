# SPDX-License-Identifier: Apache-2.0
"""The performance monitoring unit: one cycle counter and four event counters."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ethosu_model.pmu_events import PmuEvent
from ethosu_model.register_words import PmuRegister
from ethosu_model.registers import Reg

EVENT_COUNTERS = 4
CYCLE_BIT = Reg.PMCNTENSET.cycle_cnt.mask
_CYCLE_COUNTER_BITS = 48
_ALWAYS = (PmuEvent.NO_EVENT, PmuEvent.CYCLE)


class Pmu:
    """Registers PMCR to PMEVTYPER3 and the counting rule.

    Events come in whole jobs or operations (``count``); nothing counts in between, for
    the model has no clock of its own.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Take the state after an NPU reset: all counters zero and off."""
        self._control = 0
        self._enabled = 0
        self._overflow = 0
        self._irq = False
        self._interrupts = 0
        self._cycles = 0
        self._cycle_config = 0
        self._cycles_run = False
        self._axi_channel = 0
        self._events = [0] * EVENT_COUNTERS
        self._types = [0] * EVENT_COUNTERS

    @property
    def irq(self) -> bool:
        """STATUS.pmu_irq_raised: since `clear_irq`, a counter with its interrupt has overflowed."""
        return self._irq

    def clear_irq(self) -> None:
        """CMD.clear_irq; the overflow itself stays until PMOVSCLR."""
        self._irq = False

    def _overflowed(self, bits: int) -> None:
        self._overflow |= bits
        self._irq |= bool(bits & self._interrupts)

    def count(self, events: Mapping[int, int], *, masked: bool = False) -> None:
        """Add occurrences of events to the counters that watch them.

        Args:
            events: Occurrences by event number (`PmuEvent`).
            masked: NPU_OP_PMU_MASK is set; counts only if PMCR.mask_en is clear.
        """
        if not Reg.PMCR.cnt_en.get(self._control) or (
            masked and Reg.PMCR.mask_en.get(self._control)
        ):
            return
        self._count_cycles(events)
        for index in range(EVENT_COUNTERS):
            if self._enabled >> index & 1:
                self._add_event(index, events.get(self._types[index], 0))

    def _count_cycles(self, events: Mapping[int, int]) -> None:
        """Count between the start and the stop event; where in ``events`` they lie is unknown."""
        if not self._enabled & CYCLE_BIT:
            return
        start = Reg.PMCCNTR_CFG.cycle_cnt_cfg_start.get(self._cycle_config)
        stop = Reg.PMCCNTR_CFG.cycle_cnt_cfg_stop.get(self._cycle_config)
        if not (self._cycles_run or start in _ALWAYS or events.get(start, 0)):
            return
        self._cycles_run = not events.get(stop, 0)
        self._cycles += events.get(PmuEvent.CYCLE, 0)
        if self._cycles >> _CYCLE_COUNTER_BITS:
            self._cycles &= (1 << _CYCLE_COUNTER_BITS) - 1
            self._overflowed(CYCLE_BIT)

    def _add_event(self, index: int, occurrences: int) -> None:
        self._events[index] += occurrences
        if self._events[index] >> 32:
            self._events[index] &= 0xFFFFFFFF
            self._overflowed(1 << index)

    def read(self, register: PmuRegister) -> int:
        """Return the value of a PMU register."""
        return self._readers()[register]

    def _readers(self) -> dict[PmuRegister, int]:
        values = {
            Reg.PMCR: self._control | Reg.PMCR.num_event_cnt.put(EVENT_COUNTERS),
            Reg.PMCNTENSET: self._enabled,
            Reg.PMCNTENCLR: self._enabled,
            Reg.PMOVSSET: self._overflow,
            Reg.PMOVSCLR: self._overflow,
            Reg.PMINTSET: self._interrupts,
            Reg.PMINTCLR: self._interrupts,
            Reg.PMCCNTR_LO: self._cycles & 0xFFFFFFFF,
            Reg.PMCCNTR_HI: self._cycles >> 32,
            Reg.PMCCNTR_CFG: self._cycle_config,
            Reg.PMCAXI_CHAN: self._axi_channel,
        }
        values |= dict(zip(COUNTER_REGISTERS, self._events, strict=True))
        return values | dict(zip(TYPE_REGISTERS, self._types, strict=True))

    def write(self, register: PmuRegister, value: int) -> None:
        """Write a PMU register."""
        if register in COUNTER_REGISTERS:
            self._events[COUNTER_REGISTERS.index(register)] = value
        elif register in TYPE_REGISTERS:
            self._types[TYPE_REGISTERS.index(register)] = Reg.PMEVTYPER0.ev_type.get(value)
        else:
            self._writers()[register](value)

    def _writers(self) -> dict[PmuRegister, Callable[[int], None]]:
        return {
            Reg.PMCR: self._write_control,
            Reg.PMCNTENSET: lambda value: self._update("_enabled", set_bits=value),
            Reg.PMCNTENCLR: lambda value: self._update("_enabled", clear_bits=value),
            Reg.PMOVSSET: lambda value: self._update("_overflow", set_bits=value),
            Reg.PMOVSCLR: lambda value: self._update("_overflow", clear_bits=value),
            Reg.PMINTSET: lambda value: self._update("_interrupts", set_bits=value),
            Reg.PMINTCLR: lambda value: self._update("_interrupts", clear_bits=value),
            Reg.PMCCNTR_LO: self._write_cycles_low,
            Reg.PMCCNTR_HI: self._write_cycles_high,
            Reg.PMCCNTR_CFG: self._write_cycle_config,
            Reg.PMCAXI_CHAN: self._write_axi_channel,
        }

    def _update(self, field: str, *, set_bits: int = 0, clear_bits: int = 0) -> None:
        value = (getattr(self, field) | set_bits) & ~clear_bits
        setattr(self, field, value & Reg.PMCNTENSET.mask)
        if set_bits:
            self._irq |= bool(self._overflow & self._interrupts & set_bits)

    def _write_control(self, value: int) -> None:
        self._control = value & (Reg.PMCR.cnt_en.mask | Reg.PMCR.mask_en.mask)
        if Reg.PMCR.event_cnt_rst.get(value):
            self._events = [0] * EVENT_COUNTERS
        if Reg.PMCR.cycle_cnt_rst.get(value):
            self._cycles = 0

    def _write_cycles_low(self, value: int) -> None:
        self._cycles = self._cycles >> 32 << 32 | value

    def _write_cycles_high(self, value: int) -> None:
        self._cycles = Reg.PMCCNTR_HI.count.get(value) << 32 | self._cycles & 0xFFFFFFFF

    def _write_cycle_config(self, value: int) -> None:
        self._cycle_config = value & Reg.PMCCNTR_CFG.mask
        self._cycles_run = False

    def _write_axi_channel(self, value: int) -> None:
        self._axi_channel = value & Reg.PMCAXI_CHAN.mask


COUNTER_REGISTERS: tuple[PmuRegister, ...] = (
    Reg.PMEVCNTR0,
    Reg.PMEVCNTR1,
    Reg.PMEVCNTR2,
    Reg.PMEVCNTR3,
)
TYPE_REGISTERS: tuple[PmuRegister, ...] = (
    Reg.PMEVTYPER0,
    Reg.PMEVTYPER1,
    Reg.PMEVTYPER2,
    Reg.PMEVTYPER3,
)
