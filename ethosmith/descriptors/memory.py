# SPDX-License-Identifier: Apache-2.0
"""The memories of a platform, and which of them holds what of a program and of a model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Annotated

from ethosmith.core.errors import unknown_name
from ethosmith.descriptors.base import Location, Problem, Strict, repeated_names
from ethosmith.descriptors.words import (
    ADDRESS_SPACE_BYTES,
    Address,
    Checked,
    Identifier,
    Limits,
    MemoryModeName,
    ProductName,
)

# Ethos-U's widest data access to a region base, and a whole AXI beat on both products.
_REGION_ALIGNMENT_BYTES = 16
# Section classes that must already be there when the CPU starts.
_LOADED_CLASSES = ("vectors", "code", "constants", "data_load", "labels", "samples")
AxiLimit = Annotated[int, Limits(ge=0, le=3)]


def _check_card_name(name: str) -> str:
    """The board's controller reads a FAT file system without long names."""
    if not re.fullmatch(r"[a-z0-9_]{1,8}\.[a-z0-9]{1,3}", name):
        raise ValueError(
            f"'{name}' is not a valid name on the card: at most eight lower-case letters, a dot"
            " and three more"
        )
    return name


class Sector(Strict):
    """The file that fills a region before the CPU starts.

    Attributes:
        file: name in the card's software folder.
        card_address: load address as the board's controller sees it; needed with a `card`.
        card_bytes: at most so many bytes of the file are loaded by the controller, whose window
            may be smaller than the region.
    """

    file: Annotated[str, Checked(_check_card_name)]
    card_address: Address | None = None
    card_bytes: Annotated[int, Limits(ge=1)] | None = None


class MemoryRegion(Strict):
    """A memory of the board.

    Attributes:
        name: in capital letters by custom; what `placement` and `memory_modes` refer to.
        address: what the image is linked to.
        alias: a second address of the same memory, such as the non-secure one.
        size_kib: size in KiB.
        npu: the NPU's AXI ports reach it.
        sector: what fills it before the start; none for memory that starts empty.
    """

    name: Identifier
    address: Address
    alias: Address | None = None
    size_kib: Annotated[int, Limits(gt=0, le=ADDRESS_SPACE_BYTES >> 10)]
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


class Placement(Strict):
    """The region of each section class that does not depend on the memory mode.

    Attributes:
        vectors: the vector table.
        code: instructions.
        constants: read-only data.
        data: initialised variables at run time.
        data_load: their first values; the start-up code copies them to `data`.
        zeroed: variables that start as zero.
        stack: the one stack.
        labels: the names of the classes.
        samples: the baked-in inputs.
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


class ModelPart(Strict):
    """Where one part of a compiled model lies.

    Attributes:
        region: where the NPU reads or writes it.
        load: where the card puts it, if the start-up code has to copy it to ``region``.
        axi_limit: AXI limit counter: 0 and 1 belong to port AXI0, 2 and 3 to port AXI1. On
            Ethos-U85 the memory attribute: 0 and 1 are the SRAM ports, 2 and 3 the EXT ports.
    """

    region: str
    load: str | None = None
    axi_limit: AxiLimit

    @property
    def loaded_from(self) -> str:
        """The region that the card's file fills."""
        return self.load or self.region


class ScratchArea(Strict):
    """Where scratch memory of the NPU is; nothing is loaded into it.

    Attributes:
        region: where the NPU reads and writes it.
        axi_limit: AXI limit counter: 0 and 1 belong to port AXI0, 2 and 3 to port AXI1. On
            Ethos-U85 the memory attribute: 0 and 1 are the SRAM ports, 2 and 3 the EXT ports.
    """

    region: str
    axi_limit: AxiLimit


class MemoryMode(Strict):
    """The placement of a model under one of Vela's memory modes.

    Attributes:
        name: Vela's name of the mode.
        products: NPU products that can work in it.
        command_stream: Vela's driver payload.
        weights: weights, biases and scales.
        scratch: feature maps.
        scratch_fast: feature maps and weights that Vela puts closer to the NPU.
    """

    name: MemoryModeName
    products: Annotated[tuple[ProductName, ...], Limits(min_length=1)]
    command_stream: ModelPart
    weights: ModelPart
    scratch: ScratchArea
    scratch_fast: ScratchArea

    @property
    def parts(self) -> dict[str, ModelPart | ScratchArea]:
        """All four parts by their key."""
        return {
            "command_stream": self.command_stream,
            "weights": self.weights,
            "scratch": self.scratch,
            "scratch_fast": self.scratch_fast,
        }


