# SPDX-License-Identifier: Apache-2.0
"""The one exception class whose message is meant for the user, and what such messages suggest."""

from __future__ import annotations

from collections.abc import Iterable

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


def did_you_mean(wrong: str, valid: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` for the nearest valid name, or an empty string."""
    import difflib  # noqa: PLC0415 only for an error

    names = sorted(valid)
    by_lower = {name.lower(): name for name in names}
    close = difflib.get_close_matches(wrong.lower(), by_lower, n=1, cutoff=0.5)
    return f"; did you mean '{by_lower[close[0]]}'?" if close else ""


def unknown_name(kind: str, wrong: str, valid: Iterable[str]) -> str:
    """Say that ``wrong`` is no ``kind``, which names are, and which one is nearest."""
    names = sorted(valid)
    allowed = ", ".join(names) if names else "none"
    shown = f"'{wrong}'" if wrong.isprintable() else repr(wrong)
    return f"unknown {kind} {shown}{did_you_mean(wrong, names)} (allowed: {allowed})"
