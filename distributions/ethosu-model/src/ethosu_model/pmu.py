# SPDX-License-Identifier: Apache-2.0
"""The performance monitoring unit: one cycle counter and four event counters."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ethosu.vela.ethos_u55_regs.ethos_u55_regs import PMU, pmu_event_type

EVENT_COUNTERS = 4
CYCLE_BIT = 1 << 31
_COUNTER_BITS = CYCLE_BIT | (1 << EVENT_COUNTERS) - 1
_PMCR_ENABLE = 1 << 0
_PMCR_RESET_EVENTS = 1 << 1
_PMCR_RESET_CYCLES = 1 << 2
_PMCR_MASK_ENABLE = 1 << 3
_EVENT_TYPE_MASK = 0x3FF
_CYCLE_COUNTER_BITS = 48
_ALWAYS = (pmu_event_type.NO_EVENT.value, pmu_event_type.CYCLE.value)


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
        self._interrupts = 0
        self._cycles = 0
        self._cycle_config = 0
        self._axi_channel = 0
        self._events = [0] * EVENT_COUNTERS
        self._types = [0] * EVENT_COUNTERS

    @property
    def irq(self) -> bool:
        """STATUS.pmu_irq_raised: an overflowed counter has its interrupt enabled."""
        return bool(self._overflow & self._interrupts)

    def count(self, events: Mapping[int, int], *, masked: bool = False) -> None:
        """Add occurrences of events to the counters that watch them.

        Args:
            events: Occurrences by event number (``pmu_event_type``).
            masked: NPU_OP_PMU_MASK is set; counts only if PMCR.mask_en is clear.
        """
        if not self._control & _PMCR_ENABLE or (masked and self._control & _PMCR_MASK_ENABLE):
            return
        self._count_cycles(events)
        for index in range(EVENT_COUNTERS):
            if self._enabled >> index & 1:
                self._add_event(index, events.get(self._types[index], 0))

    def _count_cycles(self, events: Mapping[int, int]) -> None:
        if not self._enabled & CYCLE_BIT:
            return
        start_event = self._cycle_config & _EVENT_TYPE_MASK
        event = pmu_event_type.CYCLE.value if start_event in _ALWAYS else start_event
        self._cycles += events.get(event, 0)
        if self._cycles >> _CYCLE_COUNTER_BITS:
            self._cycles &= (1 << _CYCLE_COUNTER_BITS) - 1
            self._overflow |= CYCLE_BIT

    def _add_event(self, index: int, occurrences: int) -> None:
        self._events[index] += occurrences
        if self._events[index] >> 32:
            self._events[index] &= 0xFFFFFFFF
            self._overflow |= 1 << index

    def read(self, register: PMU) -> int:
        """Return the value of a PMU register."""
        return self._readers()[register]

    def _readers(self) -> dict[PMU, int]:
        values = {
            PMU.PMCR: self._control | EVENT_COUNTERS << 11,
            PMU.PMCNTENSET: self._enabled,
            PMU.PMCNTENCLR: self._enabled,
            PMU.PMOVSSET: self._overflow,
            PMU.PMOVSCLR: self._overflow,
            PMU.PMINTSET: self._interrupts,
            PMU.PMINTCLR: self._interrupts,
            PMU.PMCCNTR_LO: self._cycles & 0xFFFFFFFF,
            PMU.PMCCNTR_HI: self._cycles >> 32,
            PMU.PMCCNTR_CFG: self._cycle_config,
            PMU.PMCAXI_CHAN: self._axi_channel,
        }
        values |= dict(zip(COUNTER_REGISTERS, self._events, strict=True))
        return values | dict(zip(TYPE_REGISTERS, self._types, strict=True))

    def write(self, register: PMU, value: int) -> None:
        """Write a PMU register."""
        if register in COUNTER_REGISTERS:
            self._events[COUNTER_REGISTERS.index(register)] = value
        elif register in TYPE_REGISTERS:
            self._types[TYPE_REGISTERS.index(register)] = value & _EVENT_TYPE_MASK
        else:
            self._writers()[register](value)

    def _writers(self) -> dict[PMU, Callable[[int], None]]:
        return {
            PMU.PMCR: self._write_control,
            PMU.PMCNTENSET: lambda value: self._update("_enabled", set_bits=value),
            PMU.PMCNTENCLR: lambda value: self._update("_enabled", clear_bits=value),
            PMU.PMOVSSET: lambda value: self._update("_overflow", set_bits=value),
            PMU.PMOVSCLR: lambda value: self._update("_overflow", clear_bits=value),
            PMU.PMINTSET: lambda value: self._update("_interrupts", set_bits=value),
            PMU.PMINTCLR: lambda value: self._update("_interrupts", clear_bits=value),
            PMU.PMCCNTR_LO: self._write_cycles_low,
            PMU.PMCCNTR_HI: self._write_cycles_high,
            PMU.PMCCNTR_CFG: self._write_cycle_config,
            PMU.PMCAXI_CHAN: self._write_axi_channel,
        }

    def _update(self, field: str, *, set_bits: int = 0, clear_bits: int = 0) -> None:
        value = (getattr(self, field) | set_bits) & ~clear_bits
        setattr(self, field, value & _COUNTER_BITS)

    def _write_control(self, value: int) -> None:
        self._control = value & (_PMCR_ENABLE | _PMCR_MASK_ENABLE)
        if value & _PMCR_RESET_EVENTS:
            self._events = [0] * EVENT_COUNTERS
        if value & _PMCR_RESET_CYCLES:
            self._cycles = 0

    def _write_cycles_low(self, value: int) -> None:
        self._cycles = self._cycles >> 32 << 32 | value

    def _write_cycles_high(self, value: int) -> None:
        self._cycles = (value & 0xFFFF) << 32 | self._cycles & 0xFFFFFFFF

    def _write_cycle_config(self, value: int) -> None:
        self._cycle_config = value & 0x03FF03FF

    def _write_axi_channel(self, value: int) -> None:
        self._axi_channel = value & 0x70F


COUNTER_REGISTERS = (PMU.PMEVCNTR0, PMU.PMEVCNTR1, PMU.PMEVCNTR2, PMU.PMEVCNTR3)
TYPE_REGISTERS = (PMU.PMEVTYPER0, PMU.PMEVTYPER1, PMU.PMEVTYPER2, PMU.PMEVTYPER3)
