# SPDX-License-Identifier: Apache-2.0
"""Choose members of an archive by path or pattern."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence

from ethosmith.core.errors import EthosmithError
from ethosmith.obtain.archive import Archive
from ethosmith.obtain.source import check_member


def select(archive: Archive, patterns: Sequence[str]) -> list[str]:
    """Return the members that the patterns name, in the archive's order.

    Raises:
        EthosmithError: a pattern matches nothing or is no relative path.
    """
    wanted: set[str] = set()
    for pattern in patterns:
        _check_pattern(pattern)
        found = _expand(archive, pattern)
        if not found:
            raise EthosmithError(f"{archive.label}: no member matches '{pattern}'")
        wanted |= found
    # A tar unpacks from its beginning: going back and forth would do so again and again.
    return [name for name in archive.entries if name in wanted] + sorted(
        wanted - set(archive.entries)
    )


def _check_pattern(pattern: str) -> None:
    try:
        check_member(pattern)
    except ValueError as error:
        raise EthosmithError(f"members: {error}") from None


def _expand(archive: Archive, pattern: str) -> set[str]:
    if not any(char in pattern for char in "*?["):
        return {pattern}
    parts = pattern.split("/")
    return {
        entry.name
        for entry in archive.entries.values()
        if not entry.refusal and _parts_match(entry.name.split("/"), parts)
    }


def _parts_match(parts: list[str], patterns: list[str]) -> bool:
    return len(parts) == len(patterns) and all(
        fnmatch.fnmatchcase(part, pattern) for part, pattern in zip(parts, patterns, strict=True)
    )


def stripped(name: str, prefix: str) -> str:
    """Return ``name`` without the leading folder ``prefix``.

    Raises:
        EthosmithError: it does not lie below that folder.
    """
    folder = f"{prefix.rstrip('/')}/" if prefix else ""
    if not name.startswith(folder):
        raise EthosmithError(f"member '{name}' does not lie below '{folder}'")
    return name.removeprefix(folder)
