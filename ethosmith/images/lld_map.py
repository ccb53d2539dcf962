# SPDX-License-Identifier: Apache-2.0
"""The format of LLD's map (``lld/ELF/MapFile.cpp``).

A line has address, load address, size (hexadecimal), alignment (decimal), and then, indented by
0, 8 or 16 spaces: an output section, what it is made of (``FILE:(SECTION)`` or a command of the
linker script), a symbol. Gaps that alignment leaves are not told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ethosmith.images.contribution import PADDING, Contribution, plain_origin

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


def is_map(text: str) -> bool:
    """Tell whether ``text`` is such a map."""
    return _HEAD.match(text.partition("\n")[0]) is not None


def contributions(text: str) -> Iterator[Contribution]:
    """Yield the input sections and paddings that have a size, those of debug information too."""
    output_section, end = "", 0
    for match in filter(None, map(_LINE.fullmatch, text.splitlines())):
        address, size_bytes = int(match["address"], 16), int(match["size"], 16)
        depth = len(match["indent"]) // 8
        if depth == 0:
            output_section, end = match["what"], address
        elif depth == 1 and size_bytes:
            if end < address:
                yield Contribution(output_section, PADDING, end, address - end, "")
            end = address + size_bytes
            yield from _contribution(output_section, address, size_bytes, match["what"])


def _contribution(
    output_section: str, address: int, size_bytes: int, what: str
) -> Iterator[Contribution]:
    given = _INPUT.fullmatch(what)
    if given:
        origin = _LINKER if given["file"] == _INTERNAL else plain_origin(given["file"])
        yield Contribution(output_section, given["name"], address, size_bytes, origin)
    elif _MOVES_ON.match(what):
        yield Contribution(output_section, PADDING, address, size_bytes, "")


def discarded_bytes(text: str) -> None:
    """Return None: the map does not tell what was left out."""
    del text


def members(text: str) -> Iterator[str]:
    """Yield the archive members that were linked, as ``ARCHIVE(MEMBER)``."""
    for match in filter(None, map(_LINE.fullmatch, text.splitlines())):
        given = _INPUT.fullmatch(match["what"]) if len(match["indent"]) == 8 else None
        if given and given["file"].rpartition("(")[0].endswith(".a"):
            yield given["file"]
