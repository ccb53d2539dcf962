# SPDX-License-Identifier: Apache-2.0
"""Keep the files of git commits, and prove that they are what the commit's name says.

Layout below the cache folder::

    git/869953d6…/tree/      the commit's files, without git's own
    git/869953d6…/commit     the commit object; its SHA-1 is the folder's name
    git/869953d6…/listing    mode, object name and path of every file (`git ls-tree -r -z`)

A commit names its tree, a tree its files, each by SHA-1. So the files are checked
against the pinned commit alone, by reading all of them. That is left out only where the
asking project itself has read them before, and no size, time and inode has changed since: it
keeps a digest of these in its own build folder. Nothing that is kept beside the files counts.

The SCons process imports this, so it needs nothing but the standard library.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import open_regular, read_bytes, read_json, write_json
from ethosmith.obtain.cache import Cache, fingerprint, stamps_of

SHOWN_DIGITS = 12
LINK = "120000"
SUBMODULE = "160000"
_FOLDER = "40000"
_READ_ONLY = 0o222
_TOO_MANY = " is too many"


class ListedFile(NamedTuple):
    """One line of a listing."""

    mode: str
    object_name: str
    path: str


def parse_listing(listing: bytes) -> list[ListedFile]:
    """Return the files of ``git ls-tree -r -z --full-tree``.

    Raises:
        ValueError: it is no such listing.
    """
    found = []
    for line in listing.split(b"\0"):
        if line:
            head, _, path = line.partition(b"\t")
            mode, _, name = head.decode("ascii").split(" ")
            found.append(ListedFile(mode, name, path.decode("utf-8", "surrogateescape")))
    return found


def object_name(kind: str, data: bytes) -> str:
    """Return git's name of an object: the SHA-1 of its kind, size and bytes."""
    digest = hashlib.sha1(f"{kind} {len(data)}\0".encode(), usedforsecurity=False)
    digest.update(data)
    return digest.hexdigest()


def tree_name(files: Iterable[ListedFile]) -> str:
    """Return git's name of the tree that holds ``files``."""
    entries: list[tuple[bytes, bytes]] = []
    below: dict[str, list[ListedFile]] = {}
    for file in files:
        folder, slash, rest = file.path.partition("/")
        if slash:
            below.setdefault(folder, []).append(ListedFile(file.mode, file.object_name, rest))
        else:
            entries.append(_entry(file.mode, file.path, file.object_name, b""))
    for folder, inside in below.items():
        entries.append(_entry(_FOLDER, folder, tree_name(inside), b"/"))
    return object_name("tree", b"".join(data for _, data in sorted(entries)))


def _entry(mode: str, name: str, target: str, closing: bytes) -> tuple[bytes, bytes]:
    """Return the sort key and the bytes of one entry of a tree object."""
    raw = name.encode("utf-8", "surrogateescape")
    return raw + closing, mode.encode() + b" " + raw + b"\0" + bytes.fromhex(target)


@dataclass(frozen=True)
class GitCache:
    """The checkouts in a cache folder.

    Attributes:
        cache: the folder.
        proofs: the asking project's file of what it has checked; None: all is read each time.
    """

    cache: Cache
    proofs: Path | None = None

    def folder(self, commit: str) -> Path:
        """Return the place of a commit."""
        return self.cache.root / "git" / commit

    def tree(self, commit: str) -> Path | None:
        """Return the verified files of a commit; None if they are not here.

        Raises:
            EthosmithError: they are not those of the commit.
        """
        folder = self.folder(commit)
        if not folder.is_dir():
            return None
        tree = folder / "tree"
        try:
            now = fingerprint(stamps_of(tree))
            known = self._known()
            if known.get(commit) != now:
                self.check(folder, commit)
                self._note({**known, commit: now})
        except (OSError, ValueError) as error:
            raise self._damaged(commit, str(error)) from None
        return tree

    def _known(self) -> dict[str, Any]:
        if self.proofs is None or not self.proofs.exists():
            return {}
        try:
            found = read_json(self.proofs)
        except EthosmithError:
            return {}
        return found if isinstance(found, dict) else {}

    def _note(self, proofs: dict[str, Any]) -> None:
        """Keep what was checked; where it cannot be kept, it is checked each time."""
        if self.proofs is not None:
            with suppress(OSError):
                write_json(self.proofs, proofs)

    def check(self, folder: Path, commit: str) -> None:
        """Read everything in ``folder`` and compare it with ``commit``.

        Raises:
            EthosmithError: a file is not as the commit has it, is missing or is too many.
            OSError: a file cannot be read.
            ValueError: the listing is none.
        """
        files = parse_listing(read_bytes(folder / "listing"))
        raw = read_bytes(folder / "commit")
        if object_name("commit", raw) != commit:
            raise self._damaged(commit, "the commit object is another one")
        if raw.partition(b"\n")[0] != b"tree " + tree_name(files).encode():
            raise self._damaged(commit, "the list of its files is another one")
        for problem in _wrong_files(folder / "tree", files):
            raise self._damaged(commit, problem)

    def _damaged(self, commit: str, problem: str) -> EthosmithError:
        folder = self.folder(commit)
        return EthosmithError(
            f"{folder}: is not commit {commit[:SHOWN_DIGITS]}: {problem}; remove the folder, and"
            " fetch it again with './scons deps'"
        )


def differs(tree: Path, listing: bytes) -> bool:
    """Tell whether a file of a listing is missing in ``tree`` or has other bytes there.

    Raises:
        OSError: a file cannot be read.
    """
    problems = _wrong_files(tree, parse_listing(listing))
    return any(not problem.endswith(_TOO_MANY) for problem in problems)


def _wrong_files(tree: Path, files: Iterable[ListedFile]) -> Iterator[str]:
    listed = {file.path: file for file in files if file.mode != SUBMODULE}
    there = stamps_of(tree)
    yield from (f"{path}{_TOO_MANY}" for path in sorted(there.keys() - listed.keys()))
    for path, file in listed.items():
        place = tree / path
        if path not in there:
            yield f"{path} is missing"
        elif place.is_symlink() != (file.mode == LINK):
            yield f"{path} is no file" if file.mode != LINK else f"{path} is no link"
        elif object_name("blob", read_blob(place)) != file.object_name:
            yield f"{path} is not as it was committed"


def read_blob(path: Path) -> bytes:
    """Return what git keeps of a file: its bytes, or where a link leads."""
    if path.is_symlink():
        return str(path.readlink()).encode("utf-8", "surrogateescape")
    with open_regular(path) as file:
        return file.read()


def make_read_only(tree: Path) -> None:
    """Take the right to write from the files below ``tree``."""
    for name in stamps_of(tree):
        path = tree / name
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~_READ_ONLY)
