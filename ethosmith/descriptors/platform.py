# SPDX-License-Identifier: Apache-2.0
"""The schema of platform.yaml: memory regions, placement, NPU, UART, simulator and card."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ethosmith.core.accelerators import ACCELERATORS
from ethosmith.core.errors import EthosmithError
from ethosmith.core.nearest import unknown_name
from ethosmith.descriptors.origin import Origin
from ethosmith.descriptors.timing_adapter import TimingAdapters
from ethosmith.descriptors.toolchain import CoreName
from ethosmith.descriptors.validation import Problem, load
from ethosmith.descriptors.yaml_source import Location
from ethosmith.models.vela_config import system_configs

SCHEMA_VERSION = 1

_ADDRESS_SPACE_BYTES = 1 << 32
# Ethos-U's widest data access to a region base, and a whole AXI beat on both products.
_REGION_ALIGNMENT_BYTES = 16
# Section classes that must already be there when the CPU starts.
_LOADED_CLASSES = ("vectors", "code", "constants", "data_load", "labels", "samples")

Address = Annotated[int, Field(ge=0, lt=_ADDRESS_SPACE_BYTES)]
Hertz = Annotated[int, Field(gt=0)]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
Line = Annotated[str, Field(min_length=1, pattern=r"^[ -~]+$")]
ProductName = Literal["ethos-u55", "ethos-u65"]
# Vela's names; its `_256KB` variants of Dedicated_Sram only bound the allocator.
MemoryModeName = Literal[
    "Shared_Sram",
    "Sram_Only",
    "Dedicated_Sram",
    "Dedicated_Sram_256KB",
    "Dedicated_Sram_384KB",
    "Dedicated_Sram_512KB",
]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Cpu(_Model):
    """The processor that runs the firmware.

    Attributes:
        core: As the compilers name it.
        clock_hz: Clock of the core and of SysTick.
    """

    core: CoreName
    clock_hz: Hertz


def _check_card_name(name: str) -> str:
    """The board's controller reads a FAT file system without long names."""
    if not re.fullmatch(r"[a-z0-9_]{1,8}\.[a-z0-9]{1,3}", name):
        raise ValueError(
            f"'{name}' is no name for the card: at most eight lower-case letters, a dot and three"
            " more"
        )
    return name


class Sector(_Model):
    """The file that fills a region before the CPU starts.

    Attributes:
        file: Name in the card's software folder.
        card_address: Load address as the board's controller sees it; needed with a `card`.
    """

    file: Annotated[str, AfterValidator(_check_card_name)]
    card_address: Address | None = None


class MemoryRegion(_Model):
    """A memory of the board.

    Attributes:
        name: In capital letters by custom; what `placement` and `memory_modes` refer to.
        address: What the image is linked to.
        alias: A second address of the same memory, such as the non-secure one.
        size_kib: Size in KiB.
        npu: The NPU's AXI ports reach it.
        sector: What fills it before the start; none for memory that starts empty.
    """

    name: Identifier
    address: Address
    alias: Address | None = None
    size_kib: Annotated[int, Field(gt=0, le=_ADDRESS_SPACE_BYTES >> 10)]
    npu: bool
    sector: Sector | None = None

    @property
    def size_bytes(self) -> int:
        """Size in bytes."""
        return self.size_kib * 1024

    @property
    def end(self) -> int:
        """First address behind the region."""
        return self.address + self.size_bytes

    @property
    def spans(self) -> tuple[range, ...]:
        """The address ranges under which the memory answers."""
        starts = [self.address] if self.alias is None else [self.address, self.alias]
        return tuple(range(start, start + self.size_bytes) for start in starts)


class Placement(_Model):
    """The region of each section class that does not depend on the memory mode.

    Attributes:
        vectors: The vector table.
        code: Instructions.
        constants: Read-only data.
        data: Initialised variables at run time.
        data_load: Their first values; the start-up code copies them to `data`.
        zeroed: Variables that start as zero.
        stack: The one stack.
        labels: The names of the classes.
        samples: The baked-in inputs.
    """

    vectors: str
    code: str
    constants: str
    data: str
    data_load: str
    zeroed: str
    stack: str
    labels: str
    samples: str


