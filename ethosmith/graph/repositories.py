# SPDX-License-Identifier: Apache-2.0
"""Where the files of each git repository are for this build: a verified checkout, or a folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from ethosmith.core.bounded_run import run_within
from ethosmith.core.errors import EthosmithError, did_you_mean
from ethosmith.core.files import UNFINISHED_PREFIX
from ethosmith.descriptors.library import Library
from ethosmith.descriptors.origin import Repository, masked_url, option_of
from ethosmith.environment.null_build import COMMIT_COMMAND
from ethosmith.graph.layout import NOTES
from ethosmith.graph.options import OPTIONS
from ethosmith.graph.project import Located, Project
from ethosmith.obtain.cache import Cache, fingerprint, stamps_of
from ethosmith.obtain.checkout import (
    Checkout,
    PatchFile,
    patched_tree,
    read_patch,
    repository_link,
    state_of_folder,
)
from ethosmith.obtain.contract import check_contract
from ethosmith.obtain.git_cache import GitCache

_SUFFIX = "_dir"
_PATCHED = "build/repositories/.patched"


class Repositories:
    """The repositories that a build can use.

    Args:
        project: holds their descriptors.
        folders: what the user gave in their place: a path for each ``NAME_dir``.
    """

    def __init__(self, project: Project, folders: Mapping[str, str]) -> None:
        self._project = project
        self._folders = folders
        self._found: dict[str, Checkout] = {}
        self.needed: dict[str, Located[Repository]] = {}
        self.missing: dict[str, Located[Repository]] = {}

    @cached_property
    def _cache(self) -> GitCache:
        # What proves the checkouts is kept by the project, not beside what it proves.
        return GitCache(Cache.for_user(), self._project.root / NOTES / "checkouts.json")

    def checkout(self, name: str) -> Checkout | None:
        """Return where the files of repository ``name`` are; None if they have to be fetched.

        What is asked for is noted in ``needed``, if no folder takes its place, and in ``missing``
        if it has to be fetched.

        Raises:
            EthosmithError: an unknown repository, a wrong folder, a damaged cache.
        """
        if name not in self._found:
            located = self._project.repository(name)
            if located.descriptor.option not in self._folders:
                self.needed[name] = located
            found = self._resolve(located)
            if found is None:
                self.missing[name] = located
                return None
            self._found[name] = found
        return self._found[name]

    def _resolve(self, located: Located[Repository]) -> Checkout | None:
        repository = located.descriptor
        given = self._folders.get(repository.option)
        if given is not None:
            return self._folder(repository, given)
        tree, patches = self._cache.tree(repository.commit), self._patches(located)
        if tree is None or patches is None:
            return None
        record: dict[str, Any] = {**_pin(repository), "commit": repository.commit}
        origin = f"commit {repository.commit}"
        if patches:
            tree = patched_tree(repository.commit, tree, patches, self._project.root / _PATCHED)
            record["patches"] = [{"file": one.label, "sha256": one.sha256} for one in patches]
            origin += "".join(f" with {one.sha256}" for one in patches)
        return self._linked(repository, tree, (origin, ""), record)

    def _patches(self, located: Located[Repository]) -> list[PatchFile] | None:
        """Return the patches of a repository; None if one has to be fetched."""
        found = []
        for one in located.descriptor.patches:
            if self.checkout(one.repository) is None:
                return None
            path = self._project.root / repository_link(one.repository) / one.file
            label = f"{located.path}: {one.repository}'s {one.file}"
            found.append(read_patch(label, path, one.sha256))
        return found

    def _folder(self, repository: Repository, given: str) -> Checkout:
        folder = self._project.root / Path(given).expanduser()
        try:
            folder = folder.resolve(strict=True)
            origin, state = f"folder {folder}", fingerprint(stamps_of(folder))
        except OSError as error:
            reason = (error.strerror or "cannot be read").lower()
            raise EthosmithError(f"{repository.option}={given}: no folder: {reason}") from None
        record = {**_pin(repository), "folder": given, **state_of_folder(folder)}
        return self._linked(repository, folder, (origin, state), record)

    def _linked(
        self,
        repository: Repository,
        folder: Path,
        identity: tuple[str, str],
        record: Mapping[str, Any],
    ) -> Checkout:
        check_contract(repository.name, identity[0], folder, repository.contract)
        link = repository_link(repository.name)
        _point(self._project.root / link, folder)
        return Checkout(repository.name, link, *identity, record)


def _pin(repository: Repository) -> dict[str, Any]:
    return {
        "name": repository.name,
        "title": repository.title,
        "git": masked_url(repository.git),
        "licence": repository.licence,
    }


def _point(link: Path, folder: Path) -> None:
    """Make ``link`` a symbolic link to ``folder``, in one step."""
    if link.is_symlink() and link.readlink() == folder:
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=UNFINISHED_PREFIX, dir=link.parent) as beside:
        new = Path(beside) / link.name
        new.symlink_to(folder, target_is_directory=True)
        new.replace(link)


def split_arguments(
    project: Project, arguments: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Split the command line's variables into ``NAME_dir`` of repositories, and all others.

    Raises:
        EthosmithError: ``NAME_dir`` of a repository that is not there.
    """
    folders = {key: value for key, value in arguments.items() if key.endswith(_SUFFIX)}
    if folders:
        known = {option_of(name) for name in project.repository_names}
        for key in folders:
            if key not in known:
                hint = did_you_mean(key, [*known, *(option.name for option in OPTIONS)])
                raise EthosmithError(f"unknown variable '{key}='{hint} (see scons -h)")
    rest = {key: value for key, value in arguments.items() if key not in folders}
    return {key: value for key, value in folders.items() if value}, rest


def check_include_dirs(project: Project, library: Located[Library]) -> None:
    """Check that the folders are there which a library lets its users include from.

    Raises:
        EthosmithError: one is missing: it is another repository, or another revision.
    """
    upstream = library.descriptor.upstream
    if upstream is None:
        return
    link = project.root / repository_link(upstream.repository)
    for folder in upstream.include_dirs:
        if not (link / folder).is_dir():
            raise EthosmithError(f"{library.path}: {link.resolve()}: there is no folder {folder}")


def fetch_first(missing: Mapping[str, Located[Repository]], words: str) -> EthosmithError:
    """Return the error of a build whose sources are not here yet.

    Args:
        missing: the repositories.
        words: of the command line, for the command to run.
    """
    names = ", ".join(sorted(missing))
    option = next(iter(sorted(missing.values(), key=lambda item: item.path))).descriptor.option
    command = " ".join(word for word in ("./scons deps", words) if word)
    return EthosmithError(
        f"the sources of {names} are not here, and a build fetches none: run '{command}', or give"
        f" {option}=FOLDER{'' if len(missing) == 1 else ' and so on'}"
    )


_GIT_LIMIT_S = 20


@cache
def commit_of(root: Path) -> str | None:
    """Return the commit that is checked out in ``root``; None: git does not know the folder.

    Variables such as GIT_DIR, which would name another repository, do not count.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = run_within(COMMIT_COMMAND, _GIT_LIMIT_S, folder=root, environment=environment)
    except EthosmithError:
        return None
    return done.stdout.decode("ascii", "replace").strip() or None
