# SPDX-License-Identifier: Apache-2.0
"""Read the map file of a link, GNU ld's or LLD's: which object put what where."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_bytes
from ethosmith.images.map_formats import PADDING, Contribution, GnuMap, LldMap, plain_origin

__all__ = [
    "MAX_MAP_BYTES",
    "PADDING",
    "Contribution",
    "LinkMap",
    "archives_of",
    "parse_link_map",
    "plain_origin",
    "read_link_map",
]

MAX_MAP_BYTES = 64 << 20


@dataclass(frozen=True)
class LinkMap:
    """What a map file says.

    Attributes:
        contributions: those with a size, by address; sections of debug information, which
            are placed nowhere, are not among them unless they have an address.
        discarded_bytes: size of the input sections that the linker left out; None if its map
            does not tell.
    """

    contributions: tuple[Contribution, ...]
    discarded_bytes: int | None

    def at(self, address: int) -> Contribution | None:
        """Return the input section that holds ``address``, or None."""
        index = bisect.bisect_right(self.contributions, address, key=lambda item: item.address) - 1
        if index >= 0 and address < self.contributions[index].end:
            return self.contributions[index]
        return None


def read_link_map(path: Path, output_sections: Sequence[str]) -> LinkMap:
    """Read the map of an image whose allocated sections are ``output_sections``.

    The names are needed because a map does not tell placed sections from debug
    information, which begins at address 0 as well.

    Raises:
        EthosmithError: the file cannot be read or is no map.
    """
    return parse_link_map(_text(path), output_sections, source=str(path))


def _text(path: Path) -> str:
    return read_bytes(path, limit_bytes=MAX_MAP_BYTES).decode("utf-8", errors="replace")


def parse_link_map(text: str, output_sections: Sequence[str], *, source: str) -> LinkMap:
    """Parse a map's text; ``source`` names it in the error."""
    known = next((kind for kind in (GnuMap, LldMap) if kind.is_map(text)), None)
    if known is None:
        raise EthosmithError(f"{source}: not a map of GNU ld or LLD; link with -Wl,-Map=FILE")
    wanted = frozenset(output_sections)
    placed = {item for item in known.contributions(text) if item.output_section in wanted}
    by_address = sorted(placed, key=lambda item: (item.address, item.end, item.name, item.origin))
    return LinkMap(tuple(by_address), known.discarded_bytes(text))


def archives_of(path: Path) -> list[str]:
    """Return the names of the archives that the linker took members from, sorted.

    Raises:
        EthosmithError: the file cannot be read.
    """
    text = _text(path)
    members = LldMap.members(text) if LldMap.is_map(text) else GnuMap.members(text)
    return sorted({Path(member.rpartition("(")[0]).name for member in members})
