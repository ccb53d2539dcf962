# SPDX-License-Identifier: Apache-2.0
"""Keep what steps made, for other checkouts, other people and CI; hand it out only if it is whole.

Layout of the cache's folder::

    steps/3f/3f27…      what a step made: the SHA-256 and the permissions of each of its files
    content/a9/a94b…    a file, named after its own SHA-256

A step is known by its key (`ethosmith.graph.step_key`). Files appear by rename only, and what
is read is hashed: an entry that was cut short or changed is found out and never used. The
hashes do not protect from somebody who may write to the folder and means harm.

The permissions of the folder are those of all in it: a folder that its group may write to
(``chmod 2775``) is one that the group shares.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import sha256_of, writing_beside
from ethosmith.obtain.cache import Cache

NONE = "none"
VARIABLE = "ETHOSMITH_BUILD_CACHE"
STEPS, CONTENT = "steps", "content"
# Tells backup programs that the folder can be made again: https://bford.info/cachedir/
_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# Ethosmith's build cache.\n"
_CHUNK_BYTES = 1 << 20
# Noting each use would write to the disk for each read; this is fine enough to tell old from new.
_NOTED_EVERY_S = 3600.0
_RUNNABLE, _PLAIN = "run", "file"


def cache_folder(option: str, environment: Mapping[str, str], root: Path) -> Path | None:
    """Return the folder of the build cache, or None if there shall be none.

    Args:
        option: of ``cache=``; empty: the environment decides.
        environment: ETHOSMITH_BUILD_CACHE is asked.
        root: what a relative folder is relative to.

    Raises:
        EthosmithError: something else than a folder is there.
    """
    given = option or environment.get(VARIABLE, "")
    if given == NONE:
        return None
    if not given:
        return Cache.for_user().root / "build"
    folder = root / Path(given).expanduser()
    if folder.exists() and not folder.is_dir():
        raise EthosmithError(f"cache={given}: not a directory; give one, or cache={NONE}")
    return folder


class DamagedEntry(Exception):  # noqa: N818 it is no error of a user
    """What the cache holds is not what was put into it."""


@dataclass(frozen=True)
class _Kept:
    """One file of a step."""

    sha256: str
    mode: int


class BuildCache:
    """A folder of steps' outputs. Any number of processes may use it at once.

    Args:
        root: the folder; made when something is kept.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def fetch(self, key: str, targets: Sequence[Path]) -> bool:
        """Write all of a step's files, or none.

        Args:
            key: of the step.
            targets: where its files go, in the order in which they were kept.

        Returns:
            Whether the step was in the cache.

        Raises:
            DamagedEntry: it was, but not as it was kept; the entry is removed.
            OSError: a target cannot be written.
        """
        record = self._place(STEPS, key)
        try:
            kept = _read_record(record, len(targets))
            with ExitStack() as stack:
                for file, target in zip(kept, targets, strict=True):
                    beside = stack.enter_context(writing_beside(target, file.mode))
                    self._copy_out(file, beside)
        except _NotKept:
            return False
        except DamagedEntry:
            with suppress(OSError):
                record.unlink()
            raise
        _note_use(record)
        return True

    def _copy_out(self, kept: _Kept, beside: Path) -> None:
        place = self._place(CONTENT, kept.sha256)
        digest = hashlib.sha256()
        with _reading(place) as source, beside.open("wb") as target:
            while chunk := source.read(_CHUNK_BYTES):
                digest.update(chunk)
                target.write(chunk)
        if digest.hexdigest() != kept.sha256:
            with suppress(OSError):
                place.unlink()
            raise DamagedEntry(f"{CONTENT}/{kept.sha256[:12]}… has other bytes than its name says")
        _note_use(place)

    def keep(self, key: str, targets: Sequence[Path]) -> None:
        """Put a step's files into the cache.

        Args:
            key: of the step.
            targets: all that it wrote.

        Raises:
            OSError: the cache cannot be written; the step is not in it then.
        """
        if not all(target.is_file() and not target.is_symlink() for target in targets):
            return
        lines = [self._keep_content(target) for target in targets]
        text = "".join(lines)
        record = f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}"
        with self._writing(self._place(STEPS, key)) as beside:
            beside.write_text(record, "utf-8")

    def _keep_content(self, path: Path) -> str:
        """Keep one file and return its line in the record."""
        sha256, size_bytes = sha256_of(path), path.stat().st_size
        place = self._place(CONTENT, sha256)
        # A shorter one was cut by a full disk or a lost network: better now than when it is read.
        if not place.is_file() or place.stat().st_size != size_bytes:
            with self._writing(place) as beside:
                shutil.copyfile(path, beside)
        kind = _RUNNABLE if path.stat().st_mode & stat.S_IXUSR else _PLAIN
        return f"{sha256} {kind}\n"

    def _place(self, kind: str, name: str) -> Path:
        return self.root / kind / name[:2] / name

    @contextmanager
    def _writing(self, place: Path) -> Iterator[Path]:
        if not self.root.is_dir():
            self.root.mkdir(parents=True, exist_ok=True)
            with writing_beside(self.root / "CACHEDIR.TAG") as tag:
                tag.write_text(_TAG, "utf-8")
        permissions = stat.S_IMODE(self.root.stat().st_mode)
        for folder in (place.parents[1], place.parent):
            with suppress(FileExistsError):
                folder.mkdir()
                folder.chmod(permissions)
        with writing_beside(place, permissions & 0o666) as beside:
            yield beside


class _NotKept(Exception):  # noqa: N818 as `DamagedEntry`
    """The step, or what belongs to it, is not in the cache."""


@contextmanager
def _reading(place: Path) -> Iterator[BinaryIO]:
    try:
        file = place.open("rb")
    except OSError:
        # Never kept, removed to save room, or another user's alone.
        raise _NotKept from None
    with file:
        yield file


def _read_record(place: Path, count: int) -> list[_Kept]:
    with _reading(place) as file:
        text = file.read()
    checksum, _, body = text.partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != checksum or body.count(b"\n") != count:
        raise DamagedEntry(f"{STEPS}/{place.name[:12]}… is not as it was written")
    words = (line.split() for line in body.decode("utf-8").splitlines())
    return [_Kept(sha256, 0o755 if kind == _RUNNABLE else 0o644) for sha256, kind in words]


def _note_use(place: Path) -> None:
    """Let the file count as used now; in a folder that may only be read, it does not matter."""
    with suppress(OSError):
        if time.time() - place.stat().st_mtime > _NOTED_EVERY_S:
            os.utime(place)