def region_problems(regions: Sequence[MemoryRegion]) -> Iterator[Problem]:
    """Find regions that overlap, do not fit the address space, or share a name or a file."""
    yield from repeated_names(("regions",), [region.name for region in regions])
    for index, region in enumerate(regions):
        for key, span in zip(("address", "alias"), region.spans, strict=False):
            where = ("regions", index, key)
            if span.start % _REGION_ALIGNMENT_BYTES:
                yield Problem(where, f"{span.start:#x} is not a multiple of 16")
            if span.stop > ADDRESS_SPACE_BYTES:
                yield Problem(where, f"{region.name} ends at {span.stop:#x}, beyond 32 bits")
    yield from _overlaps(regions)
    yield from _repeated_files(regions)


def _overlaps(regions: Sequence[MemoryRegion]) -> Iterator[Problem]:
    spans = [
        (span, region.name, ("regions", index, key))
        for index, region in enumerate(regions)
        for key, span in zip(("address", "alias"), region.spans, strict=False)
    ]
    for (first, name, _), (second, other, where) in combinations(spans, 2):
        if first.start < second.stop and second.start < first.stop:
            yield Problem(where, f"{other} at {second.start:#x} overlaps {name}")


def _repeated_files(regions: Sequence[MemoryRegion]) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for index, region in enumerate(regions):
        if region.sector is None:
            continue
        if region.sector.file in seen:
            where = ("regions", index, "sector", "file")
            yield Problem(where, f"{region.sector.file} already fills {seen[region.sector.file]}")
        seen[region.sector.file] = region.name


def placement_problems(
    placement: Placement, stack_bytes: int, regions: Sequence[MemoryRegion]
) -> Iterator[Problem]:
    """Find section classes in regions that do not exist, are not loaded, or are too small."""
    for key in placement.key_names():
        name = getattr(placement, key)
        yield from _region_name_problem(regions, ("placement", key), name)
        if key in _LOADED_CLASSES:
            yield from _not_loaded_problem(regions, ("placement", key), name)
    stack = next((region for region in regions if region.name == placement.stack), None)
    if stack and stack_bytes > stack.size_bytes:
        yield Problem(("stack_bytes",), f"more than the {stack.size_bytes} bytes of {stack.name}")


def _region_name_problem(
    regions: Sequence[MemoryRegion], where: Location, name: str
) -> Iterator[Problem]:
    names = [region.name for region in regions]
    if name not in names:
        yield Problem(where, unknown_name("region", name, names))


def _not_loaded_problem(
    regions: Sequence[MemoryRegion], where: Location, name: str
) -> Iterator[Problem]:
    loaded = [region.name for region in regions if region.sector]
    if name not in loaded:
        yield Problem(where, f"no file of the card fills {name} (allowed: {', '.join(loaded)})")


def mode_problems(
    modes: Sequence[MemoryMode], regions: Sequence[MemoryRegion]
) -> Iterator[Problem]:
    """Find parts of a model in regions that the NPU does not reach, or that nothing fills."""
    yield from repeated_names(("memory_modes",), [mode.name for mode in modes])
    for index, mode in enumerate(modes):
        for key, part in mode.parts.items():
            yield from _part_problems(regions, ("memory_modes", index, key), part)


def _part_problems(
    regions: Sequence[MemoryRegion], where: Location, part: ModelPart | ScratchArea
) -> Iterator[Problem]:
    yield from _region_name_problem(regions, (*where, "region"), part.region)
    reached = [region.name for region in regions if region.npu]
    if part.region not in reached:
        yield Problem(
            (*where, "region"),
            f"the NPU does not reach {part.region} (allowed: {', '.join(reached)})",
        )
    if isinstance(part, ModelPart):
        key = "load" if part.load else "region"
        yield from _not_loaded_problem(regions, (*where, key), part.loaded_from)
