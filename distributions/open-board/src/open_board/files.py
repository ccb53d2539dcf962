# SPDX-License-Identifier: Apache-2.0
"""Write a file whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from open_board.errors import BoardError

# Ethosmith's build removes files with this prefix that a killed process left.
_UNFINISHED_PREFIX = ".unfinished."
_MODE = 0o644


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
