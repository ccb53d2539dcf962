# SPDX-License-Identifier: Apache-2.0
"""The members of zip and tar archives, with what is wrong about each; nothing they say is trusted.

An archive with a name that leads out of it, a member that is a link or a device, and sizes beyond
`ArchiveLimits` are refused.
"""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import IO, Protocol, cast

from ethosmith.core.errors import EthosmithError
from ethosmith.obtain.source import is_plain_relative

MEMORY_BYTES = 16 << 20
_TAR_MAGIC_OFFSET = 257
_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    gzip.BadGzipFile,
    EOFError,
    NotImplementedError,  # A compression method that this Python lacks.
    ValueError,  # A name that is not UTF-8, a number that is none.
    OverflowError,
    RecursionError,  # tarfile follows chained headers by calling itself.
)
# What bz2 (no number) and a seek to an offset that a broken header gave raise.
_DAMAGE_ERRNOS = {None, errno.EINVAL}


@dataclass(frozen=True)
class ArchiveLimits:
    """An archive that exceeds one of these is refused."""

    member_bytes: int = 1 << 30
    """Size of one extracted member."""
    stream_bytes: int = 8 << 30
    """What a compressed tar may unpack to while a member is looked for."""
    entries: int = 200_000
    depth: int = 4
    """How many archives may lie inside one another."""


@dataclass(frozen=True)
class Entry:
    """One thing in an archive; ``refusal`` says why it cannot be read, if so."""

    name: str
    size_bytes: int
    refusal: str = ""


class Archive(Protocol):
    """An open archive."""

    @property
    def label(self) -> str:
        """What messages call the archive."""

    @property
    def entries(self) -> Mapping[str, Entry]:
        """Everything in the archive by its plain name."""

    def open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """Open the member ``name``, which is a key of ``entries``, for reading."""


class _ZipArchive:
    def __init__(self, file: IO[bytes], label: str, limits: ArchiveLimits) -> None:
        self.label = label
        self._zip = zipfile.ZipFile(file)
        infos = self._zip.infolist()
        _check_count(label, len(infos), limits)
        self._infos = {_plain_name(label, info.orig_filename): info for info in infos}
        twice = _names_twice(label, [info.orig_filename for info in infos])
        self.entries = {
            name: Entry(name, info.file_size, _zip_refusal(info) or twice.get(name, ""))
            for name, info in self._infos.items()
        }

    def open(self, name: str) -> IO[bytes]:
        return self._zip.open(self._infos[name])


def _zip_refusal(info: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if info.is_dir() or kind == stat.S_IFDIR:
        return "it is a folder"
    if kind == stat.S_IFLNK:
        return "it is a link"
    if kind not in {0, stat.S_IFREG}:
        return "it is not a regular file"
    return "it is encrypted" if info.flag_bits & 1 else ""


class _TarArchive:
    def __init__(self, file: IO[bytes], label: str, limits: ArchiveLimits) -> None:
        self.label = label
        stream = _BoundedStream(_decompressed(file), label, limits.stream_bytes)
        self._tar = tarfile.TarFile(fileobj=cast(IO[bytes], stream))
        infos: list[tarfile.TarInfo] = []
        for info in self._tar:
            infos.append(info)
            _check_count(label, len(infos), limits)
        self._infos = {_plain_name(label, info.name): info for info in infos}
        twice = _names_twice(label, [info.name for info in infos])
        self.entries = {
            name: Entry(name, info.size, _tar_refusal(info) or twice.get(name, ""))
            for name, info in self._infos.items()
        }

    def open(self, name: str) -> IO[bytes]:
        file = self._tar.extractfile(self._infos[name])
        if file is None:
            raise EthosmithError(f"{self.label}: member '{name}' is not a regular file")
        return file


def _tar_refusal(info: tarfile.TarInfo) -> str:
    if info.isdir():
        return "it is a folder"
    if info.issym() or info.islnk():
        return "it is a link"
    return "" if info.isreg() and not info.issparse() else "it is not a regular file"


class _BoundedStream:
    """A readable, seekable stream that refuses to go beyond a number of bytes."""

    def __init__(self, stream: IO[bytes], label: str, max_bytes: int) -> None:
        self._stream = stream
        self._label = label
        self._max_bytes = max_bytes

    def read(self, size_bytes: int = -1) -> bytes:
        # tarfile reads headers in one go; none is this long unless it is meant to hurt.
        if not 0 <= size_bytes <= MEMORY_BYTES:
            raise self._error()
        self._check(self._stream.tell() + size_bytes)
        return self._stream.read(size_bytes)

    def seek(self, offset: int) -> int:
        self._check(offset)
        return self._stream.seek(offset)

    def tell(self) -> int:
        return self._stream.tell()

    def _check(self, offset: int) -> None:
        if offset > self._max_bytes + MEMORY_BYTES:
            raise self._error()

    def _error(self) -> EthosmithError:
        return EthosmithError(f"{self._label}: unpacks to more than {self._max_bytes} bytes")


def _decompressed(file: IO[bytes]) -> IO[bytes]:
    magic = file.read(6)
    file.seek(0)
    if magic.startswith(b"\x1f\x8b"):
        return cast(IO[bytes], gzip.open(file))
    if magic.startswith(b"BZh"):
        return bz2.open(file)
    return lzma.open(file) if magic.startswith(b"\xfd7zXZ\0") else file


def _check_count(label: str, count: int, limits: ArchiveLimits) -> None:
    if count > limits.entries:
        raise EthosmithError(f"{label}: more than {limits.entries} members")


def _plain_name(label: str, name: str) -> str:
    """Return ``name`` without a leading ``./`` and closing ``/``, if it is harmless."""
    plain = name.removeprefix("./").rstrip("/")
    if name.rstrip("/") == ".":
        return "."
    if not is_plain_relative(plain):
        raise EthosmithError(f"{label}: refused: it holds the unsafe name {name!r}")
    return plain


def _names_twice(label: str, names: list[str]) -> dict[str, str]:
    seen: set[str] = set()
    twice: dict[str, str] = {}
    for name in (_plain_name(label, name) for name in names):
        if name in seen:
            twice[name] = "it is in the archive twice"
        seen.add(name)
    return twice


def archive_of(file: IO[bytes], label: str, limits: ArchiveLimits) -> Archive:
    """Return the zip or tar that ``file`` holds; EthosmithError if it is neither, or unsafe."""
    magic = file.read(_TAR_MAGIC_OFFSET + 5)
    file.seek(0)
    if magic.startswith(b"PK"):
        return _ZipArchive(file, label, limits)
    compressed = magic.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0"))
    if compressed or magic[_TAR_MAGIC_OFFSET:] == b"ustar":
        return _TarArchive(file, label, limits)
    raise EthosmithError(f"{label}: neither a zip nor a tar archive, so it has no members")


@contextmanager
def damage_explained(label: str) -> Iterator[None]:
    """Say of which archive it is when the block finds it damaged."""
    try:
        yield
    except _DAMAGE as error:
        raise _damaged(label, error) from None
    except OSError as error:
        if error.errno not in _DAMAGE_ERRNOS:
            raise
        raise _damaged(label, error) from None


def _damaged(label: str, error: Exception) -> EthosmithError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return EthosmithError(f"{label}: the archive is damaged: {reason}")
