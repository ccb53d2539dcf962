# SPDX-License-Identifier: Apache-2.0
"""Show a guest's bytes on a terminal without letting them control it."""

from __future__ import annotations

import codecs

from ethosu_model.errors import printable

_HARMLESS = "\n\r\t"


class Visible:
    """Turns UART bytes into text that a terminal only displays.

    Escape sequences, other control characters and those that reorder text are shown by number.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def text(self, data: bytes) -> bytes:
        """Return what to write for the next bytes; a character cut in two waits for its rest."""
        return printable(self._decoder.decode(data), kept=_HARMLESS).encode("utf-8")
