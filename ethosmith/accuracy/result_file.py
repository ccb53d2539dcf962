# SPDX-License-Identifier: Apache-2.0
"""NAME_accuracy.json: read what is said of the whole set, without the answers to each item."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import parsing, read_start

# The line behind which the answers are, one object for each item.
ANSWERS = ' "answers": ['
_MAX_HEAD_BYTES = 1 << 20


def read_result(path: Path) -> dict[str, Any]:
    """Return all of a result but its ``answers``: there may be hundreds of thousands.

    Raises:
        EthosmithError: it is no such file.
    """
    with parsing(path, "result of accuracy"):
        head, mark, _ = read_start(path, _MAX_HEAD_BYTES).partition(f"\n{ANSWERS}".encode())
        if not mark:
            raise EthosmithError(f"{path}: not a result of accuracy: it has no answers")
        found: dict[str, Any] = json.loads(head.rstrip().removesuffix(b",") + b"}")
    return found
