# SPDX-License-Identifier: Apache-2.0
"""Lay out the symbols of an image as treemaps, coloured by the library that they come from."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import squarify

from ethosmith.images.symbols import SymbolRow

_TILES = 40
_SMALLEST_TILE_SHARE = 0.004
_COLOURS = 8
_OTHER_COLOUR = "other"
_SMALLER = "smaller ones"
_USECASE, _LINKER = "use case", "linker script"
# What the build generates for each image, by the name of its source.
_GENERATED = frozenset({"labels", "model", "op_resolver", "samples"})
_MEMBER = re.compile(r"(?:.*/)?lib([^/]+)\.a\(.*\)", re.DOTALL)


@dataclass(frozen=True)
class Tile:
    """A rectangle of a treemap, in percent of its sides."""

    name: str
    library: str
    colour: str
    size_bytes: int
    left: float
    top: float
    width: float
    height: float


def treemap(
    parts: Sequence[tuple[str, str, int]], colours: Mapping[str, str], aspect: float = 2.5
) -> list[Tile]:
    """Lay out ``parts`` (name, library, size in bytes; largest first) as a squarified treemap.

    Args:
        parts: sizes above 0.
        colours: by library; those without one are grey.
        aspect: the width of the whole over its height.
    """
    sizes = squarify.normalize_sizes([size for _, _, size in parts], 100 * aspect, 100)
    places = squarify.squarify(sizes, 0, 0, 100 * aspect, 100)
    return [
        Tile(
            name=name,
            library=library,
            colour=colours.get(library, _OTHER_COLOUR),
            size_bytes=size,
            left=place["x"] / aspect,
            top=place["y"],
            width=place["dx"] / aspect,
            height=place["dy"],
        )
        for (name, library, size), place in zip(parts, places, strict=True)
    ]


@dataclass(frozen=True)
class Treemaps:
    """The treemaps of an image.

    Attributes:
        by_region: the tiles of each memory region with several symbols.
        keys: colour by library, for each region.
    """

    by_region: Mapping[str, list[Tile]]
    keys: Mapping[str, Mapping[str, str]]


def treemaps(symbols: Mapping[str, Sequence[SymbolRow]]) -> Treemaps:
    """Lay out the largest symbols of each region, with one tile for all the others.

    A library has the same colour in all regions.

    Args:
        symbols: by memory region, largest first.
    """
    sizes: Counter[str] = Counter()
    for row in (row for rows in symbols.values() for row in rows):
        sizes[library_of(row.origin)] += row.size_bytes
    largest = sorted(sizes, key=lambda library: (-sizes[library], library))[:_COLOURS]
    colours = {library: str(number) for number, library in enumerate(largest)}
    found = {}
    for region, rows in symbols.items():
        sized = [row for row in rows if row.size_bytes > 0]
        if len(sized) > 1:
            found[region] = treemap(_parts(sized), colours)
    return Treemaps(found, {region: _key(tiles) for region, tiles in found.items()})


def library_of(origin: str) -> str:
    """Return the library of an object file as the linker's map calls it.

    Of what is in no library, it is the generated source, or ``use case``.
    """
    member = _MEMBER.fullmatch(origin)
    if member:
        return member[1]
    stem = origin.rpartition("/")[2].partition(".")[0]
    return _LINKER if not origin else stem if stem in _GENERATED else _USECASE


def _parts(rows: Sequence[SymbolRow]) -> list[tuple[str, str, int]]:
    total = sum(row.size_bytes for row in rows)
    shown = [r for r in rows[:_TILES] if r.size_bytes >= _SMALLEST_TILE_SHARE * total]
    parts = [(row.name, library_of(row.origin), row.size_bytes) for row in shown]
    rest = sum(row.size_bytes for row in rows[len(shown) :])
    if rest:
        parts.append((f"{len(rows) - len(shown)} {_SMALLER}", _SMALLER, rest))
    return parts


def _key(tiles: Sequence[Tile]) -> dict[str, str]:
    """Return the colours of the libraries in ``tiles``, grey ones last."""
    found = {tile.library: tile.colour for tile in tiles}
    return dict(sorted(found.items(), key=lambda item: (item[1], item[0])))
