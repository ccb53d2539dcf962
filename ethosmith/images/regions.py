# SPDX-License-Identifier: Apache-2.0
"""Find the memory region of an address among a platform's regions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from ethosmith.descriptors.memory import MemoryRegion

Regions: TypeAlias = "Sequence[MemoryRegion]"


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
