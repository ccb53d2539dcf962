# SPDX-License-Identifier: Apache-2.0
"""Write a step's output beside its place and rename it, so that no half file is ever seen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from ethosmith.errors import EthosmithError


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the place of ``path`` when the block ends without an error."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as stream:
            yield stream
        partial.replace(path)
    except OSError as error:
        raise EthosmithError(f"{path}: cannot be written: {error.strerror}") from None
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8, line ends as they stand in it."""
    with replacing(path) as stream:
        stream.write(text.encode("utf-8"))


def write_json(path: Path, data: Any) -> None:
    """Write ``data`` as JSON in its own key order, one key a line."""
    write_text(path, json.dumps(data, indent=2) + "\n")


def read_bytes(path: Path, *, limit_bytes: int) -> bytes:
    """Return the file's bytes.

    Raises:
        EthosmithError: it cannot be read, or is larger than any such file can be.
    """
    try:
        size_bytes = path.stat().st_size
        if size_bytes > limit_bytes:
            raise EthosmithError(f"{path}: {size_bytes:,} bytes, more than {limit_bytes:,}")
        return path.read_bytes()
    except OSError as error:
        raise EthosmithError(f"{path}: cannot be read: {error.strerror}") from None
