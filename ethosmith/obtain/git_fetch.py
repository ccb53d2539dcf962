# SPDX-License-Identifier: Apache-2.0
"""Bring one commit of a git repository into the cache: whole and verified, or not at all."""

from __future__ import annotations

import posixpath
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import write_bytes
from ethosmith.descriptors.origin import masked_text, masked_url
from ethosmith.obtain.cache import stamps_of
from ethosmith.obtain.git_cache import (
    LINK,
    SHOWN_DIGITS,
    SUBMODULE,
    GitCache,
    ListedFile,
    make_read_only,
    parse_listing,
)
from ethosmith.obtain.git_client import GitClient, GitFailure
from ethosmith.obtain.http_client import Retries, TransientError
from ethosmith.obtain.progress import FetchProgress
from ethosmith.obtain.source import is_plain_relative

_EXECUTABLE = "100755"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_ResultT = TypeVar("_ResultT")
# What git and curl say when a server is out of reach, for now or for good.
_UNREACHABLE = re.compile(
    r"(Could not resolve (?:host|proxy)[^\n]*|Failed to connect[^\n]*|Could not connect[^\n]*"
    r"|Connection (?:timed out|refused|reset)[^\n]*|Operation timed out[^\n]*"
    r"|Operation too slow[^\n]*|early EOF|Recv failure[^\n]*|unexpected disconnect[^\n]*"
    r"|The requested URL returned error: (?:5\d\d|429)|gnutls_handshake\(\) failed[^\n]*)"
)
_NO_SINGLE_COMMIT = re.compile(r"unadvertised object")
_NO_COMMIT = re.compile(r"not our ref|couldn't find remote ref|bad object|bad file")
_NO_REPOSITORY = re.compile(
    r"not found|does not (?:appear to be|exist)|could not read Username|Authentication failed"
    r"|terminal prompts disabled|returned error: 40\d"
)


@dataclass(frozen=True)
class Wanted:
    """A repository of repositories/.

    Attributes:
        name: its name.
        git: its address.
        commit: what is pinned.
        tag: its name upstream, if one is stated.
        descriptor: its file, for messages.
    """

    name: str
    git: str
    commit: str
    tag: str | None
    descriptor: str

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> Wanted:
        """Return the repository that a step is given, with or without its ``contract``."""
        return cls(**{one.name: item[one.name] for one in fields(cls)})

    @property
    def label(self) -> str:
        """The name and the commit, for people."""
        return f"{self.name} {self.commit[:SHOWN_DIGITS]}"


