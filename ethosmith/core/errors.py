# SPDX-License-Identifier: Apache-2.0
"""The one exception class whose message is meant for the user."""

_LINE_END = "\n"


class EthosmithError(Exception):
    """An error that the user can fix.

    The message is one line: what is wrong, where, and what to do. Entry points
    print it after ``error: `` and exit with a non-zero code; a traceback of one
    of these is a bug. Characters that a terminal would not show, or would obey,
    stand in it by their numbers.
    """

    def __init__(self, message: str) -> None:
        super().__init__(visible(message, kept=_LINE_END))


def visible(text: str, *, kept: str = "") -> str:
    """Return ``text`` with characters that are not printable, nor ``kept``, as ``<U+00A0>``."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in kept else f"<U+{ord(char):04X}>" for char in text
    )
