# SPDX-License-Identifier: Apache-2.0
"""A register page that only remembers, in place of the NPU model."""

from __future__ import annotations

from collections.abc import Callable

from ethosu_model.config import AcceleratorConfig
from ethosu_model.events import EventTotals
from ethosu_model.memory import Memory

CMD = 0x08
RESET, PROT = 0x0C, 0x24
IRQ = 0x100


class FakeNpu:
    """Words in a page; the interrupt line follows bit 0 of the word at 0x100.

    A write of CMD with bit 0 set calls ``on_run`` with the memory.
    """

    def __init__(self, memory: Memory, on_run: Callable[[Memory], None] | None = None) -> None:
        self.words: dict[int, int] = {}
        self.last_fault: Exception | None = None
        self.totals = EventTotals(cycles=7, axi0_read_beats=3)
        self._memory = memory
        self._on_run = on_run

    @property
    def irq(self) -> bool:
        return bool(self.words.get(IRQ, 0) & 1)

    def read_register(self, offset: int) -> int:
        return self.words.get(offset, 0)

    def write_register(self, offset: int, value: int) -> None:
        self.words[offset] = value
        if offset == CMD and value & 1 and self._on_run is not None:
            self._on_run(self._memory)


class InterruptingNpu(FakeNpu):
    """Raises its line at the end of a job; a reset clears all words and takes the level."""

    def __init__(self, memory: Memory) -> None:
        super().__init__(memory, lambda _: self.words.update({IRQ: 1}))

    def write_register(self, offset: int, value: int) -> None:
        if offset == RESET:
            self.words.clear()
            self.words[PROT] = value
        else:
            super().write_register(offset, value)


def remembering(_accelerator: AcceleratorConfig, memory: Memory) -> FakeNpu:
    """Make a page that runs nothing."""
    return FakeNpu(memory)