@dataclass(frozen=True)
class GitFetcher:
    """Fetches commits into a cache."""

    client: GitClient
    cache: GitCache
    progress: FetchProgress
    retries: Retries = field(default_factory=Retries)

    def bring(self, wanted: Wanted) -> None:
        """Fetch a commit that is not in the cache; if a tag is stated, ask whether it has moved.

        Raises:
            EthosmithError: it cannot be had, or is not what is pinned.
        """
        with self.cache.cache.locked(
            f"git-{wanted.commit}", on_wait=lambda: self.progress.note(_waiting(wanted))
        ):
            here = self.cache.tree(wanted.commit) is not None
            self._check_tag(wanted, is_needed=not here)
            if here:
                self.progress.ended(wanted.name, f"{wanted.label}: in the cache")
                return
            try:
                self._fetch(wanted)
            except GitFailure as failure:
                raise explained(wanted, failure.text) from None

    def newest_commit(self, wanted: Wanted) -> str:
        """Ask the server for the commit that its default branch is at.

        Raises:
            EthosmithError: the server cannot be reached, or has no such branch.
        """
        words = ("ls-remote", "--quiet", "--", wanted.git, "HEAD")
        listed = self._retried(wanted, lambda: self.client.read(*words))
        found = listed.decode("ascii", "replace").split()
        if len(found) != 2 or not _COMMIT.fullmatch(found[0]):
            raise EthosmithError(f"{wanted.descriptor}: {masked_url(wanted.git)} names no HEAD")
        return found[0]

    def _check_tag(self, wanted: Wanted, *, is_needed: bool) -> None:
        if wanted.tag is None:
            return
        ref = f"refs/tags/{wanted.tag}"
        words = ("ls-remote", "--quiet", "--", wanted.git, ref, f"{ref}^{{}}")
        try:
            listed = self._retried(wanted, lambda: self.client.read(*words))
        except EthosmithError as error:
            if is_needed:
                raise
            self.progress.note(f"{wanted.label}: the tag {wanted.tag} was not checked: {error}")
            return
        # An annotated tag is listed twice; the second line is the commit.
        lines = listed.decode("ascii", "replace").split()
        found = lines[-2] if lines else ""
        if found != wanted.commit:
            raise EthosmithError(_moved(wanted, found))

    def _fetch(self, wanted: Wanted) -> None:
        partial = self.cache.cache.root / "partial"
        # What a killed fetch left is of no use: git cannot go on where it stopped.
        for rest in partial.glob(f"git-{wanted.commit}.*/"):
            shutil.rmtree(rest, ignore_errors=True)
        self.progress.started(wanted.name, f"{wanted.label} from {masked_url(wanted.git)}")
        with tempfile.TemporaryDirectory(prefix=f"git-{wanted.commit}.", dir=partial) as place:
            repository, new = Path(place) / "repository", Path(place) / "new"
            self.client.read("init", "--quiet", "--bare", "--template=", "--", str(repository))
            self._retried(wanted, lambda: self._transfer(wanted, repository))
            files = self._write(wanted, repository, new)
            self.cache.check(new, wanted.commit)
            self._adopt(wanted, new)
        size_bytes = sum(stamp[0] for stamp in stamps_of(self.cache.folder(wanted.commit)).values())
        self.progress.ended(
            wanted.name, f"{wanted.label}: {files} files, {size_bytes / 1e6:.1f} MB, verified"
        )

    def _transfer(self, wanted: Wanted, repository: Path) -> None:
        def transfer(*words: str) -> None:
            self.client.run(
                *("fetch", "--progress", "--no-tags", *words),
                folder=repository,
                on_percent=lambda percent: self.progress.advanced(wanted.name, percent),
            )

        try:
            transfer("--depth=1", "--", wanted.git, wanted.commit)
        except GitFailure as failure:
            if not _NO_SINGLE_COMMIT.search(failure.text):
                raise
            # An old server gives branches and tags only.
            transfer("--", wanted.git, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")

    def _retried(self, wanted: Wanted, attempt: Callable[[], _ResultT]) -> _ResultT:
        """Call ``attempt``, again if the server was out of reach."""

        def once() -> _ResultT:
            try:
                return attempt()
            except GitFailure as failure:
                cause = _UNREACHABLE.search(failure.text)
                if cause is None:
                    raise explained(wanted, failure.text) from None
                host = urlsplit(wanted.git).hostname or wanted.git
                raise TransientError(
                    f"{wanted.descriptor}: cannot reach {host}: {cause[0].strip()}"
                ) from None

        return self.retries.run(once, self.progress.note)

    def _write(self, wanted: Wanted, repository: Path, new: Path) -> int:
        """Write the files of the commit as they were committed: no filter, no line ends changed."""
        tree = new / "tree"
        tree.mkdir(parents=True)
        commit = self.client.read("cat-file", "commit", wanted.commit, folder=repository)
        listing = self.client.read(
            "ls-tree", "-r", "-z", "--full-tree", wanted.commit, folder=repository
        )
        write_bytes(new / "commit", commit)
        write_bytes(new / "listing", listing)
        files = [file for file in parse_listing(listing) if file.mode != SUBMODULE]
        with self.client.blobs(repository) as blob:
            for file in files:
                _check_path(wanted, file)
                _write_file(wanted, tree, file, blob(file.object_name))
        return len(files)

    def _adopt(self, wanted: Wanted, new: Path) -> None:
        make_read_only(new / "tree")
        place = self.cache.folder(wanted.commit)
        place.parent.mkdir(parents=True, exist_ok=True)
        new.rename(place)


def _check_path(wanted: Wanted, file: ListedFile) -> None:
    parts = file.path.lower().split("/")
    if not is_plain_relative(file.path) or ".git" in parts:
        raise EthosmithError(
            f"{wanted.descriptor}: refused: it holds the unsafe name {file.path!r}"
        )


def _write_file(wanted: Wanted, tree: Path, file: ListedFile, data: bytes) -> None:
    path = tree / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    if any(folder.is_symlink() for folder in path.relative_to(tree).parents):
        raise EthosmithError(f"{wanted.descriptor}: refused: {file.path} is behind a link")
    if file.mode != LINK:
        path.write_bytes(data)
        path.chmod(0o755 if file.mode == _EXECUTABLE else 0o644)
        return
    target = data.decode("utf-8", "surrogateescape")
    inside = posixpath.normpath(posixpath.join(posixpath.dirname(file.path), target))
    if target.startswith("/") or inside.split("/")[0] == "..":
        raise EthosmithError(
            f"{wanted.descriptor}: refused: the link {file.path} points outside it"
        )
    path.symlink_to(target)


def explained(wanted: Wanted, text: str) -> EthosmithError:
    """Return what git's ``text`` means for the user."""
    git = masked_url(wanted.git)
    if _NO_COMMIT.search(text):
        return EthosmithError(
            f"{wanted.descriptor}: {git} has no commit {wanted.commit}; see 'commit'"
        )
    if _NO_REPOSITORY.search(text):
        return EthosmithError(f"{wanted.descriptor}: {git} is not a public repository")
    lines = [line for line in text.splitlines() if line.strip()]
    said = next((line for line in lines if line.startswith(("fatal:", "error:"))), "no reason")
    return EthosmithError(f"{wanted.descriptor}: {git}: git said: {masked_text(said.strip())}")


def _moved(wanted: Wanted, found: str) -> str:
    where = f"at {found} now" if found else "gone"
    return (
        f"{wanted.descriptor}: the tag {wanted.tag} of {masked_url(wanted.git)} is {where}, not"
        f" at the pinned {wanted.commit}; find out why, then pin the commit that you want"
    )


def _waiting(wanted: Wanted) -> str:
    return f"{wanted.label}: waiting for another build that fetches it"
