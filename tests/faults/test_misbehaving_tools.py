# SPDX-License-Identifier: Apache-2.0
"""A compiler or simulator that crashes, hangs, prints garbage or writes half a file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.conftest import NewCopy
from tests.support.project_copy import Outcome, ProjectCopy

pytestmark = pytest.mark.long

_KWS = "usecase=kws"
_COMPILER, _SIMULATOR = "arm-none-eabi-gcc", "qemu-system-arm"
_SOURCE = "firmware/runtime/inference.c"
_IMAGE = "build/fvp/ethos-u55-128-shared_sram"
_ALL_BYTES = r"printf '\377\376\000\033[2J error: no \200\n'"

# Shell: what happens instead, when $output is the object file to write.
COMPILERS = {
    "crashes over half a file": 'head -c 999 /dev/zero > "$output"; kill -SEGV $$',
    "fails over half a file": 'head -c 999 /dev/zero > "$output"; exit 1',
    "prints garbage": f"{_ALL_BYTES}; {_ALL_BYTES} >&2; exit 1",
    "writes nothing": "exit 0",
}
SIMULATORS = {
    "crashes": "kill -SEGV $$",
    "is killed in mid-run": '"$real" "$@" & pid=$!; sleep 0.05; kill -KILL $pid; wait $pid',
    "ends at once": "exit 0",
    "hangs": "exec sleep 100",
    "prints garbage": f"{_ALL_BYTES}; {_ALL_BYTES} >&2; exit 3",
}


def _mostly_slow(behaviours: Mapping[str, str], *daily: str) -> list[object]:
    """Return the names, all but ``daily`` for the slow tests."""
    return [n if n in daily else pytest.param(n, marks=pytest.mark.slow) for n in behaviours]


_WRAPPER = """#!/bin/sh
real='{real}'
case " $* " in *" {when}"*) ;; *) exec "$real" "$@" ;; esac
for word; do [ "$last" = -o ] && output=$word; last=$word; done
{behaviour}
"""


def _with_tool(project: ProjectCopy, name: str, when: str, behaviour: str) -> ProjectCopy:
    """Put a wrapper of the tool first in PATH; it misbehaves if its arguments have ``when``."""
    real = shutil.which(name)
    assert real, name
    folder = project.root.parent / "tools"
    folder.mkdir()
    wrapper = folder / name
    wrapper.write_text(_WRAPPER.format(real=real, when=when, behaviour=behaviour), "utf-8")
    wrapper.chmod(0o755)
    path = f"{folder}:{Path(real).parent}:{os.environ['PATH']}"
    return ProjectCopy(project.root, {**project.environment, "PATH": path})


def _assert_fails_with_a_reason(outcome: Outcome) -> None:
    assert outcome.exit_code not in (0, None)
    assert "Traceback" not in outcome.text, outcome.text
    assert "rror" in outcome.text, outcome.text


@pytest.fixture(scope="module")
def changed(built: ProjectCopy, tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    """What the build of a changed source makes with tools that work."""
    project = built.copy(tmp_path_factory.mktemp("changed") / "a project")
    project.append(_SOURCE, "\n")
    project.build(_KWS)
    return project


@pytest.mark.parametrize("name", _mostly_slow(COMPILERS, "crashes over half a file"))
def test_after_a_faulty_compiler_the_next_build_is_right(
    name: str, copy_of_built: NewCopy, changed: ProjectCopy
) -> None:
    project = copy_of_built()
    project.append(_SOURCE, "\n")
    faulty = _with_tool(project, _COMPILER, "-c", COMPILERS[name])
    _assert_fails_with_a_reason(faulty.scons(_KWS))
    project.build(_KWS)
    assert project.built_files() == changed.built_files()


@pytest.mark.parametrize("name", _mostly_slow(SIMULATORS, "is killed in mid-run", "hangs"))
def test_a_faulty_simulator_leaves_no_result(name: str, copy_of_built: NewCopy) -> None:
    project = copy_of_built()
    before = project.built_files()
    faulty = _with_tool(project, _SIMULATOR, "-kernel", SIMULATORS[name])
    outcome = faulty.scons(_KWS, "run", "time_limit_s=5")
    _assert_fails_with_a_reason(outcome)
    assert not (project.root / _IMAGE / "kws_result.json").exists()
    project.build(_KWS, "run")
    assert project.built_files() == before
