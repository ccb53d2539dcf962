# SPDX-License-Identifier: Apache-2.0
"""Write a file whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_bytes(path: Path, data: bytes) -> None:
    """Write ``data`` beside ``path``, then rename: no reader ever sees half a file."""
    with writing_beside(path) as beside:
        beside.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with Unix line ends as `write_bytes` does."""
    write_bytes(path, text.encode("utf-8"))


@contextmanager
def writing_beside(path: Path) -> Iterator[Path]:
    """Yield a temporary path in ``path``'s folder and rename it to ``path`` on success.

    On an exception the temporary file is removed and ``path`` is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    beside = Path(name)
    try:
        yield beside
        beside.chmod(0o644)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
