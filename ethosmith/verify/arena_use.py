# SPDX-License-Identifier: Apache-2.0
"""Check what the device used of its interpreter's arena against what it was given."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_LINE = re.compile(r"^arena: (?P<used>\d+) of (?P<size>\d+) bytes used\r?$", re.MULTILINE)
# An arena that is larger than this times what was used, and more, was guessed.
_MAX_FACTOR = 1.25
_MAX_EXTRA_BYTES = 1024


@dataclass(frozen=True)
class ArenaUse:
    """What the firmware printed of its arena, in bytes."""

    used_bytes: int
    size_bytes: int

    def problems(self) -> Iterator[str]:
        """Yield what is wrong with the arena's size, a line each."""
        if self.used_bytes > self.size_bytes:
            yield f"used {self.used_bytes} bytes of an arena of {self.size_bytes}"
        if self.size_bytes > self.used_bytes * _MAX_FACTOR + _MAX_EXTRA_BYTES:
            yield (
                f"an arena of {self.size_bytes} bytes, of which {self.used_bytes} were used:"
                " ethosmith.models.arena is wrong about this network"
            )


def read_arena(text: str) -> ArenaUse | None:
    """Return what the log ``text`` says of an arena; None if the image has none."""
    match = _LINE.search(text)
    return ArenaUse(int(match["used"]), int(match["size"])) if match else None
