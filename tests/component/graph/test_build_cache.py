# SPDX-License-Identifier: Apache-2.0
"""The build cache: what comes out is what went in, or nothing does."""

from __future__ import annotations

import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import UNFINISHED_PREFIX
from ethosmith.graph.build_cache import BuildCache, cache_folder
from ethosmith.graph.cache_entry import DamagedEntry, Trust
from ethosmith.graph.cache_size import limit_bytes, shrink, size_of

_KEY = "3f" * 32
_TRUST = Trust(b"a key that a group of people has")


def outputs(folder: Path, **content: str) -> list[Path]:
    folder.mkdir(exist_ok=True)
    for name, text in content.items():
        (folder / name).write_text(text)
    return [folder / name for name in content]


@pytest.fixture
def cache(tmp_path: Path) -> BuildCache:
    """Holds a step of two files, of which the second is a program."""
    made = outputs(tmp_path / "made", object="an object", program="a program")
    made[1].chmod(0o700)
    kept = BuildCache(tmp_path / "cache")
    kept.keep(_KEY, made)
    return kept


def fetched(cache: BuildCache, folder: Path, key: str = _KEY) -> list[Path]:
    targets = [folder / "new" / "object", folder / "new" / "program"]
    assert cache.fetch(key, targets)
    return targets


def test_files_and_permissions_come_back(cache: BuildCache, tmp_path: Path) -> None:
    plain, program = fetched(cache, tmp_path)
    assert (plain.read_text(), program.read_text()) == ("an object", "a program")
    assert [stat.S_IMODE(path.stat().st_mode) for path in (plain, program)] == [0o644, 0o755]


def test_an_unknown_step_writes_nothing(cache: BuildCache, tmp_path: Path) -> None:
    assert not cache.fetch("00" * 32, [tmp_path / "new"])
    assert not (tmp_path / "new").exists()


def damage_end(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1] + b"?")


def empty(path: Path) -> None:
    os.truncate(path, 0)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


@pytest.mark.parametrize("kind", ["steps", "content"])
@pytest.mark.parametrize("damage", [damage_end, cut, empty])
def test_a_damaged_entry_is_told_removed_and_can_be_kept_again(
    cache: BuildCache, tmp_path: Path, kind: str, damage: Callable[[Path], None]
) -> None:
    for path in (cache.root / kind).rglob("*"):
        if path.is_file():
            damage(path)
    targets = [tmp_path / "new" / name for name in ("object", "program")]
    with pytest.raises(DamagedEntry, match=f"^{kind}/"):
        cache.fetch(_KEY, targets)
    assert list((tmp_path / "new").glob("*") if (tmp_path / "new").exists() else []) == []
    assert not cache.fetch(_KEY, targets)

    cache.keep(_KEY, [tmp_path / "made" / name for name in ("object", "program")])
    if kind == "content" and damage is damage_end:
        # The second file was not looked at before; it is as long as it should be.
        with pytest.raises(DamagedEntry):
            cache.fetch(_KEY, targets)
        cache.keep(_KEY, [tmp_path / "made" / name for name in ("object", "program")])
    fetched(cache, tmp_path)


def test_a_step_of_which_one_file_was_removed_is_not_there(
    cache: BuildCache, tmp_path: Path
) -> None:
    biggest = max((cache.root / "content").rglob("*"), key=lambda path: path.is_file())
    biggest.unlink()
    assert not cache.fetch(_KEY, [tmp_path / "new" / "object", tmp_path / "new" / "program"])
    assert list((tmp_path / "new").iterdir()) == []


def test_the_folder_s_permissions_are_those_of_all_in_it(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o2775)
    before = os.umask(0o077)
    try:
        BuildCache(shared, _TRUST).keep(_KEY, outputs(tmp_path / "made", object="text"))
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(p.stat().st_mode) for p in shared.rglob("*") if p.is_dir()}
    assert modes == {0o2775}
    assert {stat.S_IMODE(p.stat().st_mode) for p in shared.rglob("*") if p.is_file()} == {0o664}


def as_user(user: int, group: int, act: Callable[[], bool]) -> str:
    """Return what ``act`` said in a process of another user."""
    reading, writing = os.pipe()
    if (process := os.fork()) == 0:
        said = "no answer"
        try:
            os.setgroups([])
            os.setgid(group)
            os.setuid(user)
            os.umask(0o077)
            said = str(act())
        except OSError as error:
            said = str(error.strerror)
        finally:
            os.write(writing, said.encode())
            os._exit(0)
    os.close(writing)
    os.waitpid(process, 0)
    with os.fdopen(reading) as file:
        return file.read()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users can reach; pytest's are closed again by each other pytest."""
    with tempfile.TemporaryDirectory(prefix="ethosmith-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become two other users")
def test_a_shared_folder_serves_its_group_and_is_read_by_others(open_folder: Path) -> None:
    shared = open_folder / "shared"
    shared.mkdir()
    os.chown(shared, 0, 4242)
    shared.chmod(0o2775)

    def use(mine: Path, key: str) -> bool:
        (mine / "file").write_text("text")
        had = BuildCache(shared, _TRUST).fetch(key, [mine / "fetched"])
        if not had:
            BuildCache(shared, _TRUST).keep(key, [mine / "file"])
        return had

    said = []
    for user, group, key in ((4001, 4242, "a"), (4002, 4242, "a"), (4003, 1, "a"), (4003, 1, "b")):
        mine = open_folder / f"{user}{key}"
        mine.mkdir()
        os.chown(mine, user, group)
        said.append(as_user(user, group, partial(use, mine, key * 64)))
    assert said == ["False", "True", "True", "Permission denied"]


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path / "cache")
    for number in range(10):
        cache.keep(f"{number:064}", outputs(tmp_path / "made", object=f"{number}" * 10_000))
    for path in cache.root.rglob("*"):
        os.utime(path, (0, 0))
    assert cache.fetch(f"{3:064}", [tmp_path / "new"])
    removed = shrink(cache.root, 50_000)
    left = size_of(cache.root)
    assert left.size_bytes <= 40_000 < left.size_bytes + 11_000
    assert removed.files + left.files == 10
    assert cache.fetch(f"{3:064}", [tmp_path / "new"])


def test_below_the_limit_only_remains_of_killed_writers_go(
    cache: BuildCache, tmp_path: Path
) -> None:
    old = cache.root / "content" / f"{UNFINISHED_PREFIX}old"
    new = cache.root / "content" / f"{UNFINISHED_PREFIX}new"
    for path in (old, new):
        path.write_text("half")
    os.utime(old, (time.time() - 90_000,) * 2)
    shrink(cache.root, 1_000_000)
    assert (old.exists(), new.exists()) == (False, True)
    fetched(cache, tmp_path)


def test_the_folder_is_that_of_the_option_then_the_environment_then_the_user_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETHOSMITH_CACHE", str(tmp_path / "downloads"))
    variable = {"ETHOSMITH_BUILD_CACHE": str(tmp_path / "shared")}
    assert cache_folder("", {}, tmp_path) == tmp_path / "downloads" / "build"
    assert cache_folder("", variable, tmp_path) == tmp_path / "shared"
    assert cache_folder("own", variable, tmp_path) == tmp_path / "own"
    assert cache_folder("none", variable, tmp_path) is None
    (tmp_path / "file").touch()
    with pytest.raises(EthosmithError, match="not a directory"):
        cache_folder("file", {}, tmp_path)


@pytest.mark.parametrize("text", ["0", "-1", "much", "nan", "inf", ""])
def test_a_limit_that_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(EthosmithError, match="cache_limit_gib="):
        limit_bytes(text)
