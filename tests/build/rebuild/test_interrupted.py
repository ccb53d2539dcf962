# SPDX-License-Identifier: Apache-2.0
"""A build that was killed, interrupted, or met another one ends with a clean build's bytes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import NewCopy
from tests.support.changes import CHANGES, DESCRIPTOR
from tests.support.project_copy import ProjectCopy

_KWS = "usecase=kws"
_CHANGE_SAMPLE = next(change for change in CHANGES if change.name == "a sample")


@contextlib.contextmanager
def building(project: ProjectCopy, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Start a build in a process group of its own; nothing of it outlives the block."""
    process = subprocess.Popen(
        # Else a step is shown when it has ended.
        project.command(_KWS, "verbose=1", *words),
        cwd=project.root,
        env=project.process_environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


_SAMPLE = "step convert-sample"
_FEATURES = "step compute-features"
_QUANTISE = "step quantise-network"
_LINK = "arm-none-eabi-g++ -o"


def wait_for(process: subprocess.Popen[str], command: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if command in line:
            return
    raise AssertionError(f"the build never came to {command}")


def differing(project: ProjectCopy, reference: ProjectCopy) -> list[str]:
    """Return the outputs that are not those of ``reference``; others may be there as well."""
    got, want = project.built_files(), reference.built_files()
    return sorted(name for name in want if got.get(name) != want[name])


_SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "step", [_SAMPLE, pytest.param(_QUANTISE, marks=_SLOW), pytest.param(_LINK, marks=_SLOW)]
)
def test_a_killed_build_of_a_change_that_is_taken_back_leaves_no_trace(
    step: str, built: ProjectCopy, copy_of_built: NewCopy
) -> None:
    project = copy_of_built()
    original = project.read(DESCRIPTOR)
    _CHANGE_SAMPLE.edit(project)
    with building(project) as process:
        wait_for(process, step)
        time.sleep(0.1)
        process.kill()
        process.wait()
        # As with a clock that is set back: no time stamp tells what is new.
        for path in (project.root / "build").rglob("*"):
            if path.is_file():
                os.utime(path, (0, 0))
        # The step itself lives on and writes its output when nobody expects it any more.
        project.write(DESCRIPTOR, original)
        project.build(_KWS)
    assert differing(project, built) == []


@_SLOW
def test_a_whole_process_group_that_is_killed_in_a_clean_build(
    built: ProjectCopy, tmp_path: Path
) -> None:
    project = ProjectCopy.fresh(tmp_path / "killed")
    with building(project, "-j2") as process:
        wait_for(process, _QUANTISE)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    project.build(_KWS)
    assert differing(project, built) == []


@pytest.mark.parametrize(
    "words", [pytest.param((), id="serial", marks=_SLOW), pytest.param(("-j2",), id="parallel")]
)
def test_an_interrupted_build_goes_on_where_it_was(
    words: tuple[str, ...], built: ProjectCopy, copy_of_built: NewCopy
) -> None:
    project = copy_of_built()
    original = project.read(DESCRIPTOR)
    _CHANGE_SAMPLE.edit(project)
    with building(project, *words) as process:
        wait_for(process, _FEATURES)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=60) != 0
    project.write(DESCRIPTOR, original)
    project.build(_KWS)
    assert differing(project, built) == []


def test_a_second_build_at_the_same_time_is_refused(copy_of_built: NewCopy) -> None:
    project = copy_of_built()
    _CHANGE_SAMPLE.edit(project)
    with building(project) as process:
        wait_for(process, _FEATURES)
        second = project.scons(_KWS)
        assert process.poll() is None
    assert second.exit_code == 2
    assert second.stderr == (
        f"error: another build is running in {project.root}/build;"
        " wait for it, or build in another copy of the project\n"
    )
    assert second.steps == set()
