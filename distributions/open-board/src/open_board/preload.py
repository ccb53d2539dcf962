# SPDX-License-Identifier: Apache-2.0
"""Load slow modules in the background while QEMU starts."""

from __future__ import annotations

import contextlib
import importlib
import sys
import threading
from collections.abc import Sequence


def preload(modules: Sequence[str]) -> None:
    """Begin to import ``modules``; who imports one later waits for it or finds it loaded."""
    missing = [module for module in modules if module not in sys.modules]
    if missing:
        threading.Thread(target=_import_all, args=(missing,)).start()


def _import_all(modules: Sequence[str]) -> None:
    for module in modules:
        with contextlib.suppress(ImportError):  # raised again where the module is needed
            importlib.import_module(module)
