# SPDX-License-Identifier: Apache-2.0
"""Git repositories from anywhere run no program here, and are what their commit says."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.graph.repositories import commit_of
from ethosmith.obtain.cache import Cache, fingerprint, stamps_of
from ethosmith.obtain.checkout import state_of_folder
from ethosmith.obtain.git_cache import GitCache
from ethosmith.obtain.git_client import GitClient
from ethosmith.obtain.git_fetch import GitFetcher, Wanted
from ethosmith.obtain.progress import fetch_progress_for
from tests.support import needs


def _git(folder: Path, *words: str) -> str:
    user = ["-c", "user.name=me", "-c", "user.email=me@example.org", "-c", "commit.gpgSign=false"]
    command = [needs.program("git"), *user, *words]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def _repository(folder: Path, text: str = "text\n") -> Path:
    folder.mkdir()
    _git(folder, "init", "--quiet")
    (folder / "file.txt").write_text(text)
    (folder / ".gitignore").write_text("ignored\n")
    _git(folder, "add", ".")
    _git(folder, "commit", "--quiet", "-m", "one")
    return folder


def _script(folder: Path) -> tuple[Path, str]:
    """Return the file that a program makes, and the program's path."""
    mark, program = folder / "owned", folder / "program.sh"
    program.write_text(f'#!/bin/sh\ntouch "{mark}"\ncat\n')
    program.chmod(0o755)
    return mark, str(program)


def _filter(folder: Path, program: str) -> None:
    (folder / ".git" / "info").mkdir(exist_ok=True)
    (folder / ".git" / "info" / "attributes").write_text("* filter=evil\n")
    _git(folder, "config", "filter.evil.clean", program)
    _git(folder, "config", "filter.evil.process", program)
    _git(folder, "config", "filter.evil.required", "true")
    os.utime(folder / "file.txt", (1, 1))


def _monitor(folder: Path, program: str) -> None:
    _git(folder, "config", "core.fsmonitor", program)


def _hooks(folder: Path, program: str) -> None:
    for name in ("post-index-change", "fsmonitor-watchman", "reference-transaction"):
        hook = folder / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_bytes(Path(program).read_bytes())
        hook.chmod(0o755)


def _promise(folder: Path, program: str) -> None:
    """Objects that are missing, and a remote whose helper would get them."""
    _git(folder, "config", "core.repositoryFormatVersion", "1")
    _git(folder, "config", "extensions.partialClone", "origin")
    _git(folder, "config", "remote.origin.promisor", "true")
    _git(folder, "config", "remote.origin.url", f"ext::{program} %S")
    _git(folder, "config", "protocol.ext.allow", "always")
    tree = _git(folder, "rev-parse", "HEAD^{tree}")
    (folder / ".git" / "objects" / tree[:2] / tree[2:]).unlink()


def _ssh(folder: Path, program: str) -> None:
    _promise(folder, program)
    _git(folder, "config", "remote.origin.url", "ssh://localhost/x")
    _git(folder, "config", "core.sshCommand", program)


ATTACKS: dict[str, Callable[[Path, str], None]] = {
    "filter": _filter,
    "fsmonitor": _monitor,
    "hooks": _hooks,
    "promised objects": _promise,
    "ssh": _ssh,
}


@pytest.mark.parametrize("name", ATTACKS)
def test_the_state_of_a_folder_is_told_without_running_its_programs(
    name: str, tmp_path: Path
) -> None:
    folder = _repository(tmp_path / "foreign")
    mark, program = _script(tmp_path)
    commit = _git(folder, "rev-parse", "HEAD")
    ATTACKS[name](folder, program)
    state = state_of_folder(folder)
    assert not mark.exists()
    assert state in ({}, {"commit": commit, "dirty": False})


def test_the_filter_is_an_attack(tmp_path: Path) -> None:
    """`git status` runs it: the other test can fail."""
    folder = _repository(tmp_path / "foreign")
    mark, program = _script(tmp_path)
    _filter(folder, program)
    subprocess.run([needs.program("git"), "status"], cwd=folder, capture_output=True, check=False)
    assert mark.exists()


def test_changed_missing_and_new_files_make_a_folder_dirty(tmp_path: Path) -> None:
    folder = _repository(tmp_path / "mine")
    assert not state_of_folder(folder)["dirty"]
    (folder / "ignored").write_text("x")
    assert not state_of_folder(folder)["dirty"]
    (folder / "new").write_text("x")
    assert state_of_folder(folder)["dirty"]
    (folder / "new").unlink()
    (folder / "file.txt").write_text("texd\n")
    assert state_of_folder(folder)["dirty"]
    (folder / "file.txt").unlink()
    assert state_of_folder(folder)["dirty"]


def test_variables_of_another_repository_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other = _repository(tmp_path / "mine"), _repository(tmp_path / "other", "other\n")
    expected = _git(mine, "rev-parse", "HEAD")
    assert _git(other, "rev-parse", "HEAD") != expected
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    assert commit_of(mine) == expected
    assert state_of_folder(mine)["commit"] == expected


def _fetched(tmp_path: Path) -> tuple[Cache, str]:
    upstream = _repository(tmp_path / "upstream")
    commit = _git(upstream, "rev-parse", "HEAD")
    cache = Cache(tmp_path / "cache")
    wanted = Wanted("up", upstream.as_uri(), commit, None, "repositories/up.yaml")
    with fetch_progress_for() as progress:
        GitFetcher(GitClient.of_this_machine(), GitCache(cache), progress).bring(wanted)
    return cache, commit


def test_a_forged_checkout_is_found_whatever_is_kept_beside_it(tmp_path: Path) -> None:
    cache, commit = _fetched(tmp_path)
    proofs = tmp_path / "project" / "checkouts.json"
    checkouts = GitCache(cache, proofs)
    tree = checkouts.tree(commit)
    assert tree is not None
    # Known by this project; another one, or `offline=1`, reads all again.
    assert GitCache(cache, proofs).tree(commit) == tree
    (tree / "file.txt").chmod(0o644)
    (tree / "file.txt").write_text("evil\n")
    (checkouts.folder(commit) / "stamps").write_text(fingerprint(stamps_of(tree)))
    for reader in (checkouts, GitCache(cache), GitCache(cache, tmp_path / "other.json")):
        with pytest.raises(EthosmithError, match=r"file\.txt is not as it was committed"):
            reader.tree(commit)


@pytest.mark.parametrize("text", ["", "[]", "nonsense", '{"x": {}}', "[" * 9999])
def test_damaged_proofs_prove_nothing(text: str, tmp_path: Path) -> None:
    cache, commit = _fetched(tmp_path)
    proofs = tmp_path / "checkouts.json"
    proofs.write_text(text)
    assert GitCache(cache, proofs).tree(commit) is not None