class ModelPart(_Model):
    """Where one part of a compiled model lies.

    Attributes:
        region: Where the NPU reads or writes it.
        load: Where the card puts it, if the start-up code has to copy it to ``region``.
        axi_limit: AXI limit counter: 0 and 1 belong to port AXI0, 2 and 3 to port AXI1.
    """

    region: str
    load: str | None = None
    axi_limit: Annotated[int, Field(ge=0, le=3)]

    @property
    def loaded_from(self) -> str:
        """The region that the card's file fills."""
        return self.load or self.region


class WorkArea(_Model):
    """Where a work area of the NPU lies; nothing is loaded into it.

    Attributes:
        region: Where the NPU reads and writes it.
        axi_limit: AXI limit counter: 0 and 1 belong to port AXI0, 2 and 3 to port AXI1.
    """

    region: str
    axi_limit: Annotated[int, Field(ge=0, le=3)]


class MemoryMode(_Model):
    """The placement of a model under one of Vela's memory modes.

    Attributes:
        name: Vela's name of the mode.
        products: NPU products that can work in it.
        command_stream: Vela's driver payload.
        weights: Weights, biases and scales.
        scratch: Feature maps.
        scratch_fast: Feature maps and weights that Vela puts closer to the NPU.
    """

    name: MemoryModeName
    products: Annotated[tuple[ProductName, ...], Field(min_length=1)]
    command_stream: ModelPart
    weights: ModelPart
    scratch: WorkArea
    scratch_fast: WorkArea

    @property
    def parts(self) -> dict[str, ModelPart | WorkArea]:
        """All four parts by their key."""
        return {
            "command_stream": self.command_stream,
            "weights": self.weights,
            "scratch": self.scratch,
            "scratch_fast": self.scratch_fast,
        }


class Axi(_Model):
    """The same limits for all four AXI limit counters (registers AXI_LIMIT0 to 3).

    Attributes:
        max_beats_bytes: Longest burst.
        max_outstanding_reads: Reads under way at once.
        max_outstanding_writes: Writes under way at once.
    """

    max_beats_bytes: Literal[64, 128, 256]
    max_outstanding_reads: Annotated[int, Field(ge=1, le=64)]
    max_outstanding_writes: Annotated[int, Field(ge=1, le=32)]


class NpuProduct(_Model):
    """The configurations of one NPU product on this platform, and what Vela is told about it.

    Attributes:
        name: The product.
        configs: Accelerator configurations that the platform has, by Vela's names.
        system_config: Vela's system configuration for it.
        memory_mode: Memory mode if none is asked for.
    """

    name: ProductName
    configs: Annotated[tuple[str, ...], Field(min_length=1)]
    system_config: Identifier
    memory_mode: MemoryModeName


class Npu(_Model):
    """The NPU's register page, interrupt and configurations.

    Attributes:
        address: Register page as the firmware sees it.
        irq: Number of the interrupt in the NVIC.
        timeout_ms: How long the driver waits for a job's end.
        default_config: Accelerator configuration if none is asked for.
        axi: Limits of its AXI ports.
        products: What there is of it.
    """

    address: Address
    irq: Annotated[int, Field(ge=0, lt=480)]
    timeout_ms: Annotated[int, Field(gt=0, le=3_600_000)]
    default_config: str
    axi: Axi
    products: Annotated[tuple[NpuProduct, ...], Field(min_length=1)]

    @property
    def configs(self) -> tuple[str, ...]:
        """All accelerator configurations that the platform allows."""
        return tuple(config for product in self.products for config in product.configs)


class Uart(_Model):
    """The CMSDK UART that the firmware prints to.

    Attributes:
        address: Register page.
        clock_hz: Clock that the baud rate is divided from.
        baud: Bits a second; 8 data bits, no parity.
    """

    address: Address
    clock_hz: Hertz
    baud: Annotated[int, Field(gt=0)]


class FvpExecutable(_Model):
    """The Fixed Virtual Platform's program for one NPU product.

    Attributes:
        product: The NPU inside.
        file: Its name in FVP_PATH or PATH.
    """

    product: ProductName
    file: Line


