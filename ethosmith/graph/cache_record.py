# SPDX-License-Identifier: Apache-2.0
"""The record of a step in a build cache: SHA-256, kind and size of each of its files, signed.

The first line holds the SHA-256 of all other lines, and the signature where there is one
(`ethosmith.graph.cache_trust`). Folder and server keep the same bytes.
"""

from __future__ import annotations

import hashlib
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ethosmith.core.files import sha256_of
from ethosmith.graph.cache_trust import Trust

_RUNNABLE, _PLAIN = "run", "file"
# No output of a step is larger.
MAX_FILE_BYTES = 4 << 30
_MAX_LINE_BYTES = 96
_MAX_HEAD_BYTES = 160
_LINE = re.compile(rb"([0-9a-f]{64}) (run|file) (0|[1-9][0-9]{0,15})\n")


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
