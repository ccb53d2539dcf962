# SPDX-License-Identifier: Apache-2.0
"""Bounds on what an archive may make this process read or write."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ArchiveLimits:
    """An archive that exceeds one of these is refused."""

    member_bytes: int = 1 << 30
    """Size of one extracted member."""
    stream_bytes: int = 8 << 30
    """What a compressed tar may unpack to while a member is looked for."""
    entries: int = 200_000
    depth: int = 4
    """How many archives may lie inside one another."""