class Fvp(_Model):
    """Arm's Fixed Virtual Platform of this board.

    Attributes:
        executables: The program for each NPU product.
    """

    executables: Annotated[tuple[FvpExecutable, ...], Field(min_length=1)]


class Window(_Model):
    """A part of a simulator's memory.

    Attributes:
        address: Of its first byte.
        size_kib: Its size.
    """

    address: Address
    size_kib: Annotated[int, Field(gt=0)]

    @property
    def size_bytes(self) -> int:
        """Its size."""
        return 1024 * self.size_kib


class Windows(_Model):
    """Where simulators put files before a run, and what they save to files after it.

    Attributes:
        network: A .tflite.
        input: The bytes of its inputs, one after another.
        output: The bytes of its outputs.
    """

    network: Window
    input: Window
    output: Window


class Runner(_Model):
    """An image that executes whatever network lies in the windows, for ``runtime=prebuilt``.

    Attributes:
        product: The NPU that it drives, and that must be on the board.
        memory_mode: The mode that it is built for.
        source: The ELF file.
        cpu_alone: It is the one for ``npu=none``.
        remark: What to know about its figures; shown below them.
    """

    product: ProductName
    memory_mode: MemoryModeName
    source: Origin
    cpu_alone: bool = False
    remark: Line | None = None


class Card(_Model):
    """The fields of the board's images.txt and the folder that it goes to.

    Attributes:
        board: The board's number, a folder of MB/ on the card.
        application_note: The FPGA image, a folder below that.
        title: TITLE in images.txt.
    """

    board: Identifier
    application_note: Identifier
    title: Line


class Platform(_Model):
    """A board or simulator, complete. `load_platform` also checks that the parts agree.

    Attributes:
        schema_version: Version of this schema.
        name: The folder's name, and the value of ``target=``.
        title: One line for people.
        cpu: The processor.
        regions: Memories.
        placement: Which region holds what of a program.
        stack_bytes: Size of the stack, with 512 bytes that only the fault handler uses.
        memory_modes: Which region holds what of a model.
        npu: The NPU.
        uart: Where the firmware prints.
        timing_adapters: Bridges that give the NPU a memory's speed; none if there are none.
        open_board: The open board can take the place of this one. It is an SSE-300 with a
            Cortex-M55.
        windows: Memory for files; none on real boards.
        runners: Images that execute a network in the windows.
        fvp: The simulators of this board; none if there is none.
        card: The SD card of a real board; none for a simulator alone.
    """

    schema_version: Annotated[Literal[1], Field(alias="schema")]
    name: Name
    title: Line
    cpu: Cpu
    regions: Annotated[tuple[MemoryRegion, ...], Field(min_length=1)]
    placement: Placement
    stack_bytes: Annotated[int, Field(ge=1024, multiple_of=32)]
    memory_modes: Annotated[tuple[MemoryMode, ...], Field(min_length=1)]
    npu: Npu
    uart: Uart
    timing_adapters: TimingAdapters | None = None
    open_board: bool = True
    windows: Windows | None = None
    runners: tuple[Runner, ...] = ()
    fvp: Fvp | None = None
    card: Card | None = None

    def region(self, name: str) -> MemoryRegion:
        """Return the region called ``name``.

        Raises:
            EthosmithError: the platform has none of that name.
        """
        for region in self.regions:
            if region.name == name:
                return region
        raise EthosmithError(
            unknown_name(f"region of platform {self.name}", name, [r.name for r in self.regions])
        )

    def memory_mode(self, name: str) -> MemoryMode:
        """Return the memory mode called ``name``.

        Raises:
            EthosmithError: the platform has none of that name.
        """
        for mode in self.memory_modes:
            if mode.name == name:
                return mode
        modes = [mode.name for mode in self.memory_modes]
        raise EthosmithError(unknown_name(f"memory mode of platform {self.name}", name, modes))

    def product_of(self, accelerator_config: str) -> NpuProduct:
        """Return the product that ``accelerator_config`` belongs to.

        Raises:
            EthosmithError: the platform does not have that configuration.
        """
        for product in self.npu.products:
            if accelerator_config in product.configs:
                return product
        raise EthosmithError(
            unknown_name(
                f"NPU configuration of platform {self.name}", accelerator_config, self.npu.configs
            )
        )

    def runner(self, product: str, memory_mode: str) -> Runner:
        """Return the image that executes networks for an NPU product in a memory mode.

        Raises:
            EthosmithError: the platform has none.
        """
        for runner in self.runners:
            if (runner.product, runner.memory_mode) == (product, memory_mode):
                return runner
        have = ", ".join(f"{r.product} in {r.memory_mode}" for r in self.runners) or "none"
        raise EthosmithError(
            f"platform {self.name} has no prebuilt runner for {product} in {memory_mode}"
            f" (it has: {have})"
        )

    @property
    def runner_on_the_cpu(self) -> Runner:
        """The image that executes networks on the CPU alone; EthosmithError if there is none."""
        for runner in self.runners:
            if runner.cpu_alone:
                return runner
        raise EthosmithError(f"platform {self.name} has no prebuilt runner for the CPU alone")

    def check_combination(self, accelerator_config: str, memory_mode: str) -> None:
        """Check that the NPU works in the memory mode.

        Raises:
            EthosmithError: one of them is unknown, or the two do not go together.
        """
        product = self.product_of(accelerator_config)
        mode = self.memory_mode(memory_mode)
        if product.name not in mode.products:
            usable = ", ".join(m.name for m in self.memory_modes if product.name in m.products)
            raise EthosmithError(
                f"memory mode {memory_mode} is not for {accelerator_config} on platform "
                f"{self.name} (allowed: {usable})"
            )


