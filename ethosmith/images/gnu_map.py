# SPDX-License-Identifier: Apache-2.0
"""The format of GNU ld's map.

It is described in no manual; these rules are those of binutils' ``ldlang.c``
(``print_output_section_statement``, ``print_input_section``, ``print_padding_statement``):
an output section begins in column 0, what it is made of is indented by one space, a name
too long for its column stands alone on its line, and an input section's line ends with the
file it comes from, archive members in brackets, whatever spaces that path has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ethosmith.images.contribution import Contribution, plain_origin

_START = "Linker script and memory map"
_DISCARDED = "Discarded input sections"
_MEMORY = "Memory Configuration"
_NUMBERS = r"0x(?P<address>[0-9a-f]+)\s+0x(?P<size>[0-9a-f]+)"
_OUTPUT = re.compile(rf"(?P<name>[^\s*(][^\s]*)\s+{_NUMBERS}(?:\s+load address 0x[0-9a-f]+)?\s*")
_INPUT = re.compile(rf" (?P<name>[^\s*(][^\s]*|\*fill\*)\s+{_NUMBERS}(?: (?P<file>.*))?")
_NAME_ALONE = re.compile(r" ?[^\s*(=]\S*")


def is_map(text: str) -> bool:
    """Tell whether ``text`` is such a map."""
    return f"\n{_START}\n" in text


def contributions(text: str) -> Iterator[Contribution]:
    """Yield the input sections and paddings that have a size, those of debug information too."""
    _, _, body = text.partition(f"\n{_START}\n")
    output_section = ""
    for line in _joined(body):
        if match := _OUTPUT.fullmatch(line):
            output_section = match["name"]
        elif (match := _INPUT.fullmatch(line)) and int(match["size"], 16):
            origin = plain_origin((match["file"] or "").strip())
            address, size_bytes = int(match["address"], 16), int(match["size"], 16)
            yield Contribution(output_section, match["name"], address, size_bytes, origin)


def discarded_bytes(text: str) -> int:
    """Return the size of the input sections that the linker left out."""
    head, _, _ = text.partition(f"\n{_START}\n")
    _, _, after = head.partition(f"{_DISCARDED}\n")
    listing, _, _ = after.partition(f"{_MEMORY}\n")
    matches = (_INPUT.fullmatch(line) for line in _joined(listing))
    return sum(int(match["size"], 16) for match in matches if match)


def members(text: str) -> Iterator[str]:
    """Yield the archive members that were linked, as ``ARCHIVE(MEMBER)``."""
    head, _, _ = text.partition(_DISCARDED)
    places = (line.strip() for line in head.splitlines() if line.endswith(")"))
    return (place for place in places if place.rpartition("(")[0].endswith(".a"))


def _joined(text: str) -> Iterator[str]:
    """Yield the lines, a name that stands alone joined with the line behind it."""
    name = ""
    for line in text.split("\n"):
        if name and line.startswith("  ") and line.lstrip().startswith("0x"):
            yield f"{name} {line.lstrip()}"
            name = ""
        elif _NAME_ALONE.fullmatch(line):
            name = line
        else:
            name = ""
            yield line
