# SPDX-License-Identifier: Apache-2.0
"""Read a regular file of bounded size."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ethosu_model.errors import ModelError

MAX_FILE_BYTES = 64 << 20


def read_bytes(path: Path, *, limit_bytes: int = MAX_FILE_BYTES) -> bytes:
    """Return the bytes of a file.

    Raises:
        ModelError: It cannot be read, is larger than ``limit_bytes``, or is not a regular file.
    """
    try:
        # A FIFO is not waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            state = os.fstat(descriptor)
            if not stat.S_ISREG(state.st_mode):
                raise ModelError(f"{path}: not a regular file")
            if state.st_size > limit_bytes:
                raise ModelError(f"{path}: {state.st_size:,} bytes, more than {limit_bytes:,}")
            return file.read(state.st_size)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from None
