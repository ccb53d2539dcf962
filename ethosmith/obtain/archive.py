# SPDX-License-Identifier: Apache-2.0
"""Read members of an archive, or of one inside it: those that are named, or that patterns choose.

Only the regular files that are asked for are read, and only into files that the caller names.
"""

from __future__ import annotations

import fnmatch
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from ethosmith.core.errors import EthosmithError, did_you_mean
from ethosmith.core.files import open_regular
from ethosmith.obtain.archive_formats import (
    MEMORY_BYTES,
    Archive,
    ArchiveLimits,
    Entry,
    archive_of,
    damage_explained,
)
from ethosmith.obtain.source import MEMBER_SEPARATOR, check_member

_CHUNK_BYTES = 1 << 20


@contextmanager
def open_archive(
    path: Path, inner: str | None, label: str, limits: ArchiveLimits
) -> Iterator[Archive]:
    """Open the archive at ``path``, or one inside it.

    Args:
        path: a zip (wheels are zips) or a tar, plain or compressed; told by content.
        inner: members that lead to the archive wanted, separated by ``!``.
        label: what messages call the archive.
        limits: see `ArchiveLimits`.

    Raises:
        EthosmithError: no archive, damaged, unsafe, too large, or no such member.
    """
    with open_regular(path) as file, _opened(file, label, inner, limits, limits.depth) as archive:
        yield archive


@contextmanager
def _opened(
    file: IO[bytes], label: str, inner: str | None, limits: ArchiveLimits, depth: int
) -> Iterator[Archive]:
    if depth == 0:
        raise EthosmithError(f"{label}: archives nested more than {limits.depth} deep")
    with damage_explained(label):
        archive = archive_of(file, label, limits)
    if inner is None:
        yield archive
        return
    first, _, rest = inner.partition(MEMBER_SEPARATOR)
    with tempfile.SpooledTemporaryFile(MEMORY_BYTES) as inner_file:
        copy_member(archive, first, inner_file, limits)
        inner_file.seek(0)
        inner_label = f"{label}{MEMBER_SEPARATOR}{first}"
        with _opened(inner_file, inner_label, rest or None, limits, depth - 1) as inner_archive:
            yield inner_archive


def copy_member(archive: Archive, name: str, target: IO[bytes], limits: ArchiveLimits) -> None:
    """Write the bytes of one member to ``target``.

    Raises:
        EthosmithError: no such member (with the nearest name), not a regular file,
            too large, or damaged.
    """
    entry = archive.entries.get(name)
    if entry is None:
        raise EthosmithError(
            f"{archive.label}: no member '{name}'{_nearest(name, archive.entries)}"
        )
    if entry.refusal:
        raise EthosmithError(f"{archive.label}: member '{name}' is refused: {entry.refusal}")
    if entry.size_bytes > limits.member_bytes:
        raise EthosmithError(
            f"{archive.label}: member '{name}' has {entry.size_bytes} bytes, "
            f"more than the allowed {limits.member_bytes}"
        )
    with damage_explained(archive.label), archive.open(name) as source:
        shutil.copyfileobj(source, target, _CHUNK_BYTES)


def _nearest(name: str, entries: Mapping[str, Entry]) -> str:
    files = [entry.name for entry in entries.values() if not entry.refusal]
    base = PurePosixPath(name).name
    same_base = [file for file in files if PurePosixPath(file).name == base]
    if len(same_base) == 1:
        return f"; did you mean '{same_base[0]}'?"
    return did_you_mean(name, files)


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
