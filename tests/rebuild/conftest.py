# SPDX-License-Identifier: Apache-2.0
"""One build of the kws use case, which every test copies with its time stamps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ..project_copy import ProjectCopy

NewCopy = Callable[..., ProjectCopy]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    """A project in a folder with a space, built once."""
    project = ProjectCopy.fresh(tmp_path_factory.mktemp("first") / "a project")
    project.build("usecase=kws")
    return project


@pytest.fixture
def copy_of_built(built: ProjectCopy, tmp_path: Path) -> NewCopy:
    """Copy the built project; keyword arguments become environment variables."""

    def copy(**environment: str) -> ProjectCopy:
        return built.copy(tmp_path / "a copy", **environment)

    return copy
