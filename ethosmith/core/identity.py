# SPDX-License-Identifier: Apache-2.0
"""Whether a file still is what it was: its SHA-256, remembered only as long as that is safe.

A remembered hash is believed while the file's size, modification time, status change time, inode
and device are all the same. Whoever unpacks, copies or renames another file over it may choose the
modification time, but not the status change time: the kernel sets that.

Two changes within one tick of the file system's clock get the same status change time. So a hash
is remembered only if that tick was over when the file was read; and what the time is, the file
system itself is asked, for a server's clock may differ from ours. Nothing compares the times of
two files, and no clock that is set back makes an old hash valid.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_json, write_text

_SCHEMA = 1
_SECOND_NS = 1_000_000_000
# Kernels tick every 1 to 10 ms.
_TICK_NS = 100_000_000
# FAT: 2 s; HFS+ and ext3: 1 s. Their time stamps have no fraction.
_COARSE_TICK_NS = 2 * _SECOND_NS
# A file that changes each time while it is read.
_MAX_READS = 5
# Beyond this, what the present process did not ask for is forgotten.
_MAX_KEPT = 100_000
_SHA256_DIGITS = 64


class Stamp(NamedTuple):
    """What ``stat`` says of one state of a file, without its content."""

    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    device: int

    @classmethod
    def of(cls, state: os.stat_result) -> Stamp:
        """Return the stamp of what `os.stat` or `os.fstat` returned."""
        return cls(state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino, state.st_dev)

    def is_settled(self, now_ns: int) -> bool:
        """Whether a change after ``now_ns``, of the file system's clock, would show."""
        tick_ns = _TICK_NS if self.ctime_ns % _SECOND_NS else _COARSE_TICK_NS
        return self.ctime_ns + tick_ns < now_ns


class Known(NamedTuple):
    """A file's stamp and the SHA-256 of its content, as 64 lower-case hexadecimal digits."""

    stamp: Stamp
    sha256: str


class Identity:
    """Remembers the hashes of files, from one process to the next. Threads may share it.

    Args:
        store: the file that keeps them, in a folder that is written to; None: this process alone
            remembers. One that is damaged counts as empty.
    """

    def __init__(self, store: Path | None = None) -> None:
        self._store = store
        self._known: dict[str, Known] = _read(store) if store is not None else {}
        self._used: dict[str, Known] = {}
        self._clock = _FileSystemClock(store.parent if store is not None else None)

    def sha256(self, path: str | Path) -> str:
        """Return the SHA-256 of the file's present content.

        Raises:
            OSError: it cannot be read, or is a folder.
        """
        return self.look_at(path).sha256

    def look_at(self, path: str | Path) -> Known:
        """Return the file's present stamp and hash.

        Raises:
            OSError: it cannot be read, or is no regular file.
        """
        name = os.path.abspath(path)  # noqa: PTH100 links stay
        known = self._used.get(name) or self._known.get(name)
        now = _stamp(name)
        if known is not None and known.stamp == now:
            self._used[name] = known
            return known
        # Asked before the file is read: a change in the tick of its time stamp may follow.
        now_ns = self._clock.now_ns()
        found, is_whole = _hash(name)
        if is_whole and found.stamp.is_settled(now_ns):
            self._used[name] = found
        else:
            self._used.pop(name, None)
            self._known.pop(name, None)
        return found

    def now_ns(self) -> int:
        """Return the file system's present time, for `Stamp.is_settled`."""
        return self._clock.now_ns()

    def save(self) -> None:
        """Keep what this process asked for; without a place for it, the next one hashes again."""
        if self._store is None or self._used.items() <= self._known.items():
            return
        kept = {**self._known, **self._used}
        if len(kept) > _MAX_KEPT:
            kept = self._used
        files = {name: [*known.stamp, known.sha256] for name, known in kept.items()}
        with suppress(OSError):
            write_text(self._store, json.dumps({"schema": _SCHEMA, "files": files}))


def _stamp(name: str) -> Stamp:
    state = os.stat(name)  # noqa: PTH116 called often
    if not stat.S_ISREG(state.st_mode):
        raise OSError(errno.EINVAL, "no regular file", name)
    return Stamp.of(state)


def _hash(name: str) -> tuple[Known, bool]:
    """Return stamp and hash, and whether the file was left alone while it was read."""
    for _ in range(_MAX_READS):
        with open(name, "rb") as file:  # noqa: PTH123 called often
            before = Stamp.of(os.fstat(file.fileno()))
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            after = Stamp.of(os.fstat(file.fileno()))
        if before == after:
            return Known(after, sha256), True
    return Known(after, sha256), False


class _FileSystemClock:
    """The time by which a folder's file system stamps changes, in nanoseconds."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._probe: int | None = None
        self._lock = threading.Lock()

    def now_ns(self) -> int:
        """Return the time of now; 0, before all times, if the folder cannot be written to."""
        with self._lock, suppress(OSError):
            if self._probe is None:
                # A file without a name, which is gone with this process.
                with tempfile.TemporaryFile(dir=self._folder) as file:
                    self._probe = os.dup(file.fileno())
            os.utime(self._probe)
            return os.fstat(self._probe).st_ctime_ns
        return 0


def _read(store: Path) -> dict[str, Known]:
    try:
        data = read_json(store)
        if data["schema"] != _SCHEMA:
            return {}
        return {name: _known(*words) for name, words in data["files"].items()}
    except (EthosmithError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _known(size: int, mtime: int, ctime: int, inode: int, device: int, sha256: str) -> Known:
    stamp = Stamp(size, mtime, ctime, inode, device)
    if len(sha256) != _SHA256_DIGITS or not all(type(number) is int for number in stamp):
        raise ValueError("no stamp and hash")
    return Known(stamp, sha256)
