# SPDX-License-Identifier: Apache-2.0
"""Who can write to a build cache tries to run code, to delete files and to hang builds."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.graph.build_cache import BuildCache, cache_folder
from ethosmith.graph.cache_entry import KEY_VARIABLE, DamagedEntry, Trust, make_private
from ethosmith.graph.cache_size import shrink

_KEY = "3f" * 32
_TRUST = Trust(b"a key that a group of people has")


def _filled(root: Path, trust: Trust | None = None, name: str = "program") -> BuildCache:
    """Return a cache that holds one file of the step `_KEY`."""
    made = root.parent / f"made {root.name}" / name
    made.parent.mkdir(parents=True)
    made.write_text("what was built")
    made.chmod(0o755)
    cache = BuildCache(root, trust)
    cache.keep(_KEY, [made])
    return cache


def _record(cache: BuildCache) -> Path:
    return cache.root / "steps" / _KEY[:2] / _KEY


def _forge(cache: BuildCache, body: bytes) -> None:
    """Write a record whose checksum is right."""
    _record(cache).write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)


def _outcome(cache: BuildCache, target: Path) -> str:
    """Return what came out; anything else than these three ends the test."""
    try:
        return "taken" if cache.fetch(_KEY, [target]) else "a miss"
    except DamagedEntry as damage:
        assert len(str(damage).splitlines()) == 1
        return "damaged"


_DIGEST = hashlib.sha256(b"what was built").hexdigest()
BODIES = {
    "path": b"../../../victim file 6\n",
    "absolute": b"/%s file 6\n" % (b"x" * 63),
    "one word": _DIGEST.encode() + b"\n",
    "two words": _DIGEST.encode() + b" run\n",
    "four words": _DIGEST.encode() + b" run 14 x\n",
    "NUL": b"\0" * 64 + b" file 1\n",
    "no UTF-8": b"\xff\xfe" * 32 + b" file 1\n",
    "capitals": _DIGEST.upper().encode() + b" run 14\n",
    "negative": _DIGEST.encode() + b" run -1\n",
    "endless": _DIGEST.encode() + b" run " + b"9" * 400 + b"\n",
    "huge": _DIGEST.encode() + b" run 9999999999999999\n",
    "too short": _DIGEST.encode() + b" run 13\n",
    "too long": _DIGEST.encode() + b" run 15\n",
    "other kind": _DIGEST.encode() + b" link 14\n",
    "nothing": b"",
    "twice": (_DIGEST.encode() + b" run 14\n") * 2,
    "no end": _DIGEST.encode() + b" run 14",
}


@pytest.mark.parametrize("name", BODIES)
def test_a_forged_record_deletes_nothing_and_is_a_miss(name: str, tmp_path: Path) -> None:
    cache = _filled(tmp_path / "cache")
    victim = tmp_path / "victim"
    victim.write_text("mine")
    body = BODIES[name]
    _forge(cache, body)
    assert _outcome(cache, tmp_path / "new" / "program") == "damaged"
    assert victim.read_text() == "mine"
    assert not list((tmp_path / "new").glob("*"))
    # The step can be kept again.
    cache.keep(_KEY, [tmp_path / "made cache" / "program"])
    assert _outcome(cache, tmp_path / "new" / "program") in {"taken", "damaged"}


def _fifo(place: Path) -> None:
    os.mkfifo(place)


def _zeros(place: Path) -> None:
    place.symlink_to("/dev/zero")


def _folder(place: Path) -> None:
    place.mkdir()


def _secret(place: Path) -> None:
    place.with_name("secret").write_text("what was built")
    place.symlink_to("secret")


def _sparse(place: Path) -> None:
    with place.open("wb") as file:
        file.truncate(1 << 40)


@pytest.mark.parametrize("kind", ["steps", "content"])
@pytest.mark.parametrize("instead", [_fifo, _zeros, _folder, _secret, _sparse])
def test_what_is_no_file_of_the_cache_is_not_read(
    kind: str, instead: Callable[[Path], None], tmp_path: Path
) -> None:
    cache = _filled(tmp_path / "cache")
    place = next(path for path in (cache.root / kind).rglob("*") if path.is_file())
    place.unlink()
    instead(place)
    assert _outcome(cache, tmp_path / "new" / "program") == "damaged"


def test_a_linked_folder_of_the_cache_is_not_followed(tmp_path: Path) -> None:
    cache = _filled(tmp_path / "cache")
    folder = cache.root / "content" / _DIGEST[:2]
    elsewhere = tmp_path / "elsewhere"
    folder.rename(elsewhere)
    (elsewhere / _DIGEST).write_text("another content")
    folder.symlink_to(elsewhere)
    assert _outcome(cache, tmp_path / "new" / "program") == "a miss"
    assert (elsewhere / _DIGEST).exists()


def _writable_by_group(root: Path) -> None:
    for path in (root, *root.rglob("*")):
        path.chmod(path.stat().st_mode | 0o020)


@pytest.mark.parametrize("name", ["kws_host", "a.o", "lib.a", "main.c", "kws.axf", "ddr.bin"])
def test_code_of_a_shared_cache_is_taken_only_if_it_is_signed(name: str, tmp_path: Path) -> None:
    plain = _filled(tmp_path / "plain", name=name)
    _writable_by_group(plain.root)
    assert _outcome(plain, tmp_path / "new" / name) == "a miss"
    # Nor does the key of a reader make an unsigned entry a signed one.
    assert _outcome(BuildCache(plain.root, _TRUST), tmp_path / "new" / name) == "a miss"

    signed = _filled(tmp_path / "signed", _TRUST, name=name)
    _writable_by_group(signed.root)
    assert _outcome(signed, tmp_path / "new" / name) == "taken"
    assert _outcome(BuildCache(signed.root), tmp_path / "old" / name) == "a miss"
    other = Trust(b"another key, that nobody here has")
    assert _outcome(BuildCache(signed.root, other), tmp_path / "old" / name) == "a miss"


def test_a_signature_is_of_one_step_and_one_content(tmp_path: Path) -> None:
    cache = _filled(tmp_path / "cache", _TRUST)
    evil = hashlib.sha256(b"evil").hexdigest()
    place = cache.root / "content" / evil[:2] / evil
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(b"evil")
    moved = "4e" * 32
    other = cache.root / "steps" / moved[:2] / moved
    other.parent.mkdir()
    shutil.copy(_record(cache), other)
    head, _, body = _record(cache).read_bytes().partition(b"\n")
    new = body.replace(_DIGEST.encode(), evil.encode()).replace(b" 14", b" 4")
    checksum = hashlib.sha256(new).hexdigest().encode()
    _record(cache).write_bytes(b" ".join([checksum, head.split()[1]]) + b"\n" + new)
    _writable_by_group(cache.root)
    assert _outcome(cache, tmp_path / "new" / "program") == "a miss"
    assert not cache.fetch(moved, [tmp_path / "new" / "program"])


def test_data_of_an_unsigned_shared_cache_is_taken(tmp_path: Path) -> None:
    cache = _filled(tmp_path / "cache", name="model.tflite")
    _writable_by_group(cache.root)
    assert _outcome(cache, tmp_path / "new" / "model.tflite") == "taken"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_an_entry_of_another_user_in_a_private_cache_is_not_believed(tmp_path: Path) -> None:
    cache = _filled(tmp_path / "cache")
    os.chown(_record(cache), 4001, 4001)
    assert _outcome(cache, tmp_path / "new" / "program") == "a miss"


@pytest.mark.parametrize("where", [".", "inner"])
def test_a_cache_that_anyone_can_write_to_is_refused(where: str, tmp_path: Path) -> None:
    folder = tmp_path / "open" / where
    folder.mkdir(parents=True)
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(EthosmithError, match=r"^build cache .*: anyone can write to .*chmod o-w"):
        cache_folder(str(folder), {}, tmp_path)
    (tmp_path / "open").chmod(0o1777)
    if where == "inner":
        assert cache_folder(str(folder), {}, tmp_path) == folder


def test_the_user_s_own_cache_becomes_private(tmp_path: Path) -> None:
    cache = _filled(tmp_path / "cache")
    _writable_by_group(cache.root)
    _record(cache).chmod(0o644)
    make_private(cache.root)
    assert _outcome(cache, tmp_path / "new" / "program") == "taken"


def test_a_short_key_is_refused() -> None:
    with pytest.raises(EthosmithError, match=rf"^{KEY_VARIABLE}: 5 characters, expected at least"):
        Trust.of({KEY_VARIABLE: "short"})
    assert "short" not in repr(Trust(b"short"))


def test_making_room_removes_only_files_of_the_cache(tmp_path: Path) -> None:
    cache = _filled(tmp_path / "cache")
    mine = cache.root / "steps" / "thesis.tex"
    mine.write_text("mine")
    shrink(cache.root, 1)
    assert mine.exists()
    assert not _record(cache).exists()


@pytest.mark.parametrize("count", [2_000, pytest.param(20_000, marks=pytest.mark.slow)])
def test_mutated_records_are_a_miss_or_the_same_bytes(count: int, tmp_path: Path) -> None:
    cache = _filled(tmp_path / "cache")
    whole = _record(cache).read_bytes()
    body = whole.partition(b"\n")[2]
    random_ = random.Random(count)  # noqa: S311 a fixed seed, no secret
    target = tmp_path / "new" / "program"
    for _ in range(count):
        data = bytearray(body)
        for _ in range(random_.randrange(1, 4)):
            at = random_.randrange(len(data) + 1)
            data[at : at + random_.randrange(3)] = random_.randbytes(random_.randrange(3))
        if random_.random() < 0.8:
            _forge(cache, bytes(data))
        else:
            _record(cache).write_bytes(bytes(data))
        if _outcome(cache, target) == "taken":
            assert target.read_text() == "what was built"
            target.unlink()
        assert not list(target.parent.glob("*") if target.parent.exists() else [])
        if not any((cache.root / "content").rglob(_DIGEST)):
            cache.keep(_KEY, [tmp_path / "made cache" / "program"])
