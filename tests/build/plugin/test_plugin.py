# SPDX-License-Identifier: Apache-2.0
"""A project of somebody else's, with Ethosmith as an installed package, builds and runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.project_copy import ROOT
from tests.support.wheels import BOARD, MODEL, install

pytestmark = pytest.mark.long

_SCONSTRUCT = """\
import runpy

from ethosmith.installation import SCONSTRUCT

runpy.run_path(SCONSTRUCT)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheels where nothing of the repository is near."""
    return install(tmp_path_factory.mktemp("installed"), ROOT, MODEL, BOARD)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a project with its own use case and its own platform."""
    root = tmp_path_factory.mktemp("their project")
    (root / "SConstruct").write_text(_SCONSTRUCT)
    ours = ROOT / "usecases" / "kws"
    theirs = root / "usecases" / "two_words"
    shutil.copytree(ours, theirs)
    descriptor = (ours / "usecase.yaml").read_text("utf-8")
    (theirs / "usecase.yaml").write_text(descriptor.replace("name: kws", "name: two_words"))
    platform = (ROOT / "platforms" / "fvp" / "platform.yaml").read_text("utf-8")
    board = root / "platforms" / "our_board"
    board.mkdir(parents=True)
    platform = platform.replace("name: fvp", "name: our_board")
    (board / "platform.yaml").write_text(
        platform.replace(
            "default_accelerator_config: ethos-u55-128", "default_accelerator_config: ethos-u55-64"
        )
    )
    return root


@pytest.mark.slow
def test_installed_package_builds_another_projects_use_case(installed: Path, project: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    command = [sys.executable, "-m", "SCons", "-Q", "usecase=two_words", "target=our_board"]
    done = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    folder = project / "build" / "our_board" / "ethos-u55-64-shared_sram"
    verified = json.loads((folder / "two_words_verified.json").read_text())
    answers = [sample["answer"] for sample in verified["samples"]]
    assert answers[:-1] == ["yes", "no", "down", "go", "stop"]
    signatures = (project / "build" / ".sconsign.json").read_bytes()
    assert str(ROOT).encode() not in signatures, "the build read the repository's files"
    for file in (folder / "two_words.axf", folder / "two_words.map", folder / "two_words.htm"):
        assert str(installed).encode() not in file.read_bytes(), f"{file.name} names a place"


def test_installed_package_makes_a_use_case_in_another_project(
    installed: Path, tmp_path: Path
) -> None:
    (tmp_path / "SConstruct").write_text(_SCONSTRUCT)
    environment = {**os.environ, "PYTHONPATH": str(installed)}

    def scons(*words: str) -> str:
        command = [sys.executable, "-m", "SCons", "-Q", *words]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    scons("new", "usecase=seen", "template=vector")
    scons("new", "usecase=person", "like=vww")
    # The source that vww shares with another use case of the package came along.
    assert "sources: [src/img_class.cc]" in (tmp_path / "usecases/person/usecase.yaml").read_text()
    assert (tmp_path / "usecases" / "seen" / "samples" / "still.csv").is_file()
    assert (tmp_path / "schemas" / "usecase.json").is_file()
    planned = scons("-n", "usecase=seen,person")
    assert "seen.axf" in planned
    assert "person.axf" in planned


def test_a_project_builds_its_own_use_cases_and_ours_by_name(
    installed: Path, tmp_path: Path
) -> None:
    environment = {**os.environ, "PYTHONPATH": str(installed)}

    def ethosmith(*words: str, exit_code: int = 0) -> str:
        command = [sys.executable, str(installed / "bin" / "ethosmith"), *words]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == exit_code, done.stdout + done.stderr
        return done.stdout + done.stderr

    assert ethosmith("--version").startswith("ethosmith 0.1.0 (SCons ")
    assert "no project here or above" in ethosmith("usecase=kws", exit_code=2)
    assert list(tmp_path.iterdir()) == [], "a question left files"
    # Its name is that of one of ours, and there is no SConstruct.
    ethosmith("new", "usecase=ad", "template=vector")
    own = ethosmith("-n", "images")
    assert "ad.axf" in own
    assert "kws.axf" not in own
    assert "still.csv" in own or "still.bin" in own, "ours was taken"
    assert "kws.axf" in ethosmith("-n", "kws")
    assert "compile-with-vela" in ethosmith("step")
    assert "usage: " in ethosmith("board", "--help")
