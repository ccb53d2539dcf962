# SPDX-License-Identifier: Apache-2.0
"""platforms/NAME/platform.yaml: a board or simulator, complete."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from ethosmith.core.errors import EthosmithError, unknown_name
from ethosmith.descriptors.base import Descriptor, Problem
from ethosmith.descriptors.board import (
    Card,
    Cpu,
    Fvp,
    ModelPartition,
    PrebuiltImage,
    Uart,
    Window,
    Windows,
    card_problems,
    fvp_problems,
    prebuilt_image_problems,
)
from ethosmith.descriptors.load import NOTHING_PARSED, Parsed, load
from ethosmith.descriptors.memory import (
    MemoryMode,
    MemoryRegion,
    Placement,
    mode_problems,
    placement_problems,
    region_problems,
)
from ethosmith.descriptors.npu import Npu, NpuProduct, TimingAdapters, npu_problems, timing_problems
from ethosmith.descriptors.words import AsciiLine, Limits


class Platform(Descriptor):
    """A board or simulator, complete. `load_platform` also checks that the parts agree.

    Attributes:
        cpu: the processor.
        regions: memories.
        placement: which region holds what of a program.
        stack_bytes: size of the stack, with 512 bytes that only the fault handler uses.
        memory_modes: which region holds what of a model.
        npu: the NPU.
        uart: where the firmware prints.
        timing_adapters: bridges that give the NPU a memory's speed; none if there are none.
        open_board: which of the open board's boards can take the place of this one; false: none.
        model_partition: memory for a model that replaces the image's; none: there is no such.
        windows: memory for files; none on real boards.
        prebuilt_images: images that execute a network in the windows.
        no_prebuilt_images: why there are none, if somebody makes some; part of an error.
        fvp: the simulators of this board; none if there is none.
        card: the SD card of a real board; none for a simulator alone.
    """

    cpu: Cpu
    regions: Annotated[tuple[MemoryRegion, ...], Limits(min_length=1)]
    placement: Placement
    stack_bytes: Annotated[int, Limits(ge=1024, multiple_of=32)]
    memory_modes: Annotated[tuple[MemoryMode, ...], Limits(min_length=1)]
    npu: Npu
    uart: Uart
    timing_adapters: TimingAdapters | None = None
    open_board: Literal["sse300", "sse310", "sse320", False] = "sse300"
    model_partition: ModelPartition | None = None
    windows: Windows | None = None
    prebuilt_images: tuple[PrebuiltImage, ...] = ()
    no_prebuilt_images: AsciiLine | None = None
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

    def linkable_bytes(self, region: MemoryRegion) -> int:
        """Return how much of a region an image may fill: a model partition is no part of it."""
        partition = self.model_partition
        reserved = partition is not None and partition.region == region.name
        return region.size_bytes - (1024 * partition.size_kib if partition and reserved else 0)

    def partition_place(self, memory_mode: str) -> Window | None:
        """Return where a model may be put in a memory mode; None: the mode does not read it there.

        The NPU reads the partition by the ports that it reads the image's model by.
        """
        partition, mode = self.model_partition, self.memory_mode(memory_mode)
        parts = {(part.region, part.loaded_from) for part in (mode.command_stream, mode.weights)}
        if partition is None or parts != {(partition.region, partition.region)}:
            return None
        region = self.region(partition.region)
        return Window(address=region.end - 1024 * partition.size_kib, size_kib=partition.size_kib)

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
            if accelerator_config in product.accelerator_configs:
                return product
        raise EthosmithError(
            unknown_name(
                f"accelerator config of platform {self.name}",
                accelerator_config,
                self.npu.accelerator_configs,
            )
        )

    def prebuilt_image(self, runtime: str, product: str, memory_mode: str) -> PrebuiltImage | None:
        """Return the image of a runtime for an NPU product in a memory mode, if it has one."""
        wanted = (runtime, product, memory_mode)
        for image in self.prebuilt_images:
            if (image.runtime, image.product, image.memory_mode) == wanted:
                return image
        return None

    def no_prebuilt_image(self, runtime: str, product: str, memory_mode: str) -> str:
        """Say that there is no image of a runtime for an NPU product in a memory mode."""
        images = [image for image in self.prebuilt_images if image.runtime == runtime]
        have = ", ".join(f"{one.product} in {one.memory_mode}" for one in images) or "none"
        return (
            f"platform {self.name} has no image of runtime={runtime} for {product} in {memory_mode}"
            f" ({self.no_prebuilt_images or f'it has: {have}'})"
        )

    @property
    def prebuilt_image_for_the_cpu(self) -> PrebuiltImage:
        """The image that executes networks on the CPU alone; EthosmithError if there is none."""
        for image in self.prebuilt_images:
            if image.cpu_alone:
                return image
        why = f" ({self.no_prebuilt_images})" if self.no_prebuilt_images else ""
        raise EthosmithError(f"platform {self.name} has no prebuilt image for the CPU alone{why}")

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


def load_platform(path: Path, parsed: Parsed = NOTHING_PARSED) -> Platform:
    """Read a platform.yaml and check that its parts agree with one another.

    Raises:
        EthosmithError: with file, line and column of the first fault.
    """
    return load(Platform, path, _problems, parsed)


def _problems(platform: Platform) -> Iterator[Problem]:
    regions, modes = platform.regions, platform.memory_modes
    yield from region_problems(regions)
    yield from placement_problems(platform.placement, platform.stack_bytes, regions)
    yield from mode_problems(modes, regions)
    yield from npu_problems(platform.npu, modes)
    yield from _partition_problems(platform)
    yield from fvp_problems(platform.fvp, platform.npu)
    yield from timing_problems(platform.timing_adapters, modes)
    yield from card_problems(platform.card, regions)
    yield from prebuilt_image_problems(platform.prebuilt_images, platform.windows, platform.npu)


def _partition_problems(platform: Platform) -> Iterator[Problem]:
    partition, names = platform.model_partition, [region.name for region in platform.regions]
    if partition is None:
        return
    if partition.region not in names:
        message = unknown_name("region of this platform", partition.region, names)
        yield Problem(("model_partition", "region"), message)
    elif partition.size_kib > platform.region(partition.region).size_kib:
        yield Problem(("model_partition", "size_kib"), f"is larger than {partition.region}")
