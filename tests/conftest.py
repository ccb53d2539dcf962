# SPDX-License-Identifier: Apache-2.0
"""For every test: no cache stands in for a build; and one build of kws, which tests copy."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.project_copy import ProjectCopy

os.environ["ETHOSMITH_BUILD_CACHE"] = "none"
os.environ["CCACHE_DISABLE"] = "1"

NewCopy = Callable[..., ProjectCopy]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    """A project in a folder with a space, built once."""
    project = ProjectCopy.fresh(tmp_path_factory.mktemp("first") / "a project")
    assert "note: " not in project.build("usecase=kws").text
    return project


@pytest.fixture
def copy_of_built(built: ProjectCopy, tmp_path: Path) -> NewCopy:
    """Copy the built project with its time stamps; keywords become environment variables."""

    def copy(**environment: str) -> ProjectCopy:
        return built.copy(tmp_path / "a copy", **environment)

    return copy
