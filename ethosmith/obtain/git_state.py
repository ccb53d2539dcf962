# SPDX-License-Identifier: Apache-2.0
"""What git says of a folder that a user names: its commit, and whether it has been changed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

_TIME_LIMIT_S = 60


def state_of_folder(folder: Path) -> dict[str, Any]:
    """Return ``commit`` and ``dirty`` of the checkout ``folder``; nothing if it is none.

    A folder below a checkout, or one whose git cannot be asked, has no state.
    """
    git = shutil.which("git")
    if git is None or not (folder / ".git").exists():
        return {}
    commit = _ask(git, folder, "rev-parse", "--verify", "HEAD^{commit}")
    changes = _ask(git, folder, "status", "--porcelain", "--untracked-files=normal")
    if commit is None or changes is None:
        return {}
    return {"commit": commit.strip(), "dirty": bool(changes.strip())}


def _ask(git: str, folder: Path, *words: str) -> str | None:
    # The repository's own configuration may name programs for these.
    safe = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"]
    try:
        done = subprocess.run(
            [git, "-C", str(folder), *safe, *words],
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=_TIME_LIMIT_S,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"},
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None
