# SPDX-License-Identifier: Apache-2.0
"""What may be taken from a build cache, by who else can write to it.

| who can write to the folder | what is taken from it |
|---|---|
| this user alone (or root) | everything |
| a group, or another owner | everything that is signed with the key; without it, inert data alone |
| anyone | nothing: the cache is refused |

Inert data is read by our own bounded readers and never executed. Programs, objects, archives,
sources and scripts become code that this machine, or the device, runs.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from ethosmith.core.errors import EthosmithError

KEY_VARIABLE = "ETHOSMITH_BUILD_CACHE_KEY"
_MIN_KEY_CHARACTERS = 32
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
# All that may come from somebody else unsigned. What is not here is taken for code.
_INERT_SUFFIXES = frozenset((".csv", ".f32", ".json", ".npy", ".npz", ".tflite", ".txt", ".wav"))


@dataclass(frozen=True)
class Trust:
    """The key with which entries of a shared cache are signed.

    Attributes:
        key: HMAC-SHA256 is made with it; empty: nothing is signed, and no signature counts.
    """

    key: bytes = field(default=b"", repr=False)

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Trust:
        """Return the trust of `KEY_VARIABLE`.

        Raises:
            EthosmithError: the key is too short to be one.
        """
        text = environment.get(KEY_VARIABLE, "")
        if text and len(text) < _MIN_KEY_CHARACTERS:
            raise EthosmithError(
                f"{KEY_VARIABLE}: {len(text)} characters, expected at least {_MIN_KEY_CHARACTERS};"
                " make a key with 'openssl rand -hex 32'"
            )
        return cls(text.encode("utf-8", "surrogateescape"))

    @property
    def has_key(self) -> bool:
        """Whether entries are signed."""
        return bool(self.key)

    def may_be_taken(self, targets: Sequence[PurePath]) -> bool:
        """Tell whether others who have this key, or none, would take these files from us."""
        return self.has_key or all(is_inert(target) for target in targets)

    def sign(self, step_key: str, body: bytes) -> list[bytes]:
        """Return the signature of a step's record, as a list of one word; none without a key."""
        # With the step's key: a record cannot be moved to another step.
        text = b"ethosmith build cache 1\n" + step_key.encode() + b"\n" + body
        return [hmac.new(self.key, text, hashlib.sha256).hexdigest().encode()] if self.key else []

    def is_signed(self, signature: bytes, step_key: str, body: bytes) -> bool:
        """Tell whether a record was signed with this key."""
        return any(
            hmac.compare_digest(signature, expected) for expected in self.sign(step_key, body)
        )


def is_inert(path: PurePath) -> bool:
    """Tell whether an output is only ever read as data."""
    return path.suffix in _INERT_SUFFIXES


def is_private(path: Path) -> bool:
    """Tell whether nobody else than this user, and root, can write to a file or folder."""
    try:
        state = path.lstat()
    except OSError:
        return False
    return state.st_uid in (os.geteuid(), 0) and not state.st_mode & _OTHERS_WRITE


def is_real_folder(path: Path) -> bool:
    """Tell whether a folder is there, and not a link to one."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def check_folder(root: Path) -> None:
    """Refuse a cache that anyone can write to, or can put another in the place of.

    Raises:
        EthosmithError: it is such a cache; says what to do.
    """
    for folder in (root, *root.parents):
        try:
            mode = folder.stat().st_mode
        except OSError:
            continue
        # In a sticky folder such as /tmp, nobody renames what is somebody else's.
        open_to_all = mode & stat.S_IWOTH and (folder == root or not mode & stat.S_ISVTX)
        if open_to_all:
            raise EthosmithError(
                f"build cache {root}: anyone can write to {folder}, and so run programs as you;"
                f" 'chmod o-w {folder}', or give another cache= or cache=none"
            )


def trust_line(root: Path, trust: Trust) -> str:
    """Return what ``scons cache`` says of who is trusted; nothing of a cache of this user alone."""
    if is_private(root) or not root.exists():
        return ""
    if trust.has_key:
        return f"  others can write to it: entries signed with {KEY_VARIABLE} are taken\n"
    return f"  others can write to it, and {KEY_VARIABLE} is not set: data is taken, code is not\n"


def make_private(root: Path) -> None:
    """Take the group's right to write from the user's own cache, as an open umask gave it.

    A folder with the set-group-ID bit was made to be shared, and stays as it is.
    """
    with suppress(OSError):
        state = root.lstat()
        if state.st_uid != os.geteuid() or state.st_mode & stat.S_ISGID:
            return
        if state.st_mode & _OTHERS_WRITE:
            for folder in (root, *root.glob("*/"), *root.glob("*/*/")):
                folder.chmod(stat.S_IMODE(folder.lstat().st_mode) & ~_OTHERS_WRITE)
