# SPDX-License-Identifier: Apache-2.0
"""Obtaining meets a full disk, an unusable cache or SIGKILL: never a half-written file."""

from __future__ import annotations

import hashlib
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

NOISE = random.Random(7).randbytes(3 << 20)  # noqa: S311
MEMBERS = ("src/a.bin", "src/b.bin", "src/c.bin")
FULL_DISK_BYTES = 1 << 20


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "lib.zip"
    with zipfile.ZipFile(path, "w") as zip_file:
        for index, name in enumerate(MEMBERS):
            zip_file.writestr(zipfile.ZipInfo(name), NOISE[index:])
    return path


def command(archive: Path, cache: Path, *how: str, member: str | None = None) -> list[str]:
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    source = {"url": archive.as_uri(), "sha256": digest, "member": member}
    name = "obtain-members" if "--folder" in how else "obtain-file"
    start = ["env", f"ETHOSMITH_CACHE={cache}", sys.executable, "-m", "ethosmith", "step"]
    return [*start, name, "--source", json.dumps(source), *how]


def _members_into(folder: Path) -> list[str]:
    files = [str(folder / name) for name in MEMBERS]
    return ["--folder", str(folder), "--members", *MEMBERS, "--files", *files]


def fill_disk() -> None:
    """Let no file of this process grow beyond the limit, as a full disk would."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (FULL_DISK_BYTES, FULL_DISK_BYTES))


def run(arguments: list[str], *, full_disk: bool = False) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PIP_CONFIG_FILE": os.devnull},
        preexec_fn=fill_disk if full_disk else None,
    )


def assert_one_line_error(result: subprocess.CompletedProcess[str]) -> None:
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in result.stderr


def test_full_disk_during_the_download_is_mended_by_the_next_try(
    archive: Path, tmp_path: Path
) -> None:
    output, cache = tmp_path / "out.zip", tmp_path / "cache"
    arguments = command(archive, cache, "--output", str(output))
    assert_one_line_error(run(arguments, full_disk=True))
    assert not output.exists()
    assert not (cache / "sha256").exists()
    assert run(arguments).returncode == 0
    assert output.read_bytes() == archive.read_bytes()


@pytest.mark.parametrize("tree", [False, True])
def test_full_disk_during_extraction_leaves_the_old_files(
    archive: Path, tmp_path: Path, tree: bool
) -> None:
    cache, folder = tmp_path / "cache", tmp_path / "out" / "tree"
    assert run(command(archive, cache, "--output", str(tmp_path / "warm"))).returncode == 0
    output = folder / MEMBERS[0]
    output.parent.mkdir(parents=True)
    output.write_bytes(b"old")
    if tree:
        how = _members_into(folder)
        result = run(command(archive, cache, *how), full_disk=True)
    else:
        how = ["--output", str(output)]
        result = run(command(archive, cache, *how, member=MEMBERS[0]), full_disk=True)
    assert_one_line_error(result)
    assert output.read_bytes() == b"old"
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == [output]


def test_unusable_cache_folder_is_named(archive: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.write_text("a file where a folder should be")
    result = run(command(archive, cache, "--output", str(tmp_path / "out")))
    assert_one_line_error(result)
    assert str(cache) in result.stderr


def test_bytes_flipped_in_the_cache_are_never_used(archive: Path, tmp_path: Path) -> None:
    cache, output = tmp_path / "cache", tmp_path / "out"
    arguments = command(archive, cache, "--output", str(output))
    assert run(arguments).returncode == 0
    (cached,) = (path for path in (cache / "sha256").rglob("*") if path.is_file())
    damaged = bytearray(cached.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    cached.chmod(0o644)
    cached.write_bytes(damaged)
    output.unlink()
    offline = run([*arguments, "--offline"])
    assert_one_line_error(offline)
    assert "the cached copy is damaged" in offline.stderr
    assert not output.exists()
    assert run(arguments).returncode == 0
    assert output.read_bytes() == archive.read_bytes()


def test_sigkill_at_any_moment_is_mended_by_the_next_try(archive: Path, tmp_path: Path) -> None:
    cache, folder = tmp_path / "cache", tmp_path / "out"
    members = _members_into(folder)
    arguments = command(archive, cache, *members)
    expected = {name: NOISE[index:] for index, name in enumerate(MEMBERS)}
    begun = time.monotonic()
    assert run(arguments).returncode == 0
    duration_s = time.monotonic() - begun
    moments = random.Random(3)  # noqa: S311
    for _ in range(12):
        process = subprocess.Popen(arguments, stderr=subprocess.DEVNULL)
        time.sleep(moments.uniform(0.3, 1.0) * duration_s)
        process.kill()
        process.wait(30)
        for name in MEMBERS:
            found = folder / name
            assert not found.exists() or found.read_bytes() == expected[name]
        for found in (path for path in (cache / "sha256").rglob("*") if path.is_file()):
            assert hashlib.sha256(found.read_bytes()).hexdigest() == found.name
            found.unlink()
        for name in MEMBERS:
            (folder / name).unlink(missing_ok=True)
    assert run(arguments).returncode == 0
    assert {name: (folder / name).read_bytes() for name in MEMBERS} == expected