def load_platform(path: Path) -> Platform:
    """Read a platform.yaml and check that its parts agree with one another.

    Raises:
        EthosmithError: with file, line and column of the first fault.
    """
    return load(Platform, path, _problems)


def _problems(platform: Platform) -> Iterator[Problem]:
    yield from _region_problems(platform.regions)
    yield from _placement_problems(platform)
    yield from _mode_problems(platform)
    yield from _npu_problems(platform)
    yield from _fvp_problems(platform)
    yield from _timing_problems(platform)
    yield from _card_problems(platform)
    yield from _runner_problems(platform)


def _region_problems(regions: tuple[MemoryRegion, ...]) -> Iterator[Problem]:
    yield from _repeated_names(("regions",), [region.name for region in regions])
    for index, region in enumerate(regions):
        for key, span in zip(("address", "alias"), region.spans, strict=False):
            where = ("regions", index, key)
            if span.start % _REGION_ALIGNMENT_BYTES:
                yield Problem(where, f"{span.start:#x} is not a multiple of 16")
            if span.stop > _ADDRESS_SPACE_BYTES:
                yield Problem(where, f"{region.name} ends at {span.stop:#x}, beyond 32 bits")
    yield from _overlaps(regions)
    yield from _repeated_files(regions)


def _overlaps(regions: tuple[MemoryRegion, ...]) -> Iterator[Problem]:
    spans = [
        (span, region.name, ("regions", index, key))
        for index, region in enumerate(regions)
        for key, span in zip(("address", "alias"), region.spans, strict=False)
    ]
    for (first, name, _), (second, other, where) in combinations(spans, 2):
        if first.start < second.stop and second.start < first.stop:
            yield Problem(where, f"{other} at {second.start:#x} overlaps {name}")


def _repeated_files(regions: tuple[MemoryRegion, ...]) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for index, region in enumerate(regions):
        if region.sector is None:
            continue
        if region.sector.file in seen:
            where = ("regions", index, "sector", "file")
            yield Problem(where, f"{region.sector.file} already fills {seen[region.sector.file]}")
        seen[region.sector.file] = region.name


def _repeated_names(where: Location, names: list[str]) -> Iterator[Problem]:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Problem((*where, index, "name"), f"the name '{name}' stands here twice")


def _placement_problems(platform: Platform) -> Iterator[Problem]:
    placement = platform.placement
    for key, name in placement.model_dump().items():
        yield from _region_name_problem(platform, ("placement", key), name)
        if key in _LOADED_CLASSES:
            yield from _not_loaded_problem(platform, ("placement", key), name)
    stack = next((r for r in platform.regions if r.name == placement.stack), None)
    if stack and platform.stack_bytes > stack.size_bytes:
        yield Problem(("stack_bytes",), f"more than the {stack.size_bytes} bytes of {stack.name}")


