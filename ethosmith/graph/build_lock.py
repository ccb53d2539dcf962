# SPDX-License-Identifier: Apache-2.0
"""One build of a tree at a time, and nothing half written of one that was killed.

Outputs of a killed build that were finished are no matter of the lock: SCons does not know
their hashes, and makes them again.

Files that a killed step was about to write stand beside their places, under names of their own;
each build begins by removing them.

The steps of a build inherit the lock. Those that outlive a killed build still hold it,
and the next build waits for them: they would write into it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import UNFINISHED_PREFIX, unfinished_below

_LOCK = ".lock"
_MAX_DIGITS = 20
_LONGEST_STEP_S = 120.0
_POLL_S = 0.05


class BuildLock:
    """Held by one process for one build folder until `release` or the process's end.

    While it is held, its file says by which process.

    Attributes:
        temporary: a folder for the temporary files of the steps. What killed ones leave in it,
            the next build removes.
    """

    def __init__(self, build: Path, longest_step_s: float = _LONGEST_STEP_S) -> None:
        """Take the lock.

        Args:
            build: the build folder; made if it is not there.
            longest_step_s: how long to wait for the steps of a build that was killed.

        Raises:
            EthosmithError: another build of this folder is running, or there can be no lock.
            OSError: its file cannot be opened.
        """
        make_build_folder(build)
        self._path = build / _LOCK
        self.temporary = (build / f"{UNFINISHED_PREFIX}temporary").absolute()
        self._descriptor = _opened(self._path)
        try:
            if not self._try():
                self._wait_for_orphans(build, longest_step_s)
        except BaseException:
            os.close(self._descriptor)
            raise
        _remove_unfinished(build)
        self.temporary.mkdir(exist_ok=True)
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, b"%d\n" % os.getpid(), 0)
        os.set_inheritable(self._descriptor, True)

    def _try(self) -> bool:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return False
        except OSError as error:
            raise EthosmithError(
                f"{self._path}: cannot be locked: {error.strerror}; builds at the same time would"
                " not see each other: put the project on a file system that has locks"
            ) from None
        return True

    def _wait_for_orphans(self, build: Path, longest_step_s: float) -> None:
        """Take the lock from the steps of a build that is gone."""
        deadline = time.monotonic() + longest_step_s
        said = False
        while not self._try():
            if self._holder_runs() or time.monotonic() > deadline:
                raise EthosmithError(
                    f"another build is running in {build};"
                    " wait for it, or build in another copy of the project"
                )
            if not said:
                sys.stderr.write("waiting for the last step of a killed build\n")
                said = True
            time.sleep(_POLL_S)

    def _holder_runs(self) -> bool:
        text = os.pread(self._descriptor, _MAX_DIGITS, 0).strip()
        if not text.isdigit():
            return True  # it has the lock, and has not said yet who it is
        try:
            os.kill(int(text), 0)
        except OSError as error:
            return error.errno != errno.ESRCH  # it may be another user's
        return True

    def release(self) -> None:
        """Say that this build has ended in order, and with it all of its steps.

        A daemon that a compiler launcher has left behind does not keep the lock.
        """
        shutil.rmtree(self.temporary, ignore_errors=True)
        os.ftruncate(self._descriptor, 0)
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        os.close(self._descriptor)


def make_build_folder(build: Path) -> None:
    """Make the build folder if it is not there.

    Raises:
        EthosmithError: something else is in its place.
        OSError: it cannot be made.
    """
    if build.is_dir():
        return
    if os.path.lexists(build):
        kind = "a link that leads nowhere" if build.is_symlink() else "no folder"
        raise EthosmithError(f"{build}: {kind}, and the place of all outputs; remove it")
    build.mkdir(parents=True, exist_ok=True)


def _opened(path: Path) -> int:
    """Open the lock's file, and nothing that a link or a pipe of its name leads to."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, 0o644)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise _no_lock(path) from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _no_lock(path)
    return descriptor


def _no_lock(path: Path) -> EthosmithError:
    return EthosmithError(f"{path}: not a regular file, and the place of the lock; remove it")


def _remove_unfinished(build: Path) -> None:
    """Remove what killed steps were writing: whoever has the lock knows that nobody will end it."""
    for path in unfinished_below(build):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


@contextmanager
def swept(folder: Path) -> Iterator[None]:
    """Remove what was never finished right in ``folder``, unless someone is at work in it.

    Whoever makes something there does so in the block. Where the file system has no locks,
    nothing is removed.

    Raises:
        OSError: there is no such folder.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for left in folder.glob(f"{UNFINISHED_PREFIX}*"):
                shutil.rmtree(left, ignore_errors=True)
        yield
    finally:
        os.close(descriptor)
