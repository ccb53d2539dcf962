# SPDX-License-Identifier: Apache-2.0
"""The formats of linkers' maps: input sections as GNU ld and LLD tell of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

PADDING = "*fill*"
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


class GnuMap:
    """The format of GNU ld's map.

    It is described in no manual; these rules are those of binutils' ``ldlang.c``
    (``print_output_section_statement``, ``print_input_section``, ``print_padding_statement``):
    an output section begins in column 0, what it is made of is indented by one space, a name
    too long for its column stands alone on its line, and an input section's line ends with the
    file it comes from, archive members in brackets, whatever spaces that path has.
    """

    _START = "Linker script and memory map"
    _DISCARDED = "Discarded input sections"
    _MEMORY = "Memory Configuration"
    _NUMBERS = r"0x(?P<address>[0-9a-f]+)\s+0x(?P<size>[0-9a-f]+)"
    _OUTPUT = re.compile(
        rf"(?P<name>[^\s*(][^\s]*)\s+{_NUMBERS}(?:\s+load address 0x[0-9a-f]+)?\s*"
    )
    _INPUT = re.compile(rf" (?P<name>[^\s*(][^\s]*|\*fill\*)\s+{_NUMBERS}(?: (?P<file>.*))?")

    @classmethod
    def is_map(cls, text: str) -> bool:
        """Tell whether ``text`` is such a map."""
        return f"\n{cls._START}\n" in text

    @classmethod
    def contributions(cls, text: str) -> Iterator[Contribution]:
        """Yield the input sections and paddings that have a size, debug information included."""
        _, _, body = text.partition(f"\n{cls._START}\n")
        output_section = ""
        for line in _joined(body):
            if match := cls._OUTPUT.fullmatch(line):
                output_section = match["name"]
            elif (match := cls._INPUT.fullmatch(line)) and int(match["size"], 16):
                origin = plain_origin((match["file"] or "").strip())
                address, size_bytes = int(match["address"], 16), int(match["size"], 16)
                yield Contribution(output_section, match["name"], address, size_bytes, origin)

    @classmethod
    def discarded_bytes(cls, text: str) -> int:
        """Return the size of the input sections that the linker left out."""
        head, _, _ = text.partition(f"\n{cls._START}\n")
        _, _, after = head.partition(f"{cls._DISCARDED}\n")
        listing, _, _ = after.partition(f"{cls._MEMORY}\n")
        matches = (cls._INPUT.fullmatch(line) for line in _joined(listing))
        return sum(int(match["size"], 16) for match in matches if match)

    @classmethod
    def members(cls, text: str) -> Iterator[str]:
        """Yield the archive members that were linked, as ``ARCHIVE(MEMBER)``."""
        head, _, _ = text.partition(cls._DISCARDED)
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


class LldMap:
    """The format of LLD's map (``lld/ELF/MapFile.cpp``).

    A line has address, load address, size (hexadecimal), alignment (decimal), and then, indented by
    0, 8 or 16 spaces: an output section, what it is made of (``FILE:(SECTION)`` or a command of the
    linker script), a symbol. Gaps that alignment leaves are not told.
    """

    _HEAD = re.compile(r"\s*VMA\s+LMA\s+Size\s+Align\s+Out\s+In\s+Symbol\s*$")
    _LINE = re.compile(
        r"\s*(?P<address>[0-9a-f]+)\s+[0-9a-f]+\s+(?P<size>[0-9a-f]+)\s+\d+ "
        r"(?P<indent>(?: {8}){0,2})(?P<what>\S.*)"
    )
    _INPUT = re.compile(r"(?P<file>.+):\((?P<name>[^()]+)\)")
    _MOVES_ON = re.compile(r"\. (?:\+)?= ")
    # What has no file: merged strings, stubs for far calls.
    _INTERNAL = "<internal>"
    _LINKER = "made by the linker"

    @classmethod
    def is_map(cls, text: str) -> bool:
        """Tell whether ``text`` is such a map."""
        return cls._HEAD.match(text.partition("\n")[0]) is not None

    @classmethod
    def contributions(cls, text: str) -> Iterator[Contribution]:
        """Yield the input sections and paddings that have a size, debug information included."""
        output_section, end = "", 0
        for match in filter(None, map(cls._LINE.fullmatch, text.splitlines())):
            address, size_bytes = int(match["address"], 16), int(match["size"], 16)
            depth = len(match["indent"]) // 8
            if depth == 0:
                output_section, end = match["what"], address
            elif depth == 1 and size_bytes:
                if end < address:
                    yield Contribution(output_section, PADDING, end, address - end, "")
                end = address + size_bytes
                yield from cls._contribution(output_section, address, size_bytes, match["what"])

    @classmethod
    def _contribution(
        cls, output_section: str, address: int, size_bytes: int, what: str
    ) -> Iterator[Contribution]:
        given = cls._INPUT.fullmatch(what)
        if given:
            origin = cls._LINKER if given["file"] == cls._INTERNAL else plain_origin(given["file"])
            yield Contribution(output_section, given["name"], address, size_bytes, origin)
        elif cls._MOVES_ON.match(what):
            yield Contribution(output_section, PADDING, address, size_bytes, "")

    @staticmethod
    def discarded_bytes(text: str) -> None:
        """Return None: the map does not tell what was left out."""
        del text

    @classmethod
    def members(cls, text: str) -> Iterator[str]:
        """Yield the archive members that were linked, as ``ARCHIVE(MEMBER)``."""
        for match in filter(None, map(cls._LINE.fullmatch, text.splitlines())):
            given = cls._INPUT.fullmatch(match["what"]) if len(match["indent"]) == 8 else None
            if given and given["file"].rpartition("(")[0].endswith(".a"):
                yield given["file"]
