# SPDX-License-Identifier: Apache-2.0
"""Read a file that is not trusted to be small; write numbers as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ethosmith.errors import EthosmithError
from ethosmith.files import write_text


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


def write_json(path: Path, data: Any) -> None:
    """Write ``data`` as JSON, keys in their given order."""
    write_text(path, json.dumps(data, indent=2) + "\n")
