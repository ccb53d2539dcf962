# SPDX-License-Identifier: Apache-2.0
"""Suggest the valid name that a misspelt one was probably meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(wrong: str, valid: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` for the nearest valid name, or an empty string."""
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
