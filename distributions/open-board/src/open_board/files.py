# SPDX-License-Identifier: Apache-2.0
"""Read regular files of bounded size, and write a file whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from open_board.errors import BoardError

# Ethosmith's build removes files with this prefix that a killed process left.
_UNFINISHED_PREFIX = ".unfinished."
_MODE = 0o644
# Of a program, and of one file of data: more is a mistake, or meant to hurt.
MAX_IMAGE_BYTES = 256 << 20


@contextmanager
def open_regular(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file for reading; a FIFO does not block, and a device is not read.

    Raises:
        BoardError: It cannot be opened, is something else, or cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(errno.EINVAL, "not a regular file")
            yield file
    except ValueError:
        raise BoardError(f"{str(path)!r}: not a file name") from None
    except OSError as error:
        raise BoardError(f"cannot read {path}: {error.strerror}") from None


def size_of(path: Path, *, limit_bytes: int = MAX_IMAGE_BYTES) -> int:
    """Return the size of a file in bytes.

    Raises:
        BoardError: As `open_regular`, or it is larger than ``limit_bytes``.
    """
    with open_regular(path) as file:
        size_bytes = os.fstat(file.fileno()).st_size
    if size_bytes > limit_bytes:
        raise BoardError(f"{path}: {size_bytes:,} bytes, more than {limit_bytes:,}")
    return size_bytes


def read_bytes(path: Path, *, limit_bytes: int = MAX_IMAGE_BYTES) -> bytes:
    """Return the bytes of a file; errors as `size_of`."""
    size_bytes = size_of(path, limit_bytes=limit_bytes)
    with open_regular(path) as file:
        return file.read(size_bytes)


def check_output(path: Path) -> None:
    """Check that ``path`` is a regular file or nothing yet.

    Raises:
        BoardError: It is a device, a folder or the like, which writing would replace.
    """
    if path.exists() and not path.is_file():
        raise BoardError(f"{path}: not a regular file, so it is not replaced; name a file")


def write_bytes(path: Path, data: bytes) -> None:
    """Write ``data`` beside ``path``, then rename: no reader ever sees half a file.

    Raises:
        BoardError: See `check_output`.
    """
    check_output(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    prefix = f"{_UNFINISHED_PREFIX}{path.name}."
    handle, name = tempfile.mkstemp(prefix=prefix, suffix=path.suffix, dir=path.parent)
    os.close(handle)
    beside = Path(name)
    try:
        beside.write_bytes(data)
        beside.chmod(_MODE)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with Unix line ends as `write_bytes` does."""
    write_bytes(path, text.encode("utf-8"))
