# SPDX-License-Identifier: Apache-2.0
"""Descriptors are found in the user's project first; requirements come in link order."""

from __future__ import annotations

from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.graph.project import Project

_LIBRARY = """\
schema: 1
name: {name}
title: A library
licence: Apache-2.0
machines: [host]
sources: [{{local: [src/{name}.c]}}]
requires: [{requires}]
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "libraries").mkdir()
    return Project(tmp_path)


def library(project: Project, name: str, requires: str = "") -> None:
    path = project.root / "libraries" / f"{name}.yaml"
    path.write_text(_LIBRARY.format(name=name, requires=requires))


def test_the_user_s_library_hides_ours_of_the_same_name(project: Project) -> None:
    assert project.library("hal").path.is_absolute()
    library(project, "hal")
    assert Project(project.root).library("hal").path == Path("libraries/hal.yaml")
    assert project.library("npu").descriptor.name == "npu"


def test_a_library_stands_before_all_that_it_requires(project: Project) -> None:
    library(project, "base")
    library(project, "left", "base")
    library(project, "right", "base")
    library(project, "top", "left, right")
    names = [item.descriptor.name for item in project.libraries_with_requirements(["base", "top"])]
    assert sorted(names) == ["base", "left", "right", "top"]
    assert names.index("top") < names.index("left") < names.index("base")
    assert names.index("right") < names.index("base")


def test_libraries_that_require_each_other_are_named(project: Project) -> None:
    library(project, "hen", "egg")
    library(project, "egg", "hen")
    with pytest.raises(EthosmithError, match="libraries require each other: hen -> egg -> hen"):
        project.libraries_with_requirements(["hen"])


def test_paths_below_the_project_are_relative_and_others_absolute(project: Project) -> None:
    assert project.relative(project.root / "a" / ".." / "b.c") == Path("b.c")
    assert project.relative(Path("usecases/x/../y")) == Path("usecases/y")
    assert project.relative(Path("/usr/include")) == Path("/usr/include")
    assert project.relative(Path("../outside")) == project.root.parent / "outside"
