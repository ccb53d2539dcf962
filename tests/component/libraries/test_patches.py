# SPDX-License-Identifier: Apache-2.0
"""A repository with patches is a copy of the commit's files; everything wrong ends in one line."""

from __future__ import annotations

import hashlib
from io import StringIO
from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.graph.project import Project
from ethosmith.graph.repositories import Repositories
from ethosmith.obtain.cache import Cache
from ethosmith.obtain.git_cache import GitCache
from ethosmith.obtain.git_client import GitClient
from ethosmith.obtain.git_fetch import GitFetcher, Wanted
from ethosmith.obtain.http_client import Retries
from ethosmith.obtain.progress import FetchLines
from tests.support.needs import program
from tests.support.upstream import commit_all, git, write_tree

_ENDS = "one\r\ntwo\nthree\n"


class _Site:
    """A project, itself in a git repository, with two upstreams of which one holds a patch."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        program("git")
        monkeypatch.setenv("ETHOSMITH_CACHE", str(root / "cache"))
        self.sources, self.patcher = root / "sources", root / "patcher"
        write_tree(self.sources, {"a/fft.h": _ENDS, "b.c": "int b;\n"})
        self.pinned = commit_all(self.sources)
        write_tree(self.sources, {"a/fft.h": _ENDS.replace("two", "patched")})
        self.patch = git_text(self.sources, "diff", self.pinned)
        git(self.sources, "checkout", "-q", "--", ".")
        self.root = root / "project"
        write_tree(self.root, {"README": "of a project\n"})
        commit_all(self.root)
        self.describe(self.patch)
        monkeypatch.chdir(self.root)

    def describe(self, patch: bytes, sha256: str | None = None) -> None:
        (self.patcher / "third_party").mkdir(parents=True, exist_ok=True)
        (self.patcher / "third_party/fft.patch").write_bytes(patch)
        holder = commit_all(self.patcher)
        proof = f"    sha256: {sha256}\n" if sha256 else ""
        self._write("holder", self.patcher, holder, "")
        self._write(
            "fft",
            self.sources,
            self.pinned,
            "contract:\n  a/fft.h: [patched]\npatches:\n  - repository: holder\n"
            f"    file: third_party/fft.patch\n{proof}",
        )

    def _write(self, name: str, upstream: Path, commit: str, rest: str) -> None:
        text = f"schema: 1\nname: {name}\ntitle: {name}\nlicence: MIT\n"
        text += f"git: {upstream.as_uri()}\ncommit: {commit}\n{rest}"
        write_tree(self.root, {f"repositories/{name}.yaml": text})

    def fetch(self, name: str) -> None:
        one = Project(self.root).repository(name).descriptor
        cache = GitCache(Cache.for_user())
        fetcher = GitFetcher(
            GitClient.of_this_machine(), cache, FetchLines(StringIO()), Retries(())
        )
        fetcher.bring(Wanted(name, one.git, one.commit, None, name))

    def repositories(self, **folders: str) -> Repositories:
        return Repositories(Project(self.root), folders)


def git_text(folder: Path, *words: str) -> bytes:
    return GitClient.of_this_machine().read(*words, folder=folder)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> _Site:
    return _Site(tmp_path, monkeypatch)


def test_the_files_are_patched_and_the_cache_is_not(site: _Site) -> None:
    site.fetch("fft")
    before = site.repositories()
    assert before.checkout("fft") is None
    assert set(before.missing) == {"fft", "holder"}
    site.fetch("holder")
    found = site.repositories().checkout("fft")
    assert found is not None
    header = site.root / found.link / "a/fft.h"
    assert header.read_bytes() == _ENDS.replace("two", "patched").encode()
    sha256 = hashlib.sha256(site.patch).hexdigest()
    assert found.origin == f"commit {site.pinned} with {sha256}"
    assert found.record["patches"][0]["sha256"] == sha256
    cached = GitCache(Cache.for_user()).tree(site.pinned)
    assert cached is not None
    assert (cached / "a/fft.h").read_bytes() == _ENDS.encode()
    # What somebody has changed is made anew; what is whole stays as it is.
    before_ns = header.stat().st_mtime_ns
    site.repositories().checkout("fft")
    assert header.stat().st_mtime_ns == before_ns
    header.write_text("edited\n")
    site.repositories().checkout("fft")
    assert "patched" in header.read_text()


def test_a_folder_takes_the_place_of_files_and_patches(site: _Site, tmp_path: Path) -> None:
    write_tree(tmp_path / "mine", {"a/fft.h": "patched by hand\n"})
    found = site.repositories(fft_dir=str(tmp_path / "mine")).checkout("fft")
    assert found is not None
    assert (site.root / found.link / "a/fft.h").read_text() == "patched by hand\n"


@pytest.mark.parametrize(
    ("wrong", "sha256", "message"),
    [
        (b"two", None, r"fft\.yaml: holder's third_party/fft\.patch: does not apply: "),
        (None, "0" * 64, r"holder's third_party/fft\.patch: SHA-256 is \w{64}, expected 0{64}$"),
    ],
)
def test_a_patch_that_does_not_fit_is_told(
    site: _Site, wrong: bytes | None, sha256: str | None, message: str
) -> None:
    patch = site.patch.replace(wrong, b"second") if wrong else site.patch
    site.describe(patch, sha256)
    site.fetch("fft")
    site.fetch("holder")
    with pytest.raises(EthosmithError, match=message):
        site.repositories().checkout("fft")
