# SPDX-License-Identifier: Apache-2.0
"""A commit is fetched whole and proved by its name; everything else ends in one clear line."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from io import StringIO
from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.obtain.cache import Cache
from ethosmith.obtain.git_cache import GitCache, object_name
from ethosmith.obtain.git_client import GitClient
from ethosmith.obtain.git_fetch import GitFetcher, Wanted
from ethosmith.obtain.http_client import Retries
from ethosmith.obtain.progress import FetchLines
from ethosmith.steps.compare_newest import CompareNewest
from tests.support.needs import program
from tests.support.project_copy import ROOT
from tests.support.upstream import commit_all, git, write_tree

_FILES = {
    "a.c": "int a;\r\n",
    "folder/b.c": "int b;\n",
    "folder.c": "sorted before the folder in a tree\n",
    "tools/run.sh": "#!/bin/sh\n",
    ".gitattributes": "*.c text eol=lf filter=shout\n",
}


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    """A repository with two commits, whose attributes would change its files on checkout."""
    program("git")
    folder = tmp_path / "up stream"
    write_tree(folder, {"a.c": "int old;\n"})
    commit_all(folder)
    write_tree(folder, _FILES)
    (folder / "tools/run.sh").chmod(0o755)
    (folder / "link.c").symlink_to("folder/b.c")
    git(folder, "config", "filter.shout.clean", "cat")
    git(folder, "config", "filter.shout.smudge", "tr a-z A-Z")
    commit_all(folder)
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> GitCache:
    return GitCache(Cache(tmp_path / "a cache"))


Fetch = Callable[..., str]


@pytest.fixture
def fetch(upstream: Path, cache: GitCache) -> Fetch:
    def fetch(**given: str | None) -> str:
        told = StringIO()
        fetcher = GitFetcher(GitClient.of_this_machine(), cache, FetchLines(told), Retries(()))
        fetcher.bring(wanted(upstream, **given))
        return told.getvalue()

    return fetch


def wanted(upstream: Path, **given: str | None) -> Wanted:
    values = {"commit": git(upstream, "rev-parse", "HEAD"), "tag": None, **given}
    return Wanted(
        name="probe",
        git=values.get("git") or upstream.as_uri(),
        commit=str(values["commit"]),
        tag=values["tag"],
        descriptor="repositories/probe.yaml",
    )


def test_files_are_as_committed_whatever_filters_and_line_ends_are_configured(
    fetch: Fetch, upstream: Path, cache: GitCache
) -> None:
    told = fetch()
    tree = cache.tree(git(upstream, "rev-parse", "HEAD"))
    assert tree is not None
    committed = git(upstream, "ls-files").splitlines()
    assert sorted(p.relative_to(tree).as_posix() for p in tree.rglob("*") if not p.is_dir()) == (
        sorted(committed)
    )
    for name in committed:
        blob = object_name("blob", (tree / name).read_bytes())
        assert blob == git(upstream, "rev-parse", f"HEAD:{_real(name)}")
    assert os.access(tree / "tools/run.sh", os.X_OK)
    assert (tree / "link.c").readlink() == Path("folder/b.c")
    assert "6 files" in told
    assert "fetching" not in fetch()


def _real(name: str) -> str:
    return "folder/b.c" if name == "link.c" else name


def test_an_older_commit_is_fetched_by_its_name_alone(
    fetch: Fetch, upstream: Path, cache: GitCache
) -> None:
    old = git(upstream, "rev-parse", "HEAD~")
    fetch(commit=old)
    tree = cache.tree(old)
    assert tree is not None
    assert (tree / "a.c").read_text() == "int old;\n"


FAULTS: dict[str, tuple[dict[str, str], str]] = {
    "commit": ({"commit": "0" * 40}, "/up%20stream has no commit 0000"),
    "repository": ({"git": "file:///nowhere/at/all"}, "/nowhere/at/all is not a public repository"),
    "host": ({"git": "https://127.0.0.1:1/x.git"}, "cannot reach 127.0.0.1: Failed to connect"),
    "protocol": ({"git": "ssh://127.0.0.1/x.git"}, "transport 'ssh' not allowed"),
    "tag that is not there": ({"tag": "v1"}, "the tag v1 of file:///"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_cannot_be_fetched_is_told_in_one_line(
    name: str, fetch: Fetch, cache: GitCache
) -> None:
    given, expected = FAULTS[name]
    with pytest.raises(EthosmithError) as caught:
        fetch(**given)
    message = str(caught.value)
    assert message.startswith("repositories/probe.yaml: ")
    assert expected in message
    assert "\n" not in message
    assert not list((cache.cache.root / "git").glob("*"))


def test_a_tag_is_compared_with_the_pin_and_a_moved_one_named(fetch: Fetch, upstream: Path) -> None:
    git(upstream, "tag", "-a", "v1", "-m", "one")
    pinned = git(upstream, "rev-parse", "HEAD")
    fetch(tag="v1")
    write_tree(upstream, {"a.c": "int new;\n"})
    new = commit_all(upstream)
    git(upstream, "tag", "-f", "-a", "v1", "-m", "moved")
    with pytest.raises(EthosmithError, match=f"is at {new} now, not at the pinned {pinned}"):
        fetch(tag="v1", commit=pinned)


def test_what_the_newest_revision_breaks_of_the_contract_is_listed(
    upstream: Path,
    cache: GitCache,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ETHOSMITH_CACHE", str(cache.cache.root))
    pinned = asdict(wanted(upstream))
    contract = {"a.c": ["int a;"], "folder/b.c": ["int b;", "int  b"], "folder.c": ["sorted"]}

    def report(**changed: object) -> str:
        CompareNewest(repositories=({**pinned, "contract": contract, **changed},)).run()
        return capsys.readouterr().out

    label = f"probe {pinned['commit'][:12]}"
    assert report() == f"{label}: is the newest\n"
    write_tree(upstream, {"folder/b.c": "long b;\n", "new.c": "int c;\n"})
    (upstream / "a.c").unlink()
    newest = commit_all(upstream)[:12]
    assert report() == (
        f"{label}: the newest is {newest}; of 4 texts of the contract it breaks\n"
        "  has no a.c\n"
        "  folder/b.c does not hold 'int b;'\n"
        "  folder/b.c does not hold 'int  b'\n"
    )
    kept = {"folder.c": ["sorted before"]}
    assert report(contract=kept).endswith("; all 1 texts of the contract stand in it\n")
    assert report(contract={}).endswith("; no contract is written down\n")
    with pytest.raises(EthosmithError, match=r"gone is not a public repository"):
        report(git=(upstream / "gone").as_uri())


def test_the_cache_is_used_though_the_tag_cannot_be_asked(fetch: Fetch, upstream: Path) -> None:
    git(upstream, "tag", "v1")
    fetch(tag="v1")
    assert "was not checked" in fetch(tag="v1", git="https://127.0.0.1:1/x.git")


TAMPERED: dict[str, tuple[Callable[[Path], object], str]] = {
    "bytes": (lambda tree: _write(tree / "a.c", "int b;\r\n"), "a.c is not as it was committed"),
    "file that is gone": (lambda tree: (tree / "a.c").unlink(), "a.c is missing"),
    "file too many": (lambda tree: _write(tree / "x.h", ""), "x.h is too many"),
    "link": (lambda tree: _relink(tree / "link.c"), "link.c is not as it was committed"),
    "listing": (lambda tree: _write(tree.parent / "listing", ""), "the list of its files"),
}


def _write(path: Path, text: str) -> None:
    times = path.stat() if path.exists() else None
    path.unlink(missing_ok=True)
    path.write_bytes(text.encode())
    if times:
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def _relink(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


@pytest.mark.parametrize("what", TAMPERED)
def test_a_checkout_that_was_touched_is_refused(
    what: str, fetch: Fetch, upstream: Path, cache: GitCache
) -> None:
    fetch()
    commit = git(upstream, "rev-parse", "HEAD")
    tree = cache.tree(commit)
    assert tree is not None
    tamper, expected = TAMPERED[what]
    tamper(tree)
    with pytest.raises(EthosmithError, match=f"is not commit {commit[:12]}: .*{expected}"):
        cache.tree(commit)


def test_a_link_that_leads_out_is_refused(fetch: Fetch, upstream: Path) -> None:
    (upstream / "folder" / "out").symlink_to("../../secret")
    commit_all(upstream)
    with pytest.raises(EthosmithError, match="the link folder/out points outside it"):
        fetch()


_SLOW_GIT = """\
#!/bin/sh
case " $* " in *" fetch "*) touch {mark}; sleep 20;; esac
exec {git} "$@"
"""


def test_a_killed_fetch_starts_clean_the_next_time(
    upstream: Path, cache: GitCache, tmp_path: Path
) -> None:
    slow = tmp_path / "slow"
    slow.mkdir()
    mark = tmp_path / "fetching"
    (slow / "git").write_text(_SLOW_GIT.format(mark=mark, git=shutil.which("git")))
    (slow / "git").chmod(0o755)
    one = vars(wanted(upstream))
    command = [sys.executable, "-m", "ethosmith", "step", "fetch-repositories"]
    command += ["--repositories", json.dumps([one])]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "ETHOSMITH_CACHE": str(cache.cache.root)}
    path = f"{slow}{os.pathsep}{os.environ['PATH']}"
    first = subprocess.Popen(
        command,
        env={**environment, "PATH": path},
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    _wait_for(mark)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    assert cache.tree(one["commit"]) is None
    assert list((cache.cache.root / "partial").glob("git-*.*/"))

    offline = subprocess.run(
        [*command, "--offline"], env=environment, capture_output=True, text=True, check=False
    )
    assert offline.returncode == 1
    assert "not in the cache, and offline=1 forbids fetching it" in offline.stderr
    subprocess.run(command, env=environment, capture_output=True, check=True)
    assert cache.tree(one["commit"]) is not None
    assert not list((cache.cache.root / "partial").glob("git-*.*/"))
    subprocess.run([*command, "--offline"], env=environment, capture_output=True, check=True)


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_only_the_user_s_way_to_servers_is_taken_from_git_s_configuration(
    upstream: Path, cache: GitCache, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    hook = tmp_path / "hooks" / "reference-transaction"
    write_tree(tmp_path, {"hooks/reference-transaction": f"#!/bin/sh\ntouch {tmp_path}/ran\n"})
    hook.chmod(0o755)
    (home / ".gitconfig").write_text(
        f"[core]\n\thooksPath = {hook.parent}\n[init]\n\ttemplateDir = {hook.parent}\n"
        f'[url "{upstream.parent.as_uri()}/"]\n\tinsteadOf = https://example.invalid/\n'
    )
    environment = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home)}
    client = GitClient.of_this_machine(environment)
    fetcher = GitFetcher(client, cache, FetchLines(StringIO()), Retries(()))
    fetcher.bring(wanted(upstream, git="https://example.invalid/up%20stream"))
    assert cache.tree(git(upstream, "rev-parse", "HEAD")) is not None
    assert not (tmp_path / "ran").exists()
