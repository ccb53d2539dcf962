# SPDX-License-Identifier: Apache-2.0
"""A project whose device program needs TFLM and what it needs, all of them fakes."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from ethosmith.obtain.cache import Cache
from tests.support.needs import program
from tests.support.project_copy import ProjectCopy
from tests.support.upstream import NAMES, commit_all, write_all


def pin(project: ProjectCopy, name: str, upstream: Path, commit: str) -> None:
    """Let repositories/NAME.yaml name the fake at a commit."""
    path = f"repositories/{name}.yaml"
    text = re.sub(r"(?m)^tag: .*\n", "", project.read(path))
    text = re.sub(r"(?ms)^contract:.*\Z", "", text)
    text = re.sub(r"(?m)^git: .*$", f"git: {upstream.as_uri()}", text)
    project.write(path, re.sub(r"(?m)^commit: .*$", f"commit: {commit}", text))


@pytest.fixture(scope="session")
def upstreams(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The fakes, each a git repository with one commit."""
    program("git")
    folders = write_all(tmp_path_factory.mktemp("up stream"))
    for folder in folders.values():
        commit_all(folder)
    return folders


@pytest.fixture(scope="session")
def unfetched(upstreams: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    """The project before anything was fetched, with a cache of its own."""
    root = tmp_path_factory.mktemp("libraries")
    shutil.copytree(Cache.for_user().root / "sha256", root / "cache" / "sha256")
    project = ProjectCopy.fresh(root / "a project")
    project = ProjectCopy(project.root, {"ETHOSMITH_CACHE": str(root / "cache")})
    project.replace("libraries/runtime.yaml", "requires: [", "requires: [tflm, ")
    for name in NAMES:
        pin(project, name, upstreams[name], commit_all(upstreams[name]))
    return project
