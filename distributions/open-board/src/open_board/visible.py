# SPDX-License-Identifier: Apache-2.0
"""Show a guest's bytes on a terminal or in a CI log without letting them control it."""

from __future__ import annotations

import codecs

from ethosu_model.errors import printable

_HARMLESS = "\n\r\t"
# What runners of GitHub Actions take for a command: at the beginning of a line, and anywhere.
_COMMAND, _OLD_COMMAND = ":", "##["


class Visible:
    """Turns UART bytes into text that a terminal, or the log of a CI job, only displays.

    Escape sequences, other control characters, those that reorder text, and what begins a command
    of GitHub Actions are shown by number.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._line = ""  # the end of what came of the present line; empty: nothing but blanks

    def text(self, data: bytes) -> bytes:
        """Return what to write for the next bytes; a character cut in two waits for its rest."""
        lines = self._decoder.decode(data).split("\n")
        shown = "\n".join([self._without_commands(lines[0]), *map(self._next_line, lines[1:])])
        return printable(shown, kept=_HARMLESS).encode("utf-8")

    def _next_line(self, line: str) -> str:
        self._line = ""
        return self._without_commands(line)

    def _without_commands(self, line: str) -> str:
        """Return the next part of a line."""
        before, rest = self._line, line.lstrip()
        self._line = (before + rest)[-len(_OLD_COMMAND) + 1 :]
        shown = line
        if not before and rest.startswith(_COMMAND):
            shown = line.replace(_COMMAND, _by_number(_COMMAND), 1)
        for cut in range(1, len(_OLD_COMMAND)):
            # A command that is cut in two ends in this part.
            if before.endswith(_OLD_COMMAND[:cut]) and shown.startswith(_OLD_COMMAND[cut:]):
                shown = shown.replace("[", _by_number("["), 1)
        return shown.replace(_OLD_COMMAND, f"##{_by_number('[')}")


def _by_number(char: str) -> str:
    return f"<U+{ord(char):04X}>"
