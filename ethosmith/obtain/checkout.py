# SPDX-License-Identifier: Apache-2.0
"""Where the files of a git repository are: a checkout, a folder of the user's, a patched copy."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import UNFINISHED_PREFIX, read_bytes, read_text, write_text
from ethosmith.obtain.cache import fingerprint, stamps_of
from ethosmith.obtain.git_cache import SHOWN_DIGITS, differs
from ethosmith.obtain.git_client import GitClient, GitFailure

_LIMIT_S = 60
_LINKS = "build/repositories"
_MAX_PATCH_BYTES = 1 << 20
_TREE, _STATE = "tree", "state"


class Checkout(NamedTuple):
    """The files of a repository, for this build.

    Attributes:
        name: the repository's.
        link: its place below build/, the same for a checkout and for a folder of the user's.
        origin: the commit or the folder that they are from.
        state: changes with the files of a folder; empty for a commit, whose files do not change.
        record: what the manifest says of them.
    """

    name: str
    link: str
    origin: str
    state: str
    record: Mapping[str, Any]


def repository_link(name: str) -> str:
    """Return the link to a git repository's files: its checkout, or the user's folder."""
    return f"{_LINKS}/{name}"


def state_of_folder(folder: Path) -> dict[str, Any]:
    """Return ``commit`` and ``dirty`` of the checkout ``folder``; nothing if it is none.

    A file with other bytes than the commit has counts as changed, also where a filter of the
    user's makes it so. A folder below a checkout, or one whose git cannot be asked, has no state.
    """
    if not (folder / ".git").exists():
        return {}
    try:
        client = GitClient.to_ask(folder)

        def ask(*words: str) -> bytes:
            place = f"--work-tree={folder}"
            return client.read(place, *words, folder=folder, limit_s=_LIMIT_S)

        commit = ask("rev-parse", "--verify", "HEAD^{commit}").decode("ascii").strip()
        listing = ask("ls-tree", "-r", "-z", "--full-tree", commit)
        others = ask("ls-files", "--others", "--exclude-standard", "-z")
        # Not `git status`, which starts the filters that the repository's configuration names.
        dirty = bool(others) or differs(folder, listing)
    except (GitFailure, EthosmithError, OSError, ValueError):
        return {}
    return {"commit": commit, "dirty": dirty}


class PatchFile(NamedTuple):
    """A patch.

    Attributes:
        label: where it is from, for messages.
        path: its file.
        sha256: of the file.
    """

    label: str
    path: Path
    sha256: str


def read_patch(label: str, path: Path, sha256: str | None) -> PatchFile:
    """Return a patch, after a check that it is the one that is meant.

    Raises:
        EthosmithError: there is no such file, or its SHA-256 is not ``sha256``.
    """
    if not path.is_file():
        raise EthosmithError(f"{label}: there is no such patch")
    found = hashlib.sha256(read_bytes(path, limit_bytes=_MAX_PATCH_BYTES)).hexdigest()
    if sha256 not in (None, found):
        raise EthosmithError(f"{label}: SHA-256 is {found}, expected {sha256}")
    return PatchFile(label, path, found)


def patched_tree(commit: str, tree: Path, patches: Sequence[PatchFile], folder: Path) -> Path:
    """Return a copy of ``tree`` with ``patches`` applied one after another, below ``folder``.

    A copy that somebody has changed since is made anew.

    Raises:
        EthosmithError: a patch does not apply.
    """
    names = hashlib.sha256("".join([commit, *(one.sha256 for one in patches)]).encode())
    place = folder / f"{commit[:SHOWN_DIGITS]}-{names.hexdigest()[:SHOWN_DIGITS]}"
    if _is_whole(place):
        return place / _TREE
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(place, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=UNFINISHED_PREFIX, dir=folder) as beside:
        new = Path(beside) / place.name
        copy = new / _TREE
        shutil.copytree(tree, copy, symlinks=True)
        for path in copy.rglob("*"):
            if path.is_file() and not path.is_symlink():
                path.chmod(path.stat().st_mode | 0o200)
        for one in patches:
            _apply(one, copy)
        write_text(new / _STATE, fingerprint(stamps_of(copy)))
        new.rename(place)
    return place / _TREE


def _is_whole(place: Path) -> bool:
    try:
        return read_text(place / _STATE) == fingerprint(stamps_of(place / _TREE))
    except (OSError, EthosmithError):
        return False


def _apply(patch: PatchFile, tree: Path) -> None:
    # git looks for no repository above: of one, it would apply only what lies below.
    client = GitClient.to_ask(tree)
    path = str(patch.path.resolve())
    try:
        before = fingerprint(stamps_of(tree))
        client.read("apply", "--whitespace=nowarn", "--", path, folder=tree)
    except GitFailure as failure:
        reason = failure.text.strip().splitlines()
        raise EthosmithError(
            f"{patch.label}: does not apply: {reason[0] if reason else 'git says nothing'}"
        ) from None
    if fingerprint(stamps_of(tree)) == before:
        raise EthosmithError(f"{patch.label}: changes nothing")
