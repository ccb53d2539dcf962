# SPDX-License-Identifier: Apache-2.0
"""Read the map file of GNU ld: which object put what where.

The format is described in no manual; these rules are those of binutils' ``ldlang.c``
(``print_output_section_statement``, ``print_input_section``, ``print_padding_statement``):
an output section begins in column 0, what it is made of is indented by one space, a name
too long for its column stands alone on its line, and an input section's line ends with the
file it comes from, archive members in brackets, whatever spaces that path has.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ethosmith.errors import EthosmithError
from ethosmith.images.files import read_bytes

MAX_MAP_BYTES = 1 << 28
PADDING = "*fill*"
_START = "Linker script and memory map"
_DISCARDED = "Discarded input sections"
_MEMORY = "Memory Configuration"
_NUMBERS = r"0x(?P<address>[0-9a-f]+)\s+0x(?P<size>[0-9a-f]+)"
_OUTPUT = re.compile(rf"(?P<name>[^\s*(][^\s]*)\s+{_NUMBERS}(?:\s+load address 0x[0-9a-f]+)?\s*")
_INPUT = re.compile(rf" (?P<name>[^\s*(][^\s]*|\*fill\*)\s+{_NUMBERS}(?: (?P<file>.*))?")
_NAME_ALONE = re.compile(r" ?[^\s*(=]\S*")
_MEMBER = re.compile(r"(?P<archive>.*)\((?P<member>[^()]+)\)")
_LTO_PART = re.compile(r"\.ltrans(\d+)\.ltrans\.o$")


@dataclass(frozen=True)
class Contribution:
    """One input section, or padding, at its place in the image.

    Attributes:
        output_section: the section of the image that it is part of.
        name: the input section's own name, or `PADDING`.
        origin: object file or ``archive(member)`` without the folders of system files.
    """

    output_section: str
    name: str
    address: int
    size_bytes: int
    origin: str

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.address + self.size_bytes


@dataclass(frozen=True)
class LinkMap:
    """What a map file says.

    Attributes:
        contributions: those with a size, by address; sections of debug information, which
            are placed nowhere, are not among them unless they have an address.
        discarded_bytes: size of the input sections that the linker left out.
    """

    contributions: tuple[Contribution, ...]
    discarded_bytes: int

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
        EthosmithError: the file cannot be read or is not a GNU ld map.
    """
    text = read_bytes(path, limit_bytes=MAX_MAP_BYTES).decode("utf-8", errors="replace")
    return parse_link_map(text, output_sections, source=str(path))


def parse_link_map(text: str, output_sections: Sequence[str], *, source: str) -> LinkMap:
    """Parse a map's text; ``source`` names it in the error."""
    head, found, body = text.partition(f"\n{_START}\n")
    if not found:
        raise EthosmithError(f"{source}: not a map of GNU ld; link with -Wl,-Map=FILE")
    wanted = frozenset(output_sections)
    placed = {item for item in _contributions(body) if item.output_section in wanted}
    by_address = sorted(placed, key=lambda item: (item.address, item.end, item.name, item.origin))
    return LinkMap(tuple(by_address), _discarded_bytes(head))


def _discarded_bytes(head: str) -> int:
    _, _, after = head.partition(f"{_DISCARDED}\n")
    listing, _, _ = after.partition(f"{_MEMORY}\n")
    matches = (_INPUT.fullmatch(line) for line in _joined(listing))
    return sum(int(match["size"], 16) for match in matches if match)


def _contributions(body: str) -> Iterator[Contribution]:
    output_section = ""
    for line in _joined(body):
        if match := _OUTPUT.fullmatch(line):
            output_section = match["name"]
        elif (match := _INPUT.fullmatch(line)) and int(match["size"], 16):
            origin = plain_origin((match["file"] or "").strip())
            address, size_bytes = int(match["address"], 16), int(match["size"], 16)
            yield Contribution(output_section, match["name"], address, size_bytes, origin)


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


def plain_origin(file: str) -> str:
    """Return where a section comes from, the same on every machine.

    An absolute path is cut to its file name, as it says only where a tool is installed; an
    object that link-time optimisation made has a random name, of which only the number of
    its part stays.
    """
    match = _MEMBER.fullmatch(file)
    if match:
        return f"{_plain_path(match['archive'])}({match['member']})"
    return _plain_path(file)


def _plain_path(file: str) -> str:
    lto = _LTO_PART.search(file)
    if lto:
        return f"link-time optimisation, part {lto[1]}"
    path = PurePosixPath(file.replace("\\", "/"))
    absolute = path.is_absolute() or re.match(r"[A-Za-z]:", file)
    return path.name if absolute else str(path) if file else ""
