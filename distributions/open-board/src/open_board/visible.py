# SPDX-License-Identifier: Apache-2.0
"""Show a guest's bytes on a terminal without letting them control it."""

from __future__ import annotations

import codecs

_HARMLESS = "\n\r\t"


class Visible:
    """Turns UART bytes into text that a terminal only displays.

    Escape sequences, other control characters and those that reorder text are shown by number.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def text(self, data: bytes) -> bytes:
        """Return what to write for the next bytes; a character cut in two waits for its rest."""
        characters = self._decoder.decode(data)
        return "".join(map(_shown, characters)).encode("utf-8")


def _shown(character: str) -> str:
    if character.isprintable() or character in _HARMLESS:
        return character
    return f"<U+{ord(character):04X}>"
