# SPDX-License-Identifier: Apache-2.0
"""Find the memory region of an address among a platform's regions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from ethosmith.descriptors.memory import MemoryRegion

Regions: TypeAlias = "Sequence[MemoryRegion]"

# Those of `ethosmith.images.usage.CLASSES` that are written; all others are there from the start.
RAM_CLASSES = frozenset({"data", "bss", "stack", "scratch", "fast scratch"})


def offset_in(region: MemoryRegion, address: int) -> int | None:
    """Return the offset of ``address`` in the region, by its address or alias, or None."""
    for span in region.spans:
        if address in span:
            return address - span.start
    return None


def find_region(regions: Regions, address: int) -> tuple[MemoryRegion, int] | None:
    """Return the region that holds ``address`` and the offset in it, or None."""
    for region in regions:
        offset = offset_in(region, address)
        if offset is not None:
            return region, offset
    return None


def loadable(regions: Regions) -> tuple[MemoryRegion, ...]:
    """Return the regions that a file of the card fills, in the platform's order."""
    return tuple(region for region in regions if region.sector)


def describe(regions: Regions) -> str:
    """Return ``ITCM (0x00000000), DDR (0x70000000)`` for an error message."""
    return ", ".join(f"{region.name} (0x{region.address:08x})" for region in regions) or "none"


def flash_and_ram(regions: Iterable[Mapping[str, Any]]) -> tuple[int, int]:
    """Return the bytes of `RAM_CLASSES`, behind those of all others.

    Args:
        regions: as of `ethosmith.images.usage.as_json`.
    """
    sizes = [(name, size) for region in regions for name, size in region["classes"].items()]
    ram = sum(size for name, size in sizes if name in RAM_CLASSES)
    return sum(size for _, size in sizes) - ram, ram
