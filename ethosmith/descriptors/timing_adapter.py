# SPDX-License-Identifier: Apache-2.0
"""The timing adapters of a platform: AXI bridges that give the NPU a memory's speed.

Registers and their widths are those of Arm's Ethos-U core platform, ``timing_adapter.h``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, StringConstraints

from ethosmith.descriptors.base import Strict

Bits4 = Annotated[int, Field(ge=0, lt=1 << 4)]
Bits6 = Annotated[int, Field(ge=0, lt=1 << 6)]
Bits12 = Annotated[int, Field(ge=0, lt=1 << 12)]
Bits16 = Annotated[int, Field(ge=0, lt=1 << 16)]
Bits32 = Annotated[int, Field(ge=0, lt=1 << 32)]
PageAddress = Annotated[int, Field(ge=0, lt=1 << 32, multiple_of=4)]
ConfigName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]


class TimingAdapter(Strict):
    """The settings of one adapter, by its registers' names; MAXPENDING is read-only.

    Attributes:
        maxr: Pending reads at most; 0: any number.
        maxw: Pending writes at most; 0: any number.
        maxrw: Pending reads and writes at most; 0: any number.
        rlatency: Least clock cycles from address to data of a read.
        wlatency: Least clock cycles from data to response of a write.
        pulse_on: Cycles of a pulse in which addresses are let through.
        pulse_off: Cycles of a pulse in which they are held back.
        bwcap: 64-bit words in a pulse at most; 0: any number.
        perfctrl: The event that `perfcnt` counts.
        perfcnt: Where that counter begins.
        mode: Bit 0: the NPU's clock stops instead of an underrun; 1, 2 and 3: random order of read
            addresses, read data and write responses; 11 to 4: a part of full speed, 0: all of it.
        histbin: The bin of the histogram that `histcnt` reads and writes.
        histcnt: Where that bin begins.
    """

    maxr: Bits6 = 0
    maxw: Bits6 = 0
    maxrw: Bits6 = 0
    rlatency: Bits12 = 0
    wlatency: Bits12 = 0
    pulse_on: Bits16 = 0
    pulse_off: Bits16 = 0
    bwcap: Bits16 = 0
    perfctrl: Bits6 = 0
    perfcnt: Bits32 = 0
    mode: Bits12 = 1
    histbin: Bits4 = 0
    histcnt: Bits32 = 0

    @property
    def values(self) -> tuple[int, ...]:
        """The settings in the order of this class, which is that of the registers."""
        return tuple(getattr(self, name) for name in type(self).model_fields)


class TimingPreset(Strict):
    """What the adapters are set to under a system configuration of Vela.

    Attributes:
        system_config: Vela's name of it.
        memory_modes: Memory modes that it is for; none named: all.
        axi0: The adapter at the NPU's port AXI0.
        axi1: The adapter at the NPU's port AXI1.
    """

    system_config: ConfigName
    memory_modes: tuple[ConfigName, ...] = ()
    axi0: TimingAdapter
    axi1: TimingAdapter


class TimingAdapters(Strict):
    """The adapters of a platform. The firmware sets those that answer with their version.

    Attributes:
        axi0_address: Register page of the adapter at port AXI0.
        axi1_address: Register page of the adapter at port AXI1.
        presets: The first that fits counts; if none does, the adapters are left as they are.
    """

    axi0_address: PageAddress
    axi1_address: PageAddress
    presets: Annotated[tuple[TimingPreset, ...], Field(min_length=1)]

    def settings(self, system_config: str, memory_mode: str) -> Sequence[tuple[int, TimingAdapter]]:
        """Return address and settings of each adapter; nothing if no preset fits."""
        for preset in self.presets:
            modes = preset.memory_modes or (memory_mode,)
            if preset.system_config == system_config and memory_mode in modes:
                return [(self.axi0_address, preset.axi0), (self.axi1_address, preset.axi1)]
        return []
