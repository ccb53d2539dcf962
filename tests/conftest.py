# SPDX-License-Identifier: Apache-2.0
"""For every test: no cache stands in for a build; and one build of kws, which tests copy."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

from tests.support.made_once import made_once
from tests.support.networks.keras import make_networks
from tests.support.project_copy import OWN_CACHE, ProjectCopy

# Processes of pytest-xdist get the environment that is changed here.
os.environ.setdefault(OWN_CACHE, os.environ.get("ETHOSMITH_BUILD_CACHE", ""))
os.environ["ETHOSMITH_BUILD_CACHE"] = "none"
os.environ["CCACHE_DISABLE"] = "1"

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

NewCopy = Callable[..., ProjectCopy]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one process make the build that many tests copy, while the others have other tests."""
    folders = Path(__file__).parent
    copying = {item.path for item in items if "built" in getattr(item, "fixturenames", ())}
    first = next((item.path for item in items if item.path in copying), None)

    def turn(item: pytest.Item) -> int:
        if item.path == first:
            return 0
        is_other = item.path not in copying and item.path.is_relative_to(folders / "component")
        return 1 if is_other else 2

    items.sort(key=turn)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    """A project in a folder with a space, built once; to build in it, copy it.

    Its files are the cache's where that has them. Tests that build without one compare with them.
    """

    def make(folder: Path) -> None:
        project = ProjectCopy.fresh(folder / "a project").cached()
        assert "note: " not in project.build("usecase=kws").text

    return ProjectCopy(made_once(tmp_path_factory, "built", make) / "a project")


@pytest.fixture(scope="session")
def kws_cache(built: ProjectCopy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build cache with all of the built project; to damage it, copy it."""

    def make(folder: Path) -> None:
        project = built.copy(folder / "filler", ETHOSMITH_BUILD_CACHE=str(folder / "a cache"))
        project.build("usecase=kws", "--cache-force")

    return made_once(tmp_path_factory, "kws cache", make) / "a cache"


@pytest.fixture
def copy_of_built(built: ProjectCopy, tmp_path: Path) -> NewCopy:
    """Copy the built project with its time stamps; keywords become environment variables."""

    def copy(**environment: str) -> ProjectCopy:
        return built.copy(tmp_path / "a copy", **environment)

    return copy


@pytest.fixture(scope="session")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small networks of Keras and TFLite."""
    return made_once(tmp_path_factory, "networks", make_networks)
