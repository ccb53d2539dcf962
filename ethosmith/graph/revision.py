# SPDX-License-Identifier: Apache-2.0
"""Which commit of a git repository a project is at."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

COMMIT_COMMAND = ("git", "rev-parse", "--verify", "--quiet", "HEAD")
_TIMEOUT_S = 10


@cache
def commit_of(root: Path) -> str | None:
    """Return the commit that is checked out in ``root``; None: git does not know the folder."""
    try:
        result = subprocess.run(
            COMMIT_COMMAND,
            cwd=root,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip() or None
