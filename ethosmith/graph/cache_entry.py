# SPDX-License-Identifier: Apache-2.0
"""An entry of a build cache: its record, and whether it may be taken.

That depends on who else can write to the cache:

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
import re
import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import sha256_of

KEY_VARIABLE = "ETHOSMITH_BUILD_CACHE_KEY"
_MIN_KEY_CHARACTERS = 32
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
# All that may come from somebody else unsigned. What is not here is taken for code.
_INERT_SUFFIXES = frozenset((".csv", ".f32", ".json", ".npy", ".npz", ".tflite", ".txt", ".wav"))
_RUNNABLE, _PLAIN = "run", "file"
# No output of a step is larger.
MAX_FILE_BYTES = 4 << 30
_MAX_LINE_BYTES = 96
_MAX_HEAD_BYTES = 160
_LINE = re.compile(rb"([0-9a-f]{64}) (run|file) (0|[1-9][0-9]{0,15})\n")


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


class DamagedEntry(Exception):  # noqa: N818 it is no error of a user
    """What the cache holds is not what was put into it."""


class NotKept(Exception):  # noqa: N818 as `DamagedEntry`
    """The step, or what belongs to it, is not in the cache."""


@dataclass(frozen=True)
class KeptFile:
    """One file of a step."""

    sha256: str
    mode: int
    size_bytes: int

    @classmethod
    def of(cls, path: Path) -> KeptFile:
        """Return what a record says of the file ``path``."""
        runnable = path.stat().st_mode & stat.S_IXUSR
        return cls(sha256_of(path), 0o755 if runnable else 0o644, path.stat().st_size)

    @property
    def line(self) -> str:
        """Its line of the record."""
        kind = _RUNNABLE if self.mode & stat.S_IXUSR else _PLAIN
        return f"{self.sha256} {kind} {self.size_bytes}\n"


@dataclass(frozen=True)
class Record:
    """What one step made.

    Attributes:
        files: in the order of the step's outputs.
        signature: over them and the step's key; empty: there is none.
    """

    files: tuple[KeptFile, ...]
    signature: bytes = b""

    @classmethod
    def signed(cls, files: Sequence[KeptFile], key: str, trust: Trust) -> Record:
        """Return the record of the step ``key``, signed if there is a key to sign with."""
        record = cls(tuple(files))
        return cls(record.files, b"".join(trust.sign(key, record.body)))

    @classmethod
    def parse(cls, name: str, text: bytes, count: int) -> Record:
        """Return the record of ``count`` files that ``text`` is.

        Args:
            name: of the record, for messages.
            text: at most `limit_bytes` of it, and one more if there is more.
            count: how many files the step has.

        Raises:
            DamagedEntry: it is not of this form, or its checksum is wrong.
        """
        head, newline, body = text.partition(b"\n")
        words = head.split(b" ")
        checksum = hashlib.sha256(body).hexdigest().encode()
        if len(text) > cls.limit_bytes(count) or not newline or words[0] != checksum:
            raise DamagedEntry(f"{name} is not as it was written")
        lines = [_LINE.fullmatch(line) for line in body.splitlines(keepends=True)]
        # A checksum is soon made for any text.
        files = tuple(
            KeptFile(
                line[1].decode(),
                0o755 if line[2].decode() == _RUNNABLE else 0o644,
                int(line[3]),
            )
            for line in lines
            if line is not None
        )
        too_large = any(file.size_bytes > MAX_FILE_BYTES for file in files)
        if not len(files) == len(lines) == count or too_large:
            raise DamagedEntry(f"{name} is not a record of {count} files")
        return cls(files, words[1] if len(words) > 1 else b"")

    @staticmethod
    def limit_bytes(count: int) -> int:
        """Return how long the record of ``count`` files can be."""
        return _MAX_HEAD_BYTES + count * _MAX_LINE_BYTES

    @property
    def body(self) -> bytes:
        """The lines of its files."""
        return "".join(file.line for file in self.files).encode()

    @property
    def text(self) -> bytes:
        """What is kept."""
        checksum = hashlib.sha256(self.body).hexdigest().encode()
        return (
            b" ".join([checksum, *([self.signature] if self.signature else [])]) + b"\n" + self.body
        )

    def is_signed(self, key: str, trust: Trust) -> bool:
        """Tell whether it was signed for the step ``key`` with the key of ``trust``."""
        return trust.is_signed(self.signature, key, self.body)
