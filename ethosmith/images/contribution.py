# SPDX-License-Identifier: Apache-2.0
"""One input section of an image, as a linker's map tells it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

PADDING = "*fill*"
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
