# SPDX-License-Identifier: Apache-2.0
"""Keep verified files by their SHA-256, and tell cheaply whether a folder is as it was.

The SCons process imports this, so it needs nothing but the standard library.

Layout of the cache folder::

    sha256/59/59fd4882…        a whole, verified file; appears by rename only
    partial/59fd4882….part     what has arrived so far; survives a killed download
    partial/59fd4882….lock     held (flock) by the one process that fetches this file

A lock ends with its process, however that ends, so none is ever stale.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ethosmith.core.files import open_regular, sha256_of, user_cache_folder

_LEFT_OUT = ".git"

# Size in bytes, time of the last change of the contents and of the inode, in nanoseconds; inode.
Stamp = tuple[int, int, int, int]


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
                stamp = (state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino)
                yield name, stamp


def fingerprint(stamps: Mapping[str, Stamp]) -> str:
    """Return a SHA-256 over all names and stamps."""
    digest = hashlib.sha256()
    for name, stamp in stamps.items():
        digest.update(repr((name, stamp)).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


class Damaged(NamedTuple):
    """A cached file whose bytes are not those that its name promises."""

    path: Path
    actual_sha256: str


@dataclass(frozen=True)
class Cache:
    """A folder of files named after their SHA-256."""

    root: Path

    @classmethod
    def for_user(cls) -> Cache:
        """Return the cache in `user_cache_folder`."""
        return cls(user_cache_folder())

    def path_of(self, sha256: str) -> Path:
        """Return where the file with this hash stands once it is there."""
        return self.root / "sha256" / sha256[:2] / sha256

    def partial_path_of(self, sha256: str) -> Path:
        """Return where the bytes of an unfinished download are collected."""
        return self.root / "partial" / f"{sha256}.part"

    def lookup(self, sha256: str) -> Path | Damaged | None:
        """Return the verified file, what is wrong with it, or None if there is none."""
        path = self.path_of(sha256)
        try:
            actual = sha256_of(path)
        except FileNotFoundError:
            return None
        return path if actual == sha256 else Damaged(path, actual)

    def adopt_partial(self, sha256: str) -> Path:
        """Move a finished and verified download to its place, durably, in one step."""
        partial, path = self.partial_path_of(sha256), self.path_of(sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        with open_regular(partial) as file:
            os.fsync(file.fileno())
        partial.chmod(0o444)
        partial.replace(path)
        return path

    def remove_stale_partials(self, age_s: float) -> None:
        """Remove unfinished downloads that nobody went on with for ``age_s`` seconds."""
        for path in (self.root / "partial").glob("*.part"):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > age_s:
                    path.unlink()

    @contextmanager
    def locked(self, sha256: str, on_wait: Callable[[], None]) -> Iterator[None]:
        """Hold the lock of one file; ``on_wait`` is called if another process has it."""
        lock = self.root / "partial" / f"{sha256}.lock"
        lock.parent.mkdir(parents=True, exist_ok=True)
        with lock.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                on_wait()
                fcntl.flock(file, fcntl.LOCK_EX)
            yield
