# SPDX-License-Identifier: Apache-2.0
"""Cut a linked image into one flat binary per region that the board's card loads.

The bytes are those of the PT_LOAD entries at their physical (load) addresses: what the
simulators load from the same file. A binary begins at its region's first address, bytes that no
segment fills are zero, and it ends with the last byte that one does. A region without bytes
gives an empty file; the step write-images-txt leaves it out of the card's list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import writing_beside
from ethosmith.images.regions import Regions, describe, find_region, loadable
from ethosmith.steps.step import Input, Outputs, Step, step

if TYPE_CHECKING:
    from ethosmith.descriptors.memory import MemoryRegion
    from ethosmith.images.elf import Elf, Segment


@step(verb="SECTORS", packages=("pydantic", "pydantic-core", "pyelftools", "pyyaml"))
class WriteSectors(Step):
    """Cut a linked image into one flat binary per region that the board's card loads.

    Attributes:
        axf: the linked image.
        platform: the platform.yaml.
        folder: where the binaries go.
        files: the binaries, named by the platform's regions.
    """

    axf: Input
    platform: Input
    folder: Path
    files: Outputs

    def run(self) -> None:
        """Read the image and write the binaries."""
        from ethosmith.descriptors.platform import load_platform
        from ethosmith.images.elf import read_image

        write_sectors(read_image(self.axf), load_platform(self.platform).regions, self.folder)

    @property
    def title(self) -> str:
        """The binaries' folder."""
        return self.folder.as_posix()


@dataclass(frozen=True)
class Placement:
    """A segment and its offset in the region that holds it."""

    offset: int
    segment: Segment

    @property
    def end(self) -> int:
        """The first offset behind it."""
        return self.offset + self.segment.size_bytes


def place_segments(image: Elf, regions: Regions) -> Mapping[str, tuple[Placement, ...]]:
    """Return the segments of each loadable region, by region name, in address order.

    Raises:
        EthosmithError: a segment lies outside the regions that the card loads, reaches
            behind its region's end, or overlaps another; or there is nothing to load.
    """
    if not image.segments:
        raise EthosmithError(f"{image.path}: has no bytes to load; check the linker script")
    placed: dict[str, list[Placement]] = {region.name: [] for region in loadable(regions)}
    for segment in image.segments:
        region, offset = _region_of(image.path, segment, regions)
        placed[region.name].append(Placement(offset, segment))
    for name, placements in placed.items():
        placements.sort(key=lambda item: item.offset)
        _refuse_overlap(image.path, name, placements)
    return {name: tuple(placements) for name, placements in placed.items()}


def _region_of(path: Path, segment: Segment, regions: Regions) -> tuple[MemoryRegion, int]:
    choice = describe(loadable(regions))
    found = find_region(regions, segment.load_address)
    if found is None:
        raise EthosmithError(
            f"{path}: {_name(segment)} is outside every region of the platform; "
            f"place it in one of {choice} in the linker script, or add its region to platform.yaml"
        )
    region, offset = found
    if region.sector is None:
        raise EthosmithError(
            f"{path}: {_name(segment)} is in {region.name}, which the card does not load; "
            f"give it a load address in one of {choice} (AT> in the linker script)"
        )
    if offset + segment.size_bytes > region.size_bytes:
        too_many = offset + segment.size_bytes - region.size_bytes
        raise EthosmithError(
            f"{path}: {_name(segment)} extends {too_many:,} bytes past the end of "
            f"{region.name} (0x{region.address:08x}, {region.size_bytes:,} bytes); "
            "make it smaller or move it to another region"
        )
    _check_card(path, segment, region, offset + segment.size_bytes)
    return region, offset


def _check_card(path: Path, segment: Segment, region: MemoryRegion, end: int) -> None:
    """Check that the board's controller loads a segment whole."""
    limit = region.sector.card_bytes if region.sector is not None else None
    if limit is not None and end > limit:
        raise EthosmithError(
            f"{path}: {_name(segment)} ends {end:,} bytes into {region.name}, of which the card"
            f" loads {limit:,} ({region.sector.file if region.sector else ''}); make it smaller or"
            " move it to another region"
        )


def _refuse_overlap(path: Path, region: str, placements: Sequence[Placement]) -> None:
    for first, second in pairwise(placements):
        if second.offset < first.end:
            raise EthosmithError(
                f"{path}: {_name(second.segment)} overlaps {_name(first.segment)} in {region}; "
                "give them different load addresses in the linker script"
            )


def _name(segment: Segment) -> str:
    names = ", ".join(segment.sections) or "a segment without sections"
    kind = "the segment of sections" if len(segment.sections) > 1 else "section"
    title = f"{kind} {names}" if segment.sections else names
    return f"{title} at load address 0x{segment.load_address:08x} ({segment.size_bytes:,} bytes)"


def write_sectors(image: Elf, regions: Regions, output_dir: Path) -> tuple[Path, ...]:
    """Write each loadable region's binary; return their paths in the platform's order.

    Raises:
        EthosmithError: as in `place_segments`, or a file cannot be written. In the first
            case nothing is written.
    """
    placed = place_segments(image, regions)
    paths = []
    for region in regions:
        if region.sector:
            paths.append(output_dir / region.sector.file)
            _write_sector(paths[-1], image.data, placed[region.name])
    return tuple(paths)


def _write_sector(path: Path, data: bytes, placements: Sequence[Placement]) -> None:
    view = memoryview(data)
    with writing_beside(path) as beside, beside.open("wb") as stream:
        for placement in placements:
            # What the seek passes over reads as zeros and takes no space.
            stream.seek(placement.offset)
            start = placement.segment.file_offset
            stream.write(view[start : start + placement.segment.size_bytes])