def _region_name_problem(platform: Platform, where: Location, name: str) -> Iterator[Problem]:
    names = [region.name for region in platform.regions]
    if name not in names:
        yield Problem(where, unknown_name("region", name, names))


def _not_loaded_problem(platform: Platform, where: Location, name: str) -> Iterator[Problem]:
    loaded = [region.name for region in platform.regions if region.sector]
    if name not in loaded:
        yield Problem(where, f"no file of the card fills {name} (allowed: {', '.join(loaded)})")


def _mode_problems(platform: Platform) -> Iterator[Problem]:
    yield from _repeated_names(("memory_modes",), [mode.name for mode in platform.memory_modes])
    for index, mode in enumerate(platform.memory_modes):
        for key, part in mode.parts.items():
            yield from _part_problems(platform, ("memory_modes", index, key), part)


def _part_problems(
    platform: Platform, where: Location, part: ModelPart | WorkArea
) -> Iterator[Problem]:
    yield from _region_name_problem(platform, (*where, "region"), part.region)
    reached = [region.name for region in platform.regions if region.npu]
    if part.region not in reached:
        yield Problem(
            (*where, "region"),
            f"the NPU does not reach {part.region} (allowed: {', '.join(reached)})",
        )
    if isinstance(part, ModelPart):
        key = "load" if part.load else "region"
        yield from _not_loaded_problem(platform, (*where, key), part.loaded_from)


def _npu_problems(platform: Platform) -> Iterator[Problem]:
    npu = platform.npu
    yield from _repeated_names(("npu", "products"), [product.name for product in npu.products])
    if npu.default_config not in npu.configs:
        message = unknown_name(
            "NPU configuration of this platform", npu.default_config, npu.configs
        )
        yield Problem(("npu", "default_config"), message)
    for index, product in enumerate(npu.products):
        where: Location = ("npu", "products", index)
        yield from _product_problems(platform, where, product)


def _product_problems(
    platform: Platform, where: Location, product: NpuProduct
) -> Iterator[Problem]:
    known = [config.name for config in ACCELERATORS if config.product == product.name]
    for index, config in enumerate(product.configs):
        if config not in known:
            message = unknown_name(f"configuration of {product.name}", config, known)
            yield Problem((*where, "configs", index), message)
    modes = [mode.name for mode in platform.memory_modes if product.name in mode.products]
    if product.memory_mode not in modes:
        message = unknown_name(f"memory mode for {product.name}", product.memory_mode, modes)
        yield Problem((*where, "memory_mode"), message)


def _runner_problems(platform: Platform) -> Iterator[Problem]:
    if platform.runners and platform.windows is None:
        yield Problem(("runners",), "they take the network from windows, and there are none")
    have = [product.name for product in platform.npu.products]
    for index, runner in enumerate(platform.runners):
        if runner.product not in have:
            message = unknown_name("NPU product of this platform", runner.product, have)
            yield Problem(("runners", index, "product"), message)


def _fvp_problems(platform: Platform) -> Iterator[Problem]:
    if platform.fvp is None:
        return
    have = [executable.product for executable in platform.fvp.executables]
    for product in platform.npu.products:
        if product.name not in have:
            yield Problem(("fvp", "executables"), f"no executable for {product.name}")


def _timing_problems(platform: Platform) -> Iterator[Problem]:
    modes = [mode.name for mode in platform.memory_modes]
    presets = platform.timing_adapters.presets if platform.timing_adapters else ()
    for index, preset in enumerate(presets):
        where: Location = ("timing_adapters", "presets", index)
        for place, name in enumerate(preset.memory_modes):
            if name not in modes:
                message = unknown_name("memory mode of this platform", name, modes)
                yield Problem((*where, "memory_modes", place), message)
        if preset.system_config not in system_configs():
            message = unknown_name("system config of Vela", preset.system_config, system_configs())
            yield Problem((*where, "system_config"), message)


def _card_problems(platform: Platform) -> Iterator[Problem]:
    for index, region in enumerate(platform.regions):
        if platform.card and region.sector and region.sector.card_address is None:
            where = ("regions", index, "sector")
            yield Problem(where, "a platform with a card needs the key 'card_address' here")
