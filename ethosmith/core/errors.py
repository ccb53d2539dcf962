# SPDX-License-Identifier: Apache-2.0
"""The one exception class whose message is meant for the user, and what such messages suggest."""

from __future__ import annotations

from collections.abc import Iterable

from ethosu_model.errors import did_you_mean, printable

__all__ = ["EthosmithError", "did_you_mean", "printable", "unknown_name"]

_LINE_END = "\n"


class EthosmithError(Exception):
    """An error that the user can fix.

    The message is one line: what is wrong, where, and what to do. Entry points
    print it after ``error: `` and exit with a non-zero code; a traceback of one
    of these is a bug. Characters that a terminal would not show, or would obey,
    stand in it by their numbers.
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(message, kept=_LINE_END))


def unknown_name(kind: str, wrong: str, valid: Iterable[str]) -> str:
    """Say that ``wrong`` is no ``kind``, which names are, and which one is nearest."""
    names = sorted(valid)
    allowed = ", ".join(names) if names else "none"
    shown = f"'{wrong}'" if wrong.isprintable() else repr(wrong)
    return f"unknown {kind} {shown}{did_you_mean(wrong, names)} (allowed: {allowed})"
