# SPDX-License-Identifier: Apache-2.0
"""NAME_accuracy.json: read what is said of the whole set, without the answers to each item."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import parsing

# The line behind which the answers are, one object for each item.
ANSWERS = ' "answers": ['
_MAX_HEAD_BYTES = 1 << 20


def read_result(path: Path) -> dict[str, Any]:
    """Return all of a result but its ``answers``: there may be hundreds of thousands.

    Raises:
        EthosmithError: it is no such file.
    """
    lines = []
    with parsing(path, "result of accuracy"), path.open(encoding="utf-8") as file:
        left = _MAX_HEAD_BYTES
        while left > 0 and (line := file.readline(left)).rstrip("\n") != ANSWERS:
            if not line:
                raise EthosmithError(f"{path}: not a result of accuracy: it ends early")
            lines.append(line)
            left -= len(line)
        found: dict[str, Any] = json.loads("".join(lines).rstrip().removesuffix(",") + "}")
    return found
