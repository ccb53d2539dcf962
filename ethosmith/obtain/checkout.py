# SPDX-License-Identifier: Apache-2.0
"""Where the files of a git repository are, and what git says of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ethosmith.core.errors import EthosmithError
from ethosmith.obtain.git_cache import differs
from ethosmith.obtain.git_client import GitClient, GitFailure

_LIMIT_S = 60
_LINKS = "build/repositories"


class Checkout(NamedTuple):
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

    A file with other bytes than the commit has counts as changed, also where a filter of the
    user's makes it so. A folder below a checkout, or one whose git cannot be asked, has no state.
    """
    if not (folder / ".git").exists():
        return {}
    try:
        client = GitClient.to_ask(folder)

        def ask(*words: str) -> bytes:
            place = f"--work-tree={folder}"
            return client.read(place, *words, folder=folder, limit_s=_LIMIT_S)

        commit = ask("rev-parse", "--verify", "HEAD^{commit}").decode("ascii").strip()
        listing = ask("ls-tree", "-r", "-z", "--full-tree", commit)
        others = ask("ls-files", "--others", "--exclude-standard", "-z")
        # Not `git status`, which starts the filters that the repository's configuration names.
        dirty = bool(others) or differs(folder, listing)
    except (GitFailure, EthosmithError, OSError, ValueError):
        return {}
    return {"commit": commit, "dirty": dirty}
