# SPDX-License-Identifier: Apache-2.0
"""Write a file whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Begins the names of files and folders that somebody is writing, or that a killed process left.
UNFINISHED_PREFIX = ".unfinished."


def write_bytes(path: Path, data: bytes) -> None:
    """Write ``data`` beside ``path``, then rename: no reader ever sees half a file."""
    with writing_beside(path) as beside:
        beside.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with Unix line ends as `write_bytes` does."""
    write_bytes(path, text.encode("utf-8"))


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
