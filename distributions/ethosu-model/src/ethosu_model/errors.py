# SPDX-License-Identifier: Apache-2.0
"""The model's error for its callers, and the nearest valid name for its messages."""

from __future__ import annotations

from collections.abc import Iterable


class ModelError(Exception):
    """The caller asked for something that the model does not have, or gave it unusable data.

    The message is one line that a user can act on; unprintable characters are shown by number.
    A fault of the job on the device is not one of these: the device's registers report it.
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


def printable(text: str, *, kept: str = "") -> str:
    """Return ``text`` with every unprintable character, but those of ``kept``, as ``<U+00A0>``."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in kept else f"<U+{ord(char):04X}>" for char in text
    )


def did_you_mean(wrong: str, valid: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` for the nearest valid name, or an empty string."""
    import difflib  # noqa: PLC0415 only for an error

    by_lower = {name.lower(): name for name in sorted(valid)}
    close = difflib.get_close_matches(wrong.lower(), by_lower, n=1, cutoff=0.5)
    return f"; did you mean '{by_lower[close[0]]}'?" if close else ""
