# SPDX-License-Identifier: Apache-2.0
"""Keep a library's chatter, which bypasses Python's streams, off the terminal."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator

_MOST_BYTES = 4 << 20


@contextlib.contextmanager
def captured_output() -> Iterator[Callable[[], str]]:
    """Redirect file descriptors 1 and 2; yield a function that returns what was said so far."""
    with tempfile.TemporaryFile() as log, _redirected(log.fileno()):

        def said() -> str:
            sys.stdout.flush()
            sys.stderr.flush()
            return os.pread(log.fileno(), _MOST_BYTES, 0).decode("utf-8", "replace")

        yield said


@contextlib.contextmanager
def _redirected(target: int) -> Iterator[None]:
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    os.dup2(target, 1)
    os.dup2(target, 2)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for descriptor, original in enumerate(saved, start=1):
            os.dup2(original, descriptor)
            os.close(original)
