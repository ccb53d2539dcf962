# SPDX-License-Identifier: Apache-2.0
"""Keep what steps made, for other checkouts, other people and CI; hand it out only if it is whole.

Layout of the cache's folder::

    steps/3f/3f27…      what a step made: SHA-256, kind and size of each of its files
    content/a9/a94b…    a file, named after its own SHA-256

A step is known by its key (`ethosmith.graph.step_key`). Files appear by rename only, and what
is read is hashed: an entry that was cut short or changed is found out and never used. Against
people who may write to the folder and mean harm, `ethosmith.graph.cache_trust` decides what is
taken.

The permissions of the folder are those of all in it: a folder that its group may write to
(``chmod 2775``) is one that the group shares.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import open_regular, sha256_of, writing_beside
from ethosmith.graph.cache_trust import (
    Trust,
    check_folder,
    is_inert,
    is_private,
    is_real_folder,
    make_private,
)
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
# No output of a step is larger.
_MAX_FILE_BYTES = 4 << 30
_MAX_LINE_BYTES = 96
_MAX_HEAD_BYTES = 160
_LINE = re.compile(rb"([0-9a-f]{64}) (run|file) (0|[1-9][0-9]{0,15})\n")


def cache_folder(option: str, environment: Mapping[str, str], root: Path) -> Path | None:
    """Return the folder of the build cache, or None if there shall be none.

    Args:
        option: of ``cache=``; empty: the environment decides.
        environment: ETHOSMITH_BUILD_CACHE is asked.
        root: what a relative folder is relative to.

    Raises:
        EthosmithError: something else than a folder is there, or anyone can write to it.
    """
    given = option or environment.get(VARIABLE, "")
    if given == NONE:
        return None
    if not given:
        folder = Cache.for_user().root / "build"
        make_private(folder)
        check_folder(folder)
        return folder
    folder = root / Path(given).expanduser()
    # A link that leads nowhere would be followed by whoever makes the folder.
    if os.path.lexists(folder) and not folder.is_dir():
        raise EthosmithError(f"cache={given}: not a directory; give one, or cache={NONE}")
    check_folder(folder)
    return folder


class DamagedEntry(Exception):  # noqa: N818 it is no error of a user
    """What the cache holds is not what was put into it."""


@dataclass(frozen=True)
class _Kept:
    """One file of a step."""

    sha256: str
    mode: int
    size_bytes: int


class BuildCache:
    """A folder of steps' outputs. Any number of processes may use it at once.

    Args:
        root: the folder; made when something is kept.
        trust: decides what is taken from it; by default, as for a cache without a key.
    """

    def __init__(self, root: Path, trust: Trust | None = None) -> None:
        self.root = root
        self._trust = trust if trust is not None else Trust()

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
            head, body = self._read_record(record, len(targets))
            if not self._may_take(key, head, body, targets):
                return False
            kept = _parsed(record, body, len(targets))
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

    def _read_record(self, record: Path, count: int) -> tuple[list[bytes], bytes]:
        """Return the words of a record's first line, and its other lines.

        Raises:
            DamagedEntry: its checksum is wrong.
        """
        limit_bytes = _MAX_HEAD_BYTES + count * _MAX_LINE_BYTES
        with self._reading(record) as file:
            text = file.read(limit_bytes + 1)
        head, newline, body = text.partition(b"\n")
        words = head.split(b" ")
        checksum = hashlib.sha256(body).hexdigest().encode()
        if len(text) > limit_bytes or not newline or words[0] != checksum:
            raise DamagedEntry(f"{STEPS}/{record.name[:12]}… is not as it was written")
        return words[1:], body

    def _may_take(
        self, key: str, head: Sequence[bytes], body: bytes, targets: Sequence[Path]
    ) -> bool:
        """Decide whether an entry may be used: whoever wrote it may have meant harm."""
        if self._is_private(key) or all(is_inert(target) for target in targets):
            return True
        return self._trust.is_signed(head[0] if head else b"", key, body)

    def _is_private(self, key: str) -> bool:
        place = self._place(STEPS, key)
        return all(is_private(path) for path in (self.root, place.parents[1], place.parent, place))

    def _copy_out(self, kept: _Kept, beside: Path) -> None:
        place = self._place(CONTENT, kept.sha256)
        digest = hashlib.sha256()
        left = kept.size_bytes
        with self._reading(place) as source, beside.open("wb") as target:
            while chunk := source.read(min(_CHUNK_BYTES, left + 1)):
                left -= len(chunk)
                if left < 0:
                    break
                digest.update(chunk)
                target.write(chunk)
        if left or digest.hexdigest() != kept.sha256:
            with suppress(OSError):
                place.unlink()
            raise DamagedEntry(f"{CONTENT}/{kept.sha256[:12]}… has other bytes than its name says")
        _note_use(place)

    @contextmanager
    def _reading(self, place: Path) -> Iterator[BinaryIO]:
        """Open a file of the cache; what is none, or lies behind a link, is not read.

        Raises:
            DamagedEntry: something else than a file is there.
        """
        if not all(is_real_folder(folder) for folder in (place.parents[1], place.parent)):
            raise _NotKept
        with ExitStack() as stack:
            try:
                file = stack.enter_context(open_regular(place, follow_links=False))
            except OSError as error:
                if error.errno in (errno.EINVAL, errno.ELOOP, errno.EISDIR, errno.ENXIO):
                    raise DamagedEntry(
                        f"{place.parents[1].name}/{place.name[:12]}… is not a regular file"
                    ) from None
                # Never kept, removed to save room, or another user's alone.
                raise _NotKept from None
            yield file

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
        if not self._is_worth_keeping(targets):
            return
        lines = [self._keep_content(target) for target in targets]
        body = "".join(lines).encode()
        head = b" ".join([hashlib.sha256(body).hexdigest().encode(), *self._trust.sign(key, body)])
        with self._writing(self._place(STEPS, key)) as beside:
            beside.write_bytes(head + b"\n" + body)

    def _is_worth_keeping(self, targets: Sequence[Path]) -> bool:
        """Return whether anybody would take these files from here."""
        private = not self.root.exists() or is_private(self.root)
        return private or self._trust.has_key or all(is_inert(target) for target in targets)

    def _keep_content(self, path: Path) -> str:
        """Keep one file and return its line in the record."""
        sha256, size_bytes = sha256_of(path), path.stat().st_size
        place = self._place(CONTENT, sha256)
        # Another size: cut by a full disk or a lost network; better now than when it is read.
        if not _is_file_of(place, size_bytes):
            with self._writing(place) as beside:
                shutil.copyfile(path, beside)
        kind = _RUNNABLE if path.stat().st_mode & stat.S_IXUSR else _PLAIN
        return f"{sha256} {kind} {size_bytes}\n"

    def _place(self, kind: str, name: str) -> Path:
        return self.root / kind / name[:2] / name

    @contextmanager
    def _writing(self, place: Path) -> Iterator[Path]:
        if not self.root.is_dir():
            self.root.mkdir(parents=True, exist_ok=True)
            # Ours alone, whatever the umask: who shares a folder makes it before.
            self.root.chmod(stat.S_IMODE(self.root.stat().st_mode) & ~0o022)
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


def _is_file_of(place: Path, size_bytes: int) -> bool:
    try:
        state = place.lstat()
    except OSError:
        return False
    return stat.S_ISREG(state.st_mode) and state.st_size == size_bytes


def _parsed(record: Path, body: bytes, count: int) -> list[_Kept]:
    """Return what a record says of each file.

    Raises:
        DamagedEntry: it is not of this form. A checksum is soon made for any text.
    """
    lines = [_LINE.fullmatch(line) for line in body.splitlines(keepends=True)]
    kept = [
        _Kept(
            line[1].decode(),
            0o755 if line[2].decode() == _RUNNABLE else 0o644,
            int(line[3]),
        )
        for line in lines
        if line is not None
    ]
    if not len(kept) == len(lines) == count or any(k.size_bytes > _MAX_FILE_BYTES for k in kept):
        raise DamagedEntry(f"{STEPS}/{record.name[:12]}… is not a record of {count} files")
    return kept


def _note_use(place: Path) -> None:
    """Let the file count as used now; in a folder that may only be read, it does not matter."""
    with suppress(OSError):
        if time.time() - place.lstat().st_mtime > _NOTED_EVERY_S:
            os.utime(place, follow_symlinks=False)
