# SPDX-License-Identifier: Apache-2.0
"""Tell for each symbol and each object file of an image where its bytes lie.

Follows the Itanium C++ ABI, section 5.1, for plain and nested names; a template or an
operator keeps its mangled name, which is exact if not pretty. Parameters are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from ethosmith.images.elf import Elf, Section, Symbol
from ethosmith.images.link_map import PADDING, LinkMap
from ethosmith.images.regions import Regions, find_region
from ethosmith.images.usage import section_class

_ENCODED = re.compile(r"_Z(?P<nested>N)?[KVL]*(?P<rest>.*)", re.DOTALL)
_LENGTH = re.compile(r"L?(\d+)")
_TAIL = re.compile(r"(?P<kind>[CD])[0-5]")
_ANONYMOUS = "_GLOBAL__N_1"


def plain_name(symbol: str) -> str:
    """Return ``app::Window::run`` for ``_ZN3app6Window3runEPKs``, other names as they are."""
    match = _ENCODED.fullmatch(symbol)
    if not match:
        return symbol
    parts, rest = _parts(match["rest"], nested=bool(match["nested"]))
    complete = rest.startswith("E") if match["nested"] else not rest.startswith("I")
    return "::".join(parts) if parts and complete else symbol


def _parts(text: str, *, nested: bool) -> tuple[list[str], str]:
    """Return the leading names, of which a plain symbol has one, and what follows them."""
    parts: list[str] = []
    while match := _LENGTH.match(text):
        end = match.end() + int(match[1])
        part = text[match.end() : end]
        if len(part) < int(match[1]):
            return [], text
        parts.append("(anonymous)" if part == _ANONYMOUS else part)
        text = text[end:]
        if not nested:
            break
    tail = _TAIL.match(text)
    if nested and parts and tail:
        parts.append(f"~{parts[-1]}" if tail["kind"] == "D" else parts[-1])
        text = text[tail.end() :]
    return parts, text


@dataclass(frozen=True)
class SymbolRow:
    """A function or object; names of one address and size share a row."""

    region: str
    name: str
    section_class: str
    address: int
    size_bytes: int
    origin: str


@dataclass(frozen=True)
class OriginRow:
    """An object file or archive member and its bytes in the image by class."""

    origin: str
    bytes_by_class: Mapping[str, int]

    @property
    def size_bytes(self) -> int:
        """All its bytes."""
        return sum(self.bytes_by_class.values())


def symbol_rows(
    image: Elf, symbols: Iterable[Symbol], regions: Regions, link_map: LinkMap
) -> tuple[SymbolRow, ...]:
    """Return a row for each place of a symbol in a region, largest first."""
    rows = []
    for (address, size_bytes), same in groupby(symbols, key=_place):
        found = find_region(regions, address)
        section = _section_at(image, address)
        if found is None or section is None:
            continue
        item = link_map.at(address)
        kind = section_class(item.name if item else section.name, section)
        name = ", ".join(dict.fromkeys(plain_name(symbol.name) for symbol in same))
        origin = item.origin if item else ""
        rows.append(SymbolRow(found[0].name, name, kind, address, size_bytes, origin))
    return tuple(sorted(rows, key=lambda row: (-row.size_bytes, row.address, row.name)))


def _place(symbol: Symbol) -> tuple[int, int]:
    return symbol.address, symbol.size_bytes


def _section_at(image: Elf, address: int) -> Section | None:
    for section in image.sections:
        if section.address <= address < section.address + section.size_bytes:
            return section
    return None


def origin_rows(image: Elf, link_map: LinkMap) -> tuple[OriginRow, ...]:
    """Return a row for each object file that the image has bytes of, largest first."""
    sections = {section.name: section for section in image.sections}
    totals: dict[str, dict[str, int]] = {}
    for item in link_map.contributions:
        if item.name == PADDING:
            continue
        kind = section_class(item.name, sections[item.output_section])
        by_class = totals.setdefault(item.origin, {})
        by_class[kind] = by_class.get(kind, 0) + item.size_bytes
    rows = (OriginRow(origin, by_class) for origin, by_class in totals.items())
    return tuple(sorted(rows, key=lambda row: (-row.size_bytes, row.origin)))
