# SPDX-License-Identifier: Apache-2.0
"""Where the files of git repositories are; fetching several at once, and checking what is there."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.program import fail, run_step
from ethosmith.obtain.cache import Cache
from ethosmith.obtain.git_cache import GitCache
from ethosmith.obtain.git_client import GitClient
from ethosmith.obtain.git_fetch import GitFetcher, Wanted
from ethosmith.obtain.progress import fetch_progress_for

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


_AT_ONCE = 4


def main(argv: Sequence[str]) -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(prog="python -m ethosmith.obtain.repositories")
    parser.add_argument("--repositories-json", required=True, help="a list of descriptors")
    parser.add_argument("--cache-dir", type=Path, help="instead of the user's cache")
    parser.add_argument("--offline", action="store_true", help="only check what is in the cache")
    given = parser.parse_args(argv)
    wanted = [Wanted(**item) for item in json.loads(given.repositories_json)]
    cache = GitCache(Cache(given.cache_dir.absolute()) if given.cache_dir else Cache.for_user())
    problems = _offline(wanted, cache) if given.offline else _fetched(wanted, cache)
    for problem in problems[:-1]:
        fail(problem)
    if problems:
        raise EthosmithError(problems[-1])


def _fetched(wanted: Sequence[Wanted], cache: GitCache) -> list[str]:
    """Fetch all; return why some could not be fetched."""
    with fetch_progress_for() as progress, ThreadPoolExecutor(_AT_ONCE) as pool:
        fetcher = GitFetcher(GitClient.of_this_machine(), cache, progress)
        running = [pool.submit(fetcher.bring, one) for one in wanted]
        try:
            return [str(e) for e in (one.exception() for one in running) if _is_told(e)]
        except BaseException:
            pool.shutdown(cancel_futures=True, wait=False)
            raise


def _is_told(error: BaseException | None) -> bool:
    if error is not None and not isinstance(error, EthosmithError):
        raise error
    return error is not None


def _offline(wanted: Iterable[Wanted], cache: GitCache) -> list[str]:
    """Check what is in the cache; return what is not, or is damaged."""
    problems = []
    for one in wanted:
        try:
            if cache.tree(one.commit) is not None:
                sys.stderr.write(f"{one.label}: in the cache, verified\n")
                continue
        except EthosmithError as error:
            problems.append(str(error))
            continue
        problems.append(
            f"{one.label}: not in the cache, and offline=1 forbids fetching it; fetch it elsewhere"
            f" with './scons deps', and copy it to {cache.folder(one.commit)}"
        )
    return problems


if __name__ == "__main__":
    sys.exit(run_step(main))
