# SPDX-License-Identifier: Apache-2.0
"""A commit's files with patches applied: a copy in the project, made once."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import UNFINISHED_PREFIX, read_bytes, read_text, write_text
from ethosmith.obtain.cache import fingerprint, stamps_of
from ethosmith.obtain.git_cache import SHOWN_DIGITS
from ethosmith.obtain.git_client import GitClient, GitFailure

_MAX_PATCH_BYTES = 1 << 20
_TREE, _STATE = "tree", "state"


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
