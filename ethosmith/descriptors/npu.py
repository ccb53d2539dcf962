# SPDX-License-Identifier: Apache-2.0
"""The NPU of a platform: registers, configurations, AXI limits and timing adapters.

Registers of the timing adapters and their widths are those of Arm's Ethos-U core platform,
``timing_adapter.h``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from ethosmith.core.accelerators import ACCELERATORS
from ethosmith.core.errors import unknown_name
from ethosmith.core.vela_config import system_configs
from ethosmith.descriptors.base import Location, Problem, Strict, repeated_names
from ethosmith.descriptors.memory import MemoryMode
from ethosmith.descriptors.words import Address, Identifier, Limits, MemoryModeName, ProductName

Bits4 = Annotated[int, Limits(ge=0, lt=1 << 4)]
Bits6 = Annotated[int, Limits(ge=0, lt=1 << 6)]
Bits12 = Annotated[int, Limits(ge=0, lt=1 << 12)]
Bits16 = Annotated[int, Limits(ge=0, lt=1 << 16)]
Bits32 = Annotated[int, Limits(ge=0, lt=1 << 32)]
PageAddress = Annotated[int, Limits(ge=0, lt=1 << 32, multiple_of=4)]


class Axi(Strict):
    """The same limits for all four AXI limit counters, or both kinds of ports of Ethos-U85.

    Attributes:
        max_beats_bytes: longest burst.
        max_outstanding_reads: reads under way at once.
        max_outstanding_writes: writes under way at once.
    """

    max_beats_bytes: Literal[64, 128, 256]
    max_outstanding_reads: Annotated[int, Limits(ge=1, le=64)]
    max_outstanding_writes: Annotated[int, Limits(ge=1, le=32)]


class NpuProduct(Strict):
    """The configurations of one NPU product on this platform, and what Vela is told about it.

    Attributes:
        name: the product.
        accelerator_configs: accelerator configs that the platform has, by Vela's names.
        system_config: Vela's system configuration for it.
        memory_mode: memory mode if none is asked for.
        axi: limits of its AXI ports.
    """

    name: ProductName
    accelerator_configs: Annotated[tuple[str, ...], Limits(min_length=1)]
    system_config: Identifier
    memory_mode: MemoryModeName
    axi: Axi


class Npu(Strict):
    """The NPU's register page, interrupt and configurations.

    Attributes:
        address: register page as the firmware sees it.
        irq: number of the interrupt in the NVIC.
        timeout_ms: how long the driver waits for a job's end.
        default_accelerator_config: accelerator config if none is asked for.
        products: what there is of it.
    """

    address: Address
    irq: Annotated[int, Limits(ge=0, lt=480)]
    timeout_ms: Annotated[int, Limits(gt=0, le=3_600_000)]
    default_accelerator_config: str
    products: Annotated[tuple[NpuProduct, ...], Limits(min_length=1)]

    @property
    def accelerator_configs(self) -> tuple[str, ...]:
        """All accelerator configs that the platform allows."""
        return tuple(config for product in self.products for config in product.accelerator_configs)


class TimingAdapter(Strict):
    """The settings of one adapter, by its registers' names; MAXPENDING is read-only.

    Attributes:
        maxr: pending reads at most; 0: any number.
        maxw: pending writes at most; 0: any number.
        maxrw: pending reads and writes at most; 0: any number.
        rlatency: least clock cycles from address to data of a read.
        wlatency: least clock cycles from data to response of a write.
        pulse_on: cycles of a pulse in which addresses are let through.
        pulse_off: cycles of a pulse in which they are held back.
        bwcap: 64-bit words in a pulse at most; 0: any number.
        perfctrl: the event that `perfcnt` counts.
        perfcnt: where that counter begins.
        mode: bit 0: the NPU's clock stops instead of an underrun; 1, 2 and 3: random order of read
            addresses, read data and write responses; 11 to 4: a part of full speed, 0: all of it.
        histbin: the bin of the histogram that `histcnt` reads and writes.
        histcnt: where that bin begins.
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
        return tuple(getattr(self, name) for name in self.key_names())


class TimingPreset(Strict):
    """What the adapters are set to under a system configuration of Vela.

    Attributes:
        system_config: Vela's name of it.
        memory_modes: memory modes that it is for; none named: all.
        axi0: the adapter at the NPU's port AXI0.
        axi1: the adapter at the NPU's port AXI1.
    """

    system_config: Identifier
    memory_modes: tuple[Identifier, ...] = ()
    axi0: TimingAdapter
    axi1: TimingAdapter


class TimingAdapters(Strict):
    """The adapters of a platform. The firmware sets those that answer with their version.

    Attributes:
        axi0_address: register page of the adapter at port AXI0.
        axi1_address: register page of the adapter at port AXI1.
        presets: the first that fits counts; if none does, the adapters are left as they are.
    """

    axi0_address: PageAddress
    axi1_address: PageAddress
    presets: Annotated[tuple[TimingPreset, ...], Limits(min_length=1)]

    def settings(self, system_config: str, memory_mode: str) -> Sequence[tuple[int, TimingAdapter]]:
        """Return address and settings of each adapter; nothing if no preset fits."""
        for preset in self.presets:
            modes = preset.memory_modes or (memory_mode,)
            if preset.system_config == system_config and memory_mode in modes:
                return [(self.axi0_address, preset.axi0), (self.axi1_address, preset.axi1)]
        return []


def npu_problems(npu: Npu, modes: Sequence[MemoryMode]) -> Iterator[Problem]:
    """Find configurations that no NPU has, and memory modes that a product cannot work in."""
    yield from repeated_names(("npu", "products"), [product.name for product in npu.products])
    if npu.default_accelerator_config not in npu.accelerator_configs:
        message = unknown_name(
            "accelerator config of this platform",
            npu.default_accelerator_config,
            npu.accelerator_configs,
        )
        yield Problem(("npu", "default_accelerator_config"), message)
    for index, product in enumerate(npu.products):
        where: Location = ("npu", "products", index)
        yield from _product_problems(modes, where, product)


def _product_problems(
    modes: Sequence[MemoryMode], where: Location, product: NpuProduct
) -> Iterator[Problem]:
    known = [config.name for config in ACCELERATORS if config.product == product.name]
    for index, config in enumerate(product.accelerator_configs):
        if config not in known:
            message = unknown_name(f"configuration of {product.name}", config, known)
            yield Problem((*where, "accelerator_configs", index), message)
    usable = [mode.name for mode in modes if product.name in mode.products]
    if product.memory_mode not in usable:
        message = unknown_name(f"memory mode for {product.name}", product.memory_mode, usable)
        yield Problem((*where, "memory_mode"), message)


def timing_problems(
    adapters: TimingAdapters | None, memory_modes: Sequence[MemoryMode]
) -> Iterator[Problem]:
    """Find presets for memory modes and system configs that do not exist."""
    modes = [mode.name for mode in memory_modes]
    for index, preset in enumerate(adapters.presets if adapters else ()):
        where: Location = ("timing_adapters", "presets", index)
        for place, name in enumerate(preset.memory_modes):
            if name not in modes:
                message = unknown_name("memory mode of this platform", name, modes)
                yield Problem((*where, "memory_modes", place), message)
        if preset.system_config not in system_configs():
            message = unknown_name("system config of Vela", preset.system_config, system_configs())
            yield Problem((*where, "system_config"), message)
