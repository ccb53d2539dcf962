# SPDX-License-Identifier: Apache-2.0
"""Read files of bounded size, hash them, and write them whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError

# Begins the names of files and folders that somebody is writing, or that a killed process left.
UNFINISHED_PREFIX = ".unfinished."


def read_bytes(path: Path, *, limit_bytes: int) -> bytes:
    """Return the bytes of a file that is not trusted to be small.

    Raises:
        EthosmithError: it cannot be read, is larger than ``limit_bytes``, or has no size.
    """
    try:
        with path.open("rb") as file:
            size_bytes = os.fstat(file.fileno()).st_size
            if size_bytes > limit_bytes:
                raise EthosmithError(f"{path}: {size_bytes:,} bytes, more than {limit_bytes:,}")
            data = file.read(size_bytes + 1)
    except OSError as error:
        raise EthosmithError(f"{path}: cannot be read: {error.strerror}") from None
    if len(data) > size_bytes:
        raise EthosmithError(f"{path}: not a regular file, or it is being written")
    return data


def sha256_of(path: Path) -> str:
    """Return the file's SHA-256 as 64 lower-case hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_bytes(path: Path, data: bytes) -> None:
    """Write ``data`` beside ``path``, then rename: no reader ever sees half a file."""
    with writing_beside(path) as beside:
        beside.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with Unix line ends as `write_bytes` does."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, data: Any) -> None:
    """Write ``data`` as indented JSON, keys in their given order."""
    write_text(path, json.dumps(data, indent=2) + "\n")


def update_text(path: Path, text: str) -> None:
    """Write ``text`` as `write_text` does, and leave a file alone that has it already."""
    try:
        if path.read_bytes() == text.encode("utf-8"):
            return
    except FileNotFoundError:
        pass
    write_text(path, text)


@contextmanager
def writing_beside(path: Path, mode: int = 0o644) -> Iterator[Path]:
    """Yield a temporary path in ``path``'s folder and rename it to ``path`` on success.

    On an exception the temporary file is removed and ``path`` is as it was. ``mode`` is the
    permissions of the file, whatever the umask.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    prefix = f"{UNFINISHED_PREFIX}{path.name}."
    handle, name = tempfile.mkstemp(prefix=prefix, suffix=path.suffix, dir=path.parent)
    os.close(handle)
    beside = Path(name)
    try:
        yield beside
        beside.chmod(mode)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def unfinished_below(folder: Path) -> Iterator[Path]:
    """Yield the files and folders below ``folder`` that were never finished.

    It looks at names alone, so that it costs little in a large folder.
    """
    for place, folders, files in os.walk(folder):
        found = [name for name in (*folders, *files) if name.startswith(UNFINISHED_PREFIX)]
        yield from (Path(place, name) for name in found)
        folders[:] = [name for name in folders if not name.startswith(UNFINISHED_PREFIX)]
