# SPDX-License-Identifier: Apache-2.0
"""Something else in the place of build/, a checkout to read only, and readers that go away."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ethosmith.graph.layout import NOTES
from tests.support.needs import program
from tests.support.project_copy import ProjectCopy

pytestmark = pytest.mark.long

_LABELS = ("usecase=kws", "build/usecases/kws/generated/labels.c", "cache=none")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    return ProjectCopy.fresh(tmp_path_factory.mktemp("odd") / "project", remembers=False)


def _shell(project: ProjectCopy, line: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run ``line``, in which "$@" is ethosmith with ``words``."""
    command = [sys.executable, "-m", "ethosmith", *words]
    return subprocess.run(
        [program("bash"), "-c", line, "bash", *command],
        cwd=project.root,
        env=project.process_environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _file(place: Path) -> None:
    place.write_text("mine")


def _dangling(place: Path) -> None:
    place.symlink_to("/nowhere/at/all")


def _loop(place: Path) -> None:
    place.symlink_to(place.name)


@pytest.mark.parametrize("instead", [_file, _dangling, _loop, os.mkfifo])
def test_what_is_no_build_folder_is_told_in_one_line(
    instead: Callable[[Path], None], project: ProjectCopy
) -> None:
    place = project.root / "build"
    instead(place)
    try:
        done = _shell(project, '"$@"', *_LABELS)
        listed = _shell(project, '"$@"', "list")
    finally:
        place.unlink()
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith(f"error: {place}: ")
    assert len(listed.stderr.splitlines()) <= 1, listed.stderr
    assert listed.returncode == (2 if listed.stderr else 0)


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root mounts file systems"
)
def test_a_checkout_to_read_only_can_be_listed(project: ProjectCopy) -> None:
    line = (
        'unshare -m bash -c \'mount --bind . . && mount -o remount,bind,ro "$PWD" && cd "$PWD" &&'
        ' exec "$@"\' bash "$@"'
    )
    listed = _shell(project, line, "list")
    assert (listed.returncode, listed.stderr) == (0, "")
    for made in ("build", "build/.ethosmith/unchanged"):
        built = _shell(project, line, *_LABELS)
        assert built.returncode == 2
        assert (
            built.stderr == f"error: {project.root / made}: cannot be made: Read-only file system\n"
        )
        (project.root / NOTES).mkdir(parents=True, exist_ok=True)
    shutil.rmtree(project.root / "build")


@pytest.mark.parametrize(
    "line",
    ['"$@" | true; exit ${PIPESTATUS[0]}', '"$@" >&-', '"$@" 2>&-', '"$@" <&- >&- 2>&-'],
)
def test_a_build_goes_on_quietly_without_a_reader(line: str, project: ProjectCopy) -> None:
    labels = project.root / _LABELS[1]
    labels.unlink(missing_ok=True)
    done = _shell(project, line, *_LABELS)
    assert (done.returncode, done.stderr) == (0, "")
    assert labels.is_file()
    refused = _shell(project, line, "usecase=none_such")
    assert refused.returncode == 2
