# SPDX-License-Identifier: Apache-2.0
"""Sizes as a person reads them."""

from __future__ import annotations

KIB = 1024
MIB = 1024 * KIB


def human_size(size_bytes: int) -> str:
    """Return ``812 B``, ``23.4 KiB`` or ``2.31 MiB``."""
    if size_bytes < KIB:
        return f"{size_bytes} B"
    if size_bytes < MIB:
        return f"{size_bytes / KIB:.1f} KiB"
    return f"{size_bytes / MIB:.2f} MiB"


def percent(part: int, whole: int) -> float:
    """Return ``part`` of ``whole`` in percent; 0 of nothing is 0."""
    return 100.0 * part / whole if whole else 0.0
