# SPDX-License-Identifier: Apache-2.0
"""Tell cheaply whether a folder is as it was: by the sizes and times of its files.

The SCons process imports this, so it needs nothing but the standard library.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

_LEFT_OUT = ".git"

# Size in bytes, time of the last change of the contents and of the inode, in nanoseconds.
Stamp = tuple[int, int, int]


def stamps_of(folder: Path) -> dict[str, Stamp]:
    """Return the stamp of every file below ``folder`` by its relative path; not of ``.git``.

    Links are not followed.

    Raises:
        OSError: a folder cannot be read.
    """
    return dict(sorted(_walk(str(folder), "")))


def _walk(folder: str, prefix: str) -> Iterator[tuple[str, Stamp]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name == _LEFT_OUT:
                continue
            name = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(entry.path, f"{name}/")
            else:
                # Not `entry.stat`, which a build's record would not see.
                state = os.lstat(entry.path)
                yield name, (state.st_size, state.st_mtime_ns, state.st_ctime_ns)


def fingerprint(stamps: Mapping[str, Stamp]) -> str:
    """Return a SHA-256 over all names and stamps."""
    digest = hashlib.sha256()
    for name, stamp in stamps.items():
        digest.update(repr((name, stamp)).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
