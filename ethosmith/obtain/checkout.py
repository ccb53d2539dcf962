# SPDX-License-Identifier: Apache-2.0
"""Where the files of a git repository are, and what git says of them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TIME_LIMIT_S = 60
_LINKS = "build/repositories"


@dataclass(frozen=True)
class Checkout:
    """The files of a repository, for this build.

    Attributes:
        name: the repository's.
        link: its place below build/, the same for a checkout and for a folder of the user's.
        origin: the commit or the folder that they are from.
        state: changes with the files of a folder; empty for a commit, whose files do not change.
        record: what the manifest says of them.
    """

    name: str
    link: str
    origin: str
    state: str
    record: Mapping[str, Any]


def repository_link(name: str) -> str:
    """Return the link to a git repository's files: its checkout, or the user's folder."""
    return f"{_LINKS}/{name}"


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
