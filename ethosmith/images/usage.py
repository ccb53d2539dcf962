# SPDX-License-Identifier: Apache-2.0
"""How much of each memory region an image uses, and for what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.terminal import percent
from ethosmith.descriptors.memory import MemoryRegion
from ethosmith.images.elf import Elf, Section
from ethosmith.images.link_map import PADDING, LinkMap
from ethosmith.images.regions import Regions, describe, find_region

# Sections that generated code, the start-up code and the linker script name, by the
# beginning of their names; the first that fits counts.
_CLASS_OF_NAME = (
    (".model.command_stream", "model command stream"),
    (".model.weights", "model weights"),
    (".scratch_fast", "fast scratch"),
    (".scratch", "scratch"),
    (".samples", "samples"),
    (".labels", "labels"),
    (".vectors", "vectors"),
    (".stack", "stack"),
)
# The order in which classes are shown.
CLASSES = (
    "vectors",
    "code",
    "constants",
    "initial values",
    "data",
    "bss",
    "stack",
    "model command stream",
    "model weights",
    "scratch",
    "fast scratch",
    "samples",
    "labels",
    "padding",
)


@dataclass(frozen=True)
class Span:
    """Bytes of one class at one place, offsets counted from the region's first byte."""

    start: int
    end: int
    section_class: str

    @property
    def size_bytes(self) -> int:
        """Its size."""
        return self.end - self.start


@dataclass(frozen=True)
class RegionUsage:
    """What one region holds; spans are in order and do not overlap."""

    region: MemoryRegion
    spans: tuple[Span, ...]

    @property
    def used_bytes(self) -> int:
        """Bytes that hold something, padding between two things included."""
        return sum(span.size_bytes for span in self.spans)

    @property
    def free_bytes(self) -> int:
        """Bytes that hold nothing."""
        return self.region.size_bytes - self.used_bytes

    @property
    def used_percent(self) -> float:
        """Used part of the region in percent."""
        return percent(self.used_bytes, self.region.size_bytes)

    @property
    def bytes_by_class(self) -> Mapping[str, int]:
        """Bytes of each class that occurs, in the order of `CLASSES`."""
        totals = dict.fromkeys(CLASSES, 0)
        for span in self.spans:
            totals[span.section_class] += span.size_bytes
        return {name: size_bytes for name, size_bytes in totals.items() if size_bytes}


def section_class(name: str, section: Section) -> str:
    """Return the class of the input section ``name`` that became part of ``section``."""
    for candidate in (section.name, name):
        for prefix, title in _CLASS_OF_NAME:
            if candidate == prefix or candidate.startswith((f"{prefix}.", f"{prefix}_")):
                return title
    if name == PADDING:
        return "padding"
    if section.load_address is None:
        return "bss"
    if section.is_writable:
        return "data"
    constant = not section.is_code or name.startswith((".rodata", ".ARM.ex", ".init_array"))
    return "constants" if constant else "code"


def measure(
    image: Elf, regions: Regions, link_map: LinkMap | None = None
) -> tuple[RegionUsage, ...]:
    """Return the use of each region, in the platform's order.

    A map tells constants from code, and a model from its neighbours, inside one section of
    the image; without it each section counts as one class.

    Raises:
        EthosmithError: a section lies in no region or reaches behind its region's end.
    """
    placed: dict[str, list[Span]] = {region.name: [] for region in regions}
    for section in image.sections:
        for address, parts in _places(section, link_map):
            region, offset = _locate(image, section, address, regions)
            placed[region.name] += [
                Span(offset + part.start, offset + part.end, part.section_class) for part in parts
            ]
    return tuple(RegionUsage(region, _flattened(placed[region.name])) for region in regions)


def _places(section: Section, link_map: LinkMap | None) -> Iterator[tuple[int, list[Span]]]:
    if not section.size_bytes:
        return
    yield section.address, list(_parts(section, link_map))
    if section.load_address not in (None, section.address):
        yield int(section.load_address or 0), [Span(0, section.size_bytes, "initial values")]


def _parts(section: Section, link_map: LinkMap | None) -> Iterator[Span]:
    """Yield the section's parts; what the map does not explain has the section's class."""
    end = 0
    for item in link_map.contributions if link_map else ():
        if item.output_section != section.name:
            continue
        start = max(end, item.address - section.address)
        stop = min(item.end - section.address, section.size_bytes)
        if start < stop:
            if end < start:
                yield Span(end, start, section_class(section.name, section))
            yield Span(start, stop, section_class(item.name, section))
            end = stop
    if end < section.size_bytes:
        yield Span(end, section.size_bytes, section_class(section.name, section))


def _locate(
    image: Elf, section: Section, address: int, regions: Regions
) -> tuple[MemoryRegion, int]:
    where = f"{image.path}: section {section.name} at 0x{address:08x}"
    found = find_region(regions, address)
    if found is None:
        raise EthosmithError(
            f"{where} ({section.size_bytes:,} bytes) is outside every region of the platform; "
            f"place it in one of {describe(regions)}"
        )
    region, offset = found
    too_many = offset + section.size_bytes - region.size_bytes
    if too_many > 0:
        raise EthosmithError(
            f"{where} extends {too_many:,} bytes past the end of {region.name} "
            f"({region.size_bytes:,} bytes); make it smaller or move it to another region"
        )
    return region, offset


def _flattened(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return the spans in order, later ones cut where they overlap, neighbours joined."""
    cut: list[Span] = []
    end = 0
    for span in sorted(spans, key=lambda item: (item.start, item.end, item.section_class)):
        if span.end > end:
            cut.append(Span(max(end, span.start), span.end, span.section_class))
            end = span.end
    return tuple(_joined(cut))


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    for _, same in groupby(_with_run(spans), key=lambda item: item[0]):
        run = [span for _, span in same]
        yield Span(run[0].start, run[-1].end, run[0].section_class)


def _with_run(spans: Iterable[Span]) -> Iterator[tuple[int, Span]]:
    """Number the runs of adjacent spans of one class."""
    run = 0
    previous: Span | None = None
    for span in spans:
        if previous and (previous.end, previous.section_class) != (span.start, span.section_class):
            run += 1
        previous = span
        yield run, span


def as_json(usages: Iterable[RegionUsage]) -> list[dict[str, Any]]:
    """Return the usage as plain data for a JSON file."""
    return [
        {
            "region": usage.region.name,
            "address": usage.region.address,
            "size_bytes": usage.region.size_bytes,
            "used_bytes": usage.used_bytes,
            "free_bytes": usage.free_bytes,
            "classes": dict(usage.bytes_by_class),
        }
        for usage in usages
    ]
