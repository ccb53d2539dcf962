# SPDX-License-Identifier: Apache-2.0
"""SIGKILL at random moments of a build: the next build's bytes are a clean build's."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.project_copy import ProjectCopy

_KWS = ("usecase=kws", "-j2")
_LONGEST_S = 4.0
_END_S = 30


@contextlib.contextmanager
def _building(project: ProjectCopy) -> Iterator[subprocess.Popen[bytes]]:
    """Start a build in a process group of its own, of which nothing outlives the block."""
    process = subprocess.Popen(
        project.command(*_KWS),
        cwd=project.root,
        env=project.process_environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _processes_in(folder: Path) -> list[str]:
    """Return the commands that run in ``folder``; on other systems than Linux, none is seen."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (entry / "cwd").readlink() == folder:
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


def _wait_until_alone(folder: Path) -> None:
    """Wait for what a killed process of the board leaves to its guard: an instant."""
    end_s = time.monotonic() + _END_S
    while running := _processes_in(folder):
        assert time.monotonic() < end_s, running
        time.sleep(0.02)


@pytest.mark.slow  # Of single kills: tests/build/rebuild/test_interrupted.py.
@pytest.mark.parametrize("kills", [6, 60])
def test_a_build_that_was_killed_again_and_again_ends_like_a_clean_one(
    kills: int, built: ProjectCopy, tmp_path: Path
) -> None:
    project = ProjectCopy.fresh(tmp_path / "killed")
    random_ = random.Random(kills)  # noqa: S311 a fixed seed, no secret
    for number in range(kills):
        with _building(project) as process:
            # Few builds live long, so that many kills meet every step.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(random_.uniform(0.2, random_.choice((1.0, _LONGEST_S))))
            if number % 2:
                # Only SCons: its steps go on until the end of the block.
                process.kill()
        _wait_until_alone(project.root)
        if process.returncode == 0:
            _take_back(project, random_)
    project.build(*_KWS)
    assert project.built_files() == built.built_files()


def _take_back(project: ProjectCopy, random_: random.Random) -> None:
    """Remove some outputs of a finished build, so that there is something to kill again."""
    outputs = project.built_paths()
    for path in random_.sample(outputs, len(outputs) // 3):
        path.unlink()
