# SPDX-License-Identifier: Apache-2.0
"""What is typed behind ``scons``, and where: names, paths and SCons's own options."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.project_copy import ProjectCopy

_LABELS = "build/usecases/kws/generated/labels.c"
_UP_TO_DATE = f"scons: `{_LABELS}' is up to date.\n"
_ENTERING = "scons: Entering directory `{root}'\n"
_NONE_BUILT, _ONE_BUILT = False, True
# Where it is typed, relative to the project; words; exit code; beginning of the output; whether
# labels.c is there before.
_WORDS: dict[str, tuple[str, str, int, str, bool]] = {
    "a name": (".", "-q kws", 1, "", _NONE_BUILT),
    "a folder of a use case": ("usecases/kws", "-n . size", 0, "OBTAIN", _NONE_BUILT),
    "a path": (".", f"kws {_LABELS}", 0, _UP_TO_DATE, _ONE_BUILT),
    "a path from below": ("usecases/kws", f"kws ../../{_LABELS}", 0, _UP_TO_DATE, _ONE_BUILT),
    "-q of what is made": (".", f"-q kws {_LABELS}", 0, "", _ONE_BUILT),
    "-q of what is not": (".", f"-q kws {_LABELS}", 1, "", _NONE_BUILT),
    "-q of what only shows": (".", "-q list", 0, "", _NONE_BUILT),
    "-q of what does something": (".", "-q new usecase=x template=vector", 1, "", _NONE_BUILT),
    "-s": (".", f"-s kws {_LABELS}", 0, "", _NONE_BUILT),
    "-u": ("usecases", f"-u kws ../{_LABELS}", 0, _ENTERING + _UP_TO_DATE, _ONE_BUILT),
    "-U": ("usecases", f"-U kws ../{_LABELS}", 0, _ENTERING + _UP_TO_DATE, _ONE_BUILT),
    "-D": ("usecases", f"-D kws ../{_LABELS}", 0, _ENTERING + _UP_TO_DATE, _ONE_BUILT),
    "-C": ("usecases", f"-C .. kws {_LABELS}", 0, _ENTERING + _UP_TO_DATE, _ONE_BUILT),
    "-c": (".", f"-c kws {_LABELS}", 0, f"Removed {_LABELS}\n", _ONE_BUILT),
    "-c -n": (".", f"-c -n kws {_LABELS}", 0, f"Removed {_LABELS}\n", _ONE_BUILT),
}
_MADE = {"-s"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    return ProjectCopy.fresh(tmp_path_factory.mktemp("asked") / "its $folder")


def _type(project: ProjectCopy, folder: Path, words: Sequence[str]) -> tuple[int, str]:
    """Call the project's command in ``folder``."""
    done = subprocess.run(
        [sys.executable, str(project.root / "ethosmith"), *words],
        cwd=folder,
        env={**project.process_environment, "ETHOSMITH_NO_INSTALL": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize("name", _WORDS)
def test_words(project: ProjectCopy, name: str) -> None:
    folder, words, exit_code, begins, is_built = _WORDS[name]
    labels = project.root / _LABELS
    if is_built and not labels.exists():
        assert _type(project, project.root, ["kws", _LABELS])[0] == 0
    if not is_built:
        labels.unlink(missing_ok=True)
    code, said = _type(project, project.root / folder, words.split())
    assert code == exit_code, said
    begins = begins.format(root=project.root)
    assert said.startswith(begins) if begins else not said, said
    assert labels.exists() == (name in _MADE or (is_built and name != "-c"))


def test_a_clone_builds_from_anywhere(project: ProjectCopy, tmp_path: Path) -> None:
    (project.root / _LABELS).unlink(missing_ok=True)
    code, said = _type(project, tmp_path, ["-n", "kws", str(project.root / _LABELS)])
    assert (code, said) == (0, f"GENERATE  {_LABELS}\n")


def test_k_makes_what_can_be_made(project: ProjectCopy) -> None:
    broken = "usecases/kws/src/kws.cc"
    text = project.read(broken)
    project.append(broken, "#error broken\n")
    try:
        words = ["-k", "kws", "kws_micro", "images"]
        code, said = _type(project.cached(), project.root, words)
    finally:
        project.write(broken, text)
    assert code == 2
    assert "Internal Error" not in said
    assert said.count("scons: *** [") == 4, said
    assert (project.root / _LABELS).is_file()
