# SPDX-License-Identifier: Apache-2.0
"""Fetch git repositories into the cache, several at once, and check those that are there."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.program import tell_all
from ethosmith.steps.step import Step, Unsigned, step

if TYPE_CHECKING:
    from ethosmith.obtain.contract import Contract
    from ethosmith.obtain.git_cache import GitCache
    from ethosmith.obtain.git_fetch import Wanted

_AT_ONCE = 4


@step(
    verb="FETCH",
    packages=("packaging", "pydantic", "pydantic-core", "requests", "rich", "urllib3"),
    cacheable=False,
    owns_terminal=True,
)
class FetchRepositories(Step):
    """Bring commits of git repositories into the user's cache, each verified.

    Attributes:
        repositories: name, git, commit, tag and descriptor of each, and its ``contract``: texts
            that stand in its files.
        offline: only check what is in the cache.
    """

    repositories: tuple[Mapping[str, Any], ...]
    offline: Unsigned[bool] = False

    def run(self) -> None:
        """Fetch what is missing; go on with the others where one fails, and then tell all.

        Raises:
            EthosmithError: a repository could not be fetched, is damaged, or is not there.
        """
        from ethosmith.obtain.cache import Cache
        from ethosmith.obtain.git_cache import GitCache
        from ethosmith.obtain.git_fetch import Wanted

        contracts = [item.get("contract", {}) for item in self.repositories]
        wanted = [Wanted.of(item) for item in self.repositories]
        cache = GitCache(Cache.for_user())
        problems = _offline(wanted, cache) if self.offline else _fetched(wanted, cache)
        problems += [one for one in _broken(wanted, contracts, cache) if one not in problems]
        tell_all(problems)

    @property
    def title(self) -> str:
        """The names of all."""
        return ", ".join(str(item["name"]) for item in self.repositories)


def _fetched(wanted: Sequence[Wanted], cache: GitCache) -> list[str]:
    """Fetch all; return why some could not be fetched."""
    from concurrent.futures import ThreadPoolExecutor

    from ethosmith.obtain.git_client import GitClient
    from ethosmith.obtain.git_fetch import GitFetcher
    from ethosmith.obtain.progress import fetch_progress_for

    with fetch_progress_for() as progress, ThreadPoolExecutor(_AT_ONCE) as pool:
        fetcher = GitFetcher(GitClient.of_this_machine(), cache, progress)
        running = [pool.submit(fetcher.bring, one) for one in wanted]
        try:
            return [str(e) for e in (one.exception() for one in running) if _is_told(e)]
        except BaseException:
            pool.shutdown(cancel_futures=True, wait=False)
            raise


def _broken(
    wanted: Iterable[Wanted], contracts: Iterable[Contract], cache: GitCache
) -> Iterator[str]:
    """Yield what of those that are there is not as this build needs it."""
    from ethosmith.obtain.contract import check_contract

    for one, contract in zip(wanted, contracts, strict=True):
        try:
            tree = cache.tree(one.commit)
            if tree is not None:
                check_contract(one.name, f"commit {one.commit}", tree, contract)
        except EthosmithError as error:
            yield str(error)


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
