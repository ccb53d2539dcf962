# SPDX-License-Identifier: Apache-2.0
"""The board's error for its callers, and how its messages name what is unknown."""

from __future__ import annotations

from collections.abc import Iterable

from ethosu_model.errors import did_you_mean, printable


class BoardError(Exception):
    """A run cannot start, or ended otherwise than by its program's exit code.

    The message is one line that a user can act on; unprintable characters are shown by number.
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


def unknown_name(kind: str, wrong: str, valid: Iterable[str]) -> str:
    """Return the message for a name that is not a ``kind``: the valid ones and the nearest."""
    names = sorted(valid)
    return f"unknown {kind} '{wrong}'{did_you_mean(wrong, names)} (allowed: {', '.join(names)})"
