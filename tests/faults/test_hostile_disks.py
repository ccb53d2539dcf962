# SPDX-License-Identifier: Apache-2.0
"""A full disk, a source tree that is read-only, and clocks that lie."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import NewCopy
from tests.support.changes import DESCRIPTOR
from tests.support.needs import program
from tests.support.project_copy import Outcome, ProjectCopy

pytestmark = pytest.mark.long

_KWS = "usecase=kws"
# SCons's memory of the build, on its way.
_SCONS_NOTES = ".sconsign.tmp"
_needs_mounts = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root mounts file systems"
)


def _run(*command: str | Path) -> None:
    subprocess.run([str(word) for word in command], check=True, capture_output=True)


@contextlib.contextmanager
def _small_disk(folder: Path) -> Iterator[None]:
    """Mount a tmpfs on ``folder``; it goes with the block."""
    folder.mkdir(parents=True)
    _run(program("mount"), "-t", "tmpfs", "-o", "size=64k", "ethosmith-test", folder)
    try:
        yield
    finally:
        _run(program("umount"), folder)


def _assert_told_in_one_line(outcome: Outcome) -> None:
    assert outcome.exit_code != 0
    assert "Traceback" not in outcome.text, outcome.text
    assert "space left" in outcome.text, outcome.text


_AMPLE_KIB = 1 << 18


@_needs_mounts
@pytest.mark.parametrize(
    "sizes_kib",
    [(700,), pytest.param((64, 256, 700, 1200, 2000, 3000, 4000), marks=pytest.mark.slow)],
    ids=["once", "again and again"],
)
def test_a_disk_that_is_full_keeps_whole_files_only(
    sizes_kib: tuple[int, ...], built: ProjectCopy, tmp_path: Path
) -> None:
    want = built.built_files()
    project = ProjectCopy.fresh(tmp_path / "small", remembers=False)
    if len(sizes_kib) == 1:
        project = project.cached()
    build = project.root / "build"
    failures = 0
    with _small_disk(build):
        for size_kib in (*sizes_kib, _AMPLE_KIB):
            _run(program("mount"), "-o", f"remount,size={size_kib}k", build)
            outcome = project.scons(_KWS)
            got = project.built_files()
            half = [name for name in got if got[name] != want.get(name)]
            assert set(half) <= {_SCONS_NOTES}, size_kib
            if outcome.exit_code:
                failures += 1
                _assert_told_in_one_line(outcome)
        assert outcome.exit_code == 0
        assert got == want
    assert failures >= min(3, len(sizes_kib))


@_needs_mounts
def test_sources_are_never_written(copy_of_built: NewCopy) -> None:
    """Everything but build/ is mounted read-only, in a mount name space of its own."""
    project = copy_of_built()
    before = project.built_files()
    shutil.rmtree(project.root / "build/fvp")
    mount = (
        'mount --bind "$0" "$0" && mount --bind "$0/build" "$0/build" &&'
        ' mount -o remount,bind,ro "$0" && cd "$0" && exec "$@"'
    )
    shell = [program("unshare"), "-m", "/bin/sh", "-c", mount, str(project.root)]
    done = subprocess.run(
        [*shell, *project.command(_KWS)],
        cwd=project.root,
        env=project.process_environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert project.built_files() == before


_YEAR_S = 365 * 24 * 3600


def _set_times(folder: Path, time_s: float) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            os.utime(path, (time_s, time_s))


@pytest.mark.parametrize("years", [-30, pytest.param(30, marks=pytest.mark.slow)])
def test_time_stamps_say_nothing(years: int, copy_of_built: NewCopy) -> None:
    """As after a check-out, a restored cache, an archive without times, a clock set back."""
    project = copy_of_built()
    for folder in ("usecases", "firmware", "ethosmith", "build/usecases"):
        _set_times(project.root / folder, (project.root / "SConstruct").stat().st_mtime)
    assert project.build(_KWS).steps == set()
    # Another content of the same size at the same time, which is long past or to come.
    at_s = (project.root / "SConstruct").stat().st_mtime + years * _YEAR_S
    _set_times(project.root / "usecases", at_s)
    assert project.build(_KWS).steps == set()
    project.replace(DESCRIPTOR, "leading_silence_ms: 20", "leading_silence_ms: 21")
    _set_times(project.root / "usecases", at_s)
    parameters = "build/usecases/kws/generated/application_parameters.h"
    assert project.build(_KWS, parameters).steps == {f"GENERATE {parameters}"}
