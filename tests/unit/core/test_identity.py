# SPDX-License-Identifier: Apache-2.0
"""Remembered hashes: never a wrong one, and no file hashed twice that has been left alone."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ethosmith.core import identity
from ethosmith.core.identity import Identity, Stamp

_OLD_NS = 946_684_800 * 10**9
# Longer than a file system's clock stands still, shorter than one that counts seconds.
_SETTLED_S = 0.25


def write(path: Path, content: bytes, mtime_ns: int = _OLD_NS) -> str:
    """Write a file of that age and return its SHA-256."""
    path.write_bytes(content)
    os.utime(path, ns=(mtime_ns, mtime_ns))
    return hashlib.sha256(content).hexdigest()


def replaced(path: Path) -> str:
    """Put another file in its place, as ``tar`` and ``rsync`` do."""
    beside = path.with_name("beside")
    sha256 = write(beside, b"two")
    beside.replace(path)
    return sha256


def copied(path: Path) -> str:
    """Copy onto it, as ``cp -p`` does."""
    beside = path.with_name("beside")
    sha256 = write(beside, b"two")
    shutil.copy2(beside, path)
    return sha256


def flipped(path: Path) -> str:
    """Change bytes in place."""
    return write(path, b"two")


def cut(path: Path) -> str:
    """Leave the first byte."""
    os.truncate(path, 1)
    os.utime(path, ns=(_OLD_NS, _OLD_NS))
    return hashlib.sha256(b"o").hexdigest()


@pytest.mark.parametrize("change", [replaced, copied, flipped, cut])
@pytest.mark.parametrize("settled", [False, True])
def test_other_content_of_the_same_age_has_another_hash(
    change: Callable[[Path], str], settled: bool, tmp_path: Path
) -> None:
    path, store = tmp_path / "net.tflite", tmp_path / "hashes.json"
    sha256 = write(path, b"one")
    if settled:
        time.sleep(_SETTLED_S)
    first = Identity(store)
    assert first.sha256(path) == sha256
    first.save()
    assert store.exists() == settled
    second = Identity(store)
    assert second.sha256(path) == sha256
    changed = change(path)
    assert changed != sha256
    assert first.sha256(path) == second.sha256(path) == Identity(store).sha256(path) == changed


def test_a_file_that_is_written_again_in_the_same_tick(tmp_path: Path) -> None:
    """Time stamps alone would take some of these for the content before."""
    path, known = tmp_path / "file", Identity(tmp_path / "hashes.json")
    stamps = set()
    for number in range(500):
        sha256 = write(path, b"%04d" % number)
        stamps.add(Stamp.of(path.stat()))
        assert known.sha256(path) == sha256
    known.save()
    assert Identity(tmp_path / "hashes.json").sha256(path) == sha256


def test_a_file_that_is_left_alone_is_hashed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, store = tmp_path / "file", tmp_path / "hashes.json"
    sha256 = write(path, b"one")
    time.sleep(_SETTLED_S)
    known = Identity(store)
    assert known.sha256(path) == sha256
    known.save()
    monkeypatch.setattr(identity, "_hash", lambda name: pytest.fail(f"hashed {name} again"))
    assert known.sha256(path) == Identity(store).sha256(path) == sha256
    # And what another use case's build asked for is not forgotten.
    other = Identity(store)
    other.save()
    assert Identity(store).sha256(path) == sha256


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",  # noqa: ARG005
        lambda text: "\x00\xff" + text,
        lambda text: text.replace('"schema": 1', '"schema": 0'),
        lambda text: json.dumps({"schema": 1, "files": {**json.loads(text)["files"], "x": [1]}}),
        lambda text: json.dumps({"schema": 1, "files": list(json.loads(text)["files"].values())}),
        lambda text: json.dumps(list(json.loads(text))),
    ],
)
def test_a_damaged_store_counts_as_empty(damage: Callable[[str], str], tmp_path: Path) -> None:
    path, store = tmp_path / "file", tmp_path / "hashes.json"
    sha256 = write(path, b"one")
    time.sleep(_SETTLED_S)
    known = Identity(store)
    known.sha256(path)
    known.save()
    store.write_text(damage(store.read_text("utf-8")), "utf-8")
    again = Identity(store)
    assert again.sha256(path) == sha256
    again.save()
    assert json.loads(store.read_text("utf-8"))["files"][str(path)][-1] == sha256


def test_a_change_in_the_tick_of_the_time_stamp_is_not_settled() -> None:
    fine = Stamp(1, _OLD_NS, 5_500_000_000, 1, 1)
    assert not fine.is_settled(5_504_000_000)
    assert fine.is_settled(5_700_000_000)
    # A time stamp without a fraction may be one of a file system that counts seconds, or two.
    coarse = fine._replace(ctime_ns=5_000_000_000)
    assert not coarse.is_settled(6_900_000_000)
    assert coarse.is_settled(7_100_000_000)
    # The clock was set back since.
    assert not fine.is_settled(1_000_000_000)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "missing"):
        with pytest.raises(OSError):
            Identity().sha256(path)
