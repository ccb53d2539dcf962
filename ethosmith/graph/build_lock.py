# SPDX-License-Identifier: Apache-2.0
"""One build of a tree at a time, and no trust in files that a killed build left behind.

SCons knows what it built by the signatures that it writes when it ends. A build that
was killed ends without writing them: its files are newer than what SCons knows of
them, and would pass for older ones. So each build leaves a mark while it runs; a build
that finds the mark of another one, which is gone, removes every file written since.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from ethosmith.errors import EthosmithError

_LOCK = ".lock"
_RUNNING = b"running\n"
# Coarsest time stamp of a file system in use (HFS+, ext3).
_GRANULARITY_NS = 2_000_000_000


class BuildLock:
    """Held by one process for one build folder until `release` or the process's end."""

    def __init__(self, build: Path) -> None:
        """Take the lock.

        Raises:
            EthosmithError: another build of this folder is running.
        """
        build.mkdir(parents=True, exist_ok=True)
        self._path = build / _LOCK
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._descriptor)
            raise EthosmithError(
                f"another build is running in {build}; wait for it, or give this one another copy"
            ) from None
        self._remove_leftovers(build)
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, _RUNNING, 0)

    def _remove_leftovers(self, build: Path) -> None:
        if os.pread(self._descriptor, len(_RUNNING), 0) != _RUNNING:
            return
        since = os.fstat(self._descriptor).st_mtime_ns - _GRANULARITY_NS
        for path in build.rglob("*"):
            written = path.lstat().st_mtime_ns
            kept = path.name == _LOCK or path.name.startswith(".sconsign")
            if written >= since and not kept and not path.is_dir():
                path.unlink(missing_ok=True)

    def release(self) -> None:
        """Say that this build has ended in order."""
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)
