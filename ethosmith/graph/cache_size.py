# SPDX-License-Identifier: Apache-2.0
"""How large the build cache is, and removing what was not used for longest."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import UNFINISHED_PREFIX
from ethosmith.graph.build_cache import CONTENT, STEPS

GIB = 1 << 30
# Removing a little at each build would leave the cache always full.
_KEPT_PART = 0.8
_LOOKED_EVERY_S = 3600.0
# Nothing takes a day to write.
_STALE_S = 86400.0
_OURS = re.compile(r"[0-9a-f]{64}")
_STAMP = "last-looked-through"


def limit_bytes(text: str) -> int:
    """Return the value of ``cache_limit_gib=`` in bytes.

    Raises:
        EthosmithError: no number above 0.
    """
    try:
        limit_gib = float(text)
    except ValueError:
        limit_gib = 0.0
    if not 0 < limit_gib < 1e6:
        raise EthosmithError(f"cache_limit_gib={text}: give a number of GiB above 0")
    return int(limit_gib * GIB)


class CacheSize(NamedTuple):
    """What is in the cache.

    Attributes:
        steps: how many steps' outputs it knows.
        files: how many different files it holds.
        size_bytes: of all.
    """

    steps: int
    files: int
    size_bytes: int


class _Entry(NamedTuple):
    path: Path
    size_bytes: int
    used_s: float


def size_of(root: Path) -> CacheSize:
    """Look through the cache; an empty one if there is none."""
    steps, content = list(_entries(root / STEPS)), list(_entries(root / CONTENT))
    size_bytes = sum(entry.size_bytes for entry in (*steps, *content))
    return CacheSize(len(steps), len(content), size_bytes)


def shrink(root: Path, limit: int) -> CacheSize:
    """Remove what was not used for longest until the cache is well below ``limit`` bytes.

    Remains of processes that were killed while they wrote go too. Others may use the cache at
    the same time: what they miss, they make.

    Returns:
        What was removed.
    """
    _touch(root / _STAMP)
    entries = [*_entries(root / STEPS), *_entries(root / CONTENT)]
    left = sum(entry.size_bytes for entry in entries)
    if left <= limit:
        return CacheSize(0, 0, 0)
    removed = []
    for entry in sorted(entries, key=lambda entry: entry.used_s):
        if left <= limit * _KEPT_PART:
            break
        with suppress(OSError):
            entry.path.unlink()
            removed.append(entry)
            left -= entry.size_bytes
    steps = sum(1 for entry in removed if entry.path.is_relative_to(root / STEPS))
    return CacheSize(steps, len(removed) - steps, sum(entry.size_bytes for entry in removed))


def _touch(path: Path) -> None:
    with suppress(OSError):
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
        descriptor = os.open(path, flags, 0o644)
        os.utime(descriptor)
        os.close(descriptor)


def shrink_now_and_then(root: Path, limit: int) -> None:
    """Call `shrink` unless some build did so within the last hour."""
    with suppress(FileNotFoundError):
        if time.time() - (root / _STAMP).stat().st_mtime < _LOOKED_EVERY_S:
            return
    shrink(root, limit)


def _entries(folder: Path) -> Iterator[_Entry]:
    """Yield the cache's files below ``folder``; remove those that nobody will finish.

    What has another name than the cache gives, it did not put there.
    """
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            with suppress(OSError):
                state = path.lstat()
                if _OURS.fullmatch(name):
                    yield _Entry(path, state.st_size, state.st_mtime)
                elif _is_unfinished(name) and time.time() - state.st_mtime > _STALE_S:
                    path.unlink()


def _is_unfinished(name: str) -> bool:
    return name.startswith(UNFINISHED_PREFIX)


def size_line(root: Path, size: CacheSize, limit: int) -> str:
    """Return what ``scons cache`` says."""
    return (
        f"{root}\n  {size.steps:,} steps, {size.files:,} files,"
        f" {_amount(size.size_bytes)} of at most {_amount(limit)}\n"
    )


def _amount(size_bytes: int) -> str:
    return (
        f"{size_bytes / GIB:.1f} GiB" if size_bytes >= GIB else f"{size_bytes / (1 << 20):.1f} MiB"
    )
