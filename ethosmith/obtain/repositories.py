# SPDX-License-Identifier: Apache-2.0
"""Fetch git repositories into the cache, several at once, and check those that are there."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.program import fail, run_step
from ethosmith.obtain.cache import Cache
from ethosmith.obtain.git_cache import GitCache
from ethosmith.obtain.git_client import GitClient
from ethosmith.obtain.git_fetch import GitFetcher, Wanted
from ethosmith.obtain.git_progress import fetch_progress_for

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
