# SPDX-License-Identifier: Apache-2.0
"""The performance monitoring unit: one cycle counter, and four or eight event counters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from ethosu_model.pmu_events import PmuEvent
from ethosu_model.register_words import PmuRegister
from ethosu_model.registers import Reg

CYCLE_BIT = Reg.PMCNTENSET.cycle_cnt.mask
_CYCLE_COUNTER_BITS = 48
_ALWAYS = (PmuEvent.NO_EVENT, PmuEvent.CYCLE)


@dataclass(frozen=True)
class PmuRegisters:
    """The registers of a product's PMU, by what they are for."""

    control: PmuRegister
    enable_set: PmuRegister
    enable_clear: PmuRegister
    overflow_set: PmuRegister
    overflow_clear: PmuRegister
    interrupt_set: PmuRegister
    interrupt_clear: PmuRegister
    cycles_low: PmuRegister
    cycles_high: PmuRegister
    cycle_config: PmuRegister
    axi_channel: PmuRegister
    counters: tuple[PmuRegister, ...]
    types: tuple[PmuRegister, ...]


class Pmu:
    """Registers PMCR to PMEVTYPERn and the counting rule.

    Events come in whole jobs or operations (``count``); nothing counts in between, for
    the model has no clock of its own.
    """

    def __init__(self, registers: PmuRegisters) -> None:
        self._registers = registers
        self._readers = self._all_readers()
        self._writers = self._all_writers()
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
        self._events = [0] * len(self._registers.counters)
        self._types = [0] * len(self._registers.types)

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
        for index in range(len(self._events)):
            if self._enabled >> index & 1:
                watched = Reg.PMEVTYPER0.ev_type.get(self._types[index])
                self._add_event(index, events.get(watched, 0))

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
        return self._readers[register.offset]()

    def _all_readers(self) -> dict[int, Callable[[], int]]:
        """Return what reads a register, by its offset."""
        registers = self._registers
        number = Reg.PMCR.num_event_cnt.put(len(registers.counters))
        readers: dict[PmuRegister, Callable[[], int]] = {
            registers.control: lambda: self._control | number,
            registers.enable_set: lambda: self._enabled,
            registers.enable_clear: lambda: self._enabled,
            registers.overflow_set: lambda: self._overflow,
            registers.overflow_clear: lambda: self._overflow,
            registers.interrupt_set: lambda: self._interrupts,
            registers.interrupt_clear: lambda: self._interrupts,
            registers.cycles_low: lambda: self._cycles & 0xFFFFFFFF,
            registers.cycles_high: lambda: self._cycles >> 32,
            registers.cycle_config: lambda: self._cycle_config,
            registers.axi_channel: lambda: self._axi_channel,
        }
        for index, register in enumerate(registers.counters):
            readers[register] = partial(lambda at: self._events[at], index)
        for index, register in enumerate(registers.types):
            readers[register] = partial(lambda at: self._types[at], index)
        return {register.offset: read for register, read in readers.items()}

    def write(self, register: PmuRegister, value: int) -> None:
        """Write a PMU register."""
        self._writers[register.offset](value)

    def _all_writers(self) -> dict[int, Callable[[int], None]]:
        """Return what writes a register, by its offset."""
        registers = self._registers
        writers: dict[PmuRegister, Callable[[int], None]] = {
            registers.control: self._write_control,
            registers.enable_set: lambda value: self._update("_enabled", set_bits=value),
            registers.enable_clear: lambda value: self._update("_enabled", clear_bits=value),
            registers.overflow_set: lambda value: self._update("_overflow", set_bits=value),
            registers.overflow_clear: lambda value: self._update("_overflow", clear_bits=value),
            registers.interrupt_set: lambda value: self._update("_interrupts", set_bits=value),
            registers.interrupt_clear: lambda value: self._update("_interrupts", clear_bits=value),
            registers.cycles_low: self._write_cycles_low,
            registers.cycles_high: self._write_cycles_high,
            registers.cycle_config: self._write_cycle_config,
            registers.axi_channel: self._write_axi_channel,
        }
        for index, register in enumerate(registers.counters):
            writers[register] = partial(self._write_counter, index)
        for index, register in enumerate(registers.types):
            writers[register] = partial(self._write_type, index, register.mask)
        return {register.offset: write for register, write in writers.items()}

    def _write_counter(self, index: int, value: int) -> None:
        self._events[index] = value

    def _write_type(self, index: int, mask: int, value: int) -> None:
        self._types[index] = value & mask

    def _update(self, field: str, *, set_bits: int = 0, clear_bits: int = 0) -> None:
        value = (getattr(self, field) | set_bits) & ~clear_bits
        setattr(self, field, value & self._registers.enable_set.mask)
        if set_bits:
            self._irq |= bool(self._overflow & self._interrupts & set_bits)

    def _write_control(self, value: int) -> None:
        self._control = value & (Reg.PMCR.cnt_en.mask | Reg.PMCR.mask_en.mask)
        if Reg.PMCR.event_cnt_rst.get(value):
            self._events = [0] * len(self._events)
        if Reg.PMCR.cycle_cnt_rst.get(value):
            self._cycles = 0

    def _write_cycles_low(self, value: int) -> None:
        self._cycles = self._cycles >> 32 << 32 | value

    def _write_cycles_high(self, value: int) -> None:
        self._cycles = Reg.PMCCNTR_HI.count.get(value) << 32 | self._cycles & 0xFFFFFFFF

    def _write_cycle_config(self, value: int) -> None:
        self._cycle_config = value & self._registers.cycle_config.mask
        self._cycles_run = False

    def _write_axi_channel(self, value: int) -> None:
        self._axi_channel = value & self._registers.axi_channel.mask
