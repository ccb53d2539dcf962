# SPDX-License-Identifier: Apache-2.0
"""Keep what steps made, for other checkouts, other people and CI; hand it out only if it is whole.

Layout of the cache's folder::

    steps/3f/3f27…      what a step made: SHA-256, kind and size of each of its files
    content/a9/a94b…    a file, named after its own SHA-256

A step is known by its key (`ethosmith.graph.step_key`). Files appear by rename only, and what
is read is hashed: an entry that was cut short or changed is found out and never used. Against
people who may write to the folder and mean harm, `ethosmith.graph.cache_entry` decides what is
taken.

The permissions of the folder are those of all in it: a folder that its group may write to
(``chmod 2775``) is one that the group shares.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import open_regular, writing_beside
from ethosmith.graph.cache_entry import (
    DamagedEntry,
    KeptFile,
    NotKept,
    Record,
    Trust,
    check_folder,
    is_inert,
    is_private,
    is_real_folder,
    make_private,
)
from ethosmith.graph.http_server import CacheServer, is_url
from ethosmith.obtain.cache import Cache

NONE = "none"
VARIABLE = "ETHOSMITH_BUILD_CACHE"
STEPS, CONTENT = "steps", "content"
# Tells backup programs that the folder can be made again: https://bford.info/cachedir/
_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# Ethosmith's build cache.\n"
_CHUNK_BYTES = 1 << 20
# Noting each use would write to the disk for each read; this is fine enough to tell old from new.
_NOTED_EVERY_S = 3600.0


def cache_folder(option: str, environment: Mapping[str, str], root: Path) -> Path | None:
    """Return the folder of the build cache, or None if there shall be none.

    Args:
        option: of ``cache=``; empty: the environment decides. With a server's address, the folder
            in front of it is meant.
        environment: ETHOSMITH_BUILD_CACHE is asked.
        root: what a relative folder is relative to.

    Raises:
        EthosmithError: something else than a folder is there, or anyone can write to it.
    """
    given = option or environment.get(VARIABLE, "")
    if given == NONE:
        return None
    if is_url(given):
        named = environment.get(VARIABLE, "")
        given = "" if named == NONE or is_url(named) else named
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


def cache_server(option: str, environment: Mapping[str, str]) -> CacheServer | None:
    """Return the server behind the folder of `cache_folder`, if one is given.

    Raises:
        EthosmithError: as `CacheServer.of`.
    """
    given = option or environment.get(VARIABLE, "")
    return CacheServer.of(given, environment) if is_url(given) else None


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
        place = self._place(STEPS, key)
        try:
            record = self._read_record(place, len(targets))
            if not self._may_take(key, record, targets):
                return False
            with ExitStack() as stack:
                for file, target in zip(record.files, targets, strict=True):
                    beside = stack.enter_context(writing_beside(target, file.mode))
                    self.copy_out(file, beside)
        except NotKept:
            return False
        except DamagedEntry:
            with suppress(OSError):
                place.unlink()
            raise
        _note_use(place)
        return True

    def _read_record(self, place: Path, count: int) -> Record:
        with self._reading(place) as file:
            text = file.read(Record.limit_bytes(count) + 1)
        return Record.parse(f"{STEPS}/{place.name[:12]}…", text, count)

    def _may_take(self, key: str, record: Record, targets: Sequence[Path]) -> bool:
        """Decide whether an entry may be used: whoever wrote it may have meant harm."""
        if self._is_private(key) or all(is_inert(target) for target in targets):
            return True
        return record.is_signed(key, self._trust)

    def _is_private(self, key: str) -> bool:
        place = self._place(STEPS, key)
        return all(is_private(path) for path in (self.root, place.parents[1], place.parent, place))

    def copy_out(self, kept: KeptFile, beside: Path) -> None:
        """Write a file to ``beside``; `NotKept` or `DamagedEntry` if it is not there, or wrong."""
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
            raise NotKept
        with ExitStack() as stack:
            try:
                file = stack.enter_context(open_regular(place, follow_links=False))
            except OSError as error:
                if error.errno in (errno.EINVAL, errno.ELOOP, errno.EISDIR, errno.ENXIO):
                    raise DamagedEntry(
                        f"{place.parents[1].name}/{place.name[:12]}… is not a regular file"
                    ) from None
                # Never kept, removed to save room, or another user's alone.
                raise NotKept from None
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
        files = [self.keep_content(target) for target in targets]
        self.keep_record(key, Record.signed(files, key, self._trust))

    def keep_record(self, key: str, record: Record) -> None:
        """Put a step's record into the cache; its files are there already.

        Raises:
            OSError: the cache cannot be written.
        """
        with self._writing(self._place(STEPS, key)) as beside:
            beside.write_bytes(record.text)

    def _is_worth_keeping(self, targets: Sequence[Path]) -> bool:
        """Return whether anybody would take these files from here."""
        private = not self.root.exists() or is_private(self.root)
        return private or self._trust.may_be_taken(targets)

    def keep_content(self, path: Path) -> KeptFile:
        """Keep one file and return its line in the record; OSError if that cannot be."""
        kept = KeptFile.of(path)
        # Another size: cut by a full disk or a lost network; better now than when it is read.
        if not self.has_content(kept):
            with self.adding_content(kept.sha256) as beside:
                shutil.copyfile(path, beside)
        return kept

    def has_content(self, kept: KeptFile) -> bool:
        """Tell whether a file of this name and size is there; `content` of it may be damaged."""
        return _is_file_of(self.content(kept.sha256), kept.size_bytes)

    def content(self, sha256: str) -> Path:
        """Return where a file is kept, by the hash of its content."""
        return self._place(CONTENT, sha256)

    @contextmanager
    def adding_content(self, sha256: str) -> Iterator[Path]:
        """Yield a path to write a file to; it gets its name in the cache when all went well.

        Raises:
            OSError: the cache cannot be written.
        """
        with self._writing(self.content(sha256)) as beside:
            yield beside

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


def _is_file_of(place: Path, size_bytes: int) -> bool:
    try:
        state = place.lstat()
    except OSError:
        return False
    return stat.S_ISREG(state.st_mode) and state.st_size == size_bytes


def _note_use(place: Path) -> None:
    """Let the file count as used now; in a folder that may only be read, it does not matter."""
    with suppress(OSError):
        if time.time() - place.lstat().st_mtime > _NOTED_EVERY_S:
            os.utime(place, follow_symlinks=False)
