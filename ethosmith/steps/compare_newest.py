# SPDX-License-Identifier: Apache-2.0
"""Say what the newest revisions of git repositories would change of what this build counts on."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.program import tell_all
from ethosmith.steps.step import Step, step

if TYPE_CHECKING:
    from ethosmith.obtain.contract import Contract
    from ethosmith.obtain.git_fetch import GitFetcher, Wanted


@step(
    verb="NEWEST",
    packages=("packaging", "pydantic", "pydantic-core", "requests", "rich", "urllib3"),
    cacheable=False,
    owns_terminal=True,
)
class CompareNewest(Step):
    """Fetch what the default branches of git repositories are at, and check their contracts.

    The commits go into the user's cache. Nothing that is pinned changes.

    Attributes:
        repositories: name, git, commit, tag, descriptor and ``contract`` of each.
    """

    repositories: tuple[Mapping[str, Any], ...]

    def run(self) -> None:
        """Report one repository after another; one that cannot be had is told at the end.

        Raises:
            EthosmithError: a newest commit cannot be fetched.
        """
        from ethosmith.obtain.cache import Cache
        from ethosmith.obtain.git_cache import GitCache
        from ethosmith.obtain.git_client import GitClient
        from ethosmith.obtain.git_fetch import GitFetcher, Wanted
        from ethosmith.obtain.progress import fetch_progress_for

        problems = []
        cache = GitCache(Cache.for_user())
        with fetch_progress_for() as progress:
            fetcher = GitFetcher(GitClient.of_this_machine(), cache, progress)
            for item in self.repositories:
                wanted = Wanted.of(item)
                try:
                    sys.stdout.write(_report(fetcher, wanted, item.get("contract", {})))
                except EthosmithError as error:
                    problems.append(str(error))
        tell_all(problems)

    @property
    def title(self) -> str:
        """The names of all."""
        return ", ".join(str(item["name"]) for item in self.repositories)


def _report(fetcher: GitFetcher, wanted: Wanted, contract: Contract) -> str:
    """Return the lines about one repository."""
    from dataclasses import replace

    from ethosmith.obtain.contract import broken_terms
    from ethosmith.obtain.git_cache import SHOWN_DIGITS

    newest = replace(wanted, commit=fetcher.newest_commit(wanted), tag=None)
    if newest.commit == wanted.commit:
        return f"{wanted.label}: is the newest\n"
    fetcher.bring(newest)
    tree = fetcher.cache.tree(newest.commit)
    if tree is None:  # it has just been brought
        raise AssertionError(newest.label)
    head = f"{wanted.label}: the newest is {newest.commit[:SHOWN_DIGITS]}"
    broken = list(broken_terms(tree, contract))
    terms = sum(map(len, contract.values()))
    if not contract:
        return f"{head}; no contract is written down\n"
    if not broken:
        return f"{head}; all {terms} texts of the contract stand in it\n"
    lines = "".join(f"  {term}\n" for term in broken)
    return f"{head}; of {terms} texts of the contract it breaks\n{lines}"
