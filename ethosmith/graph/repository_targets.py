# SPDX-License-Identifier: Apache-2.0
"""What is done with git repositories themselves: ``deps``, ``newest`` and ``upstream_tests``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.origin import Repository
from ethosmith.graph.build import Build, step_after
from ethosmith.graph.project import Located
from ethosmith.graph.repositories import fetch_first

UPSTREAM_TESTS = "upstream_tests"
_REPOSITORY = "tflm"
# What fetches it.
_SELECTION = "usecase=kws runtime=tflm"
# The variables that select what is built; without any, `deps` is about everything declared.
_SELECTING = ("usecase", "runtime", "npu")
# Targets that need no sources of git repositories.
_WITHOUT_SOURCES = {"deps", "doctor", "list", "newest", UPSTREAM_TESTS}


def declare_deps(build: Build) -> None:
    """Let `deps` fetch what the selection needs, or all there is; stop a build without sources."""
    session = build.session
    if "deps" in session.targets:
        _declare_fetch(build, _repositories_to_fetch(build))
    if "newest" in session.targets:
        if session.offline:
            raise EthosmithError("newest asks the servers of git repositories: leave out offline=1")
        repositories = _described(_repositories_to_fetch(build))
        from ethosmith.steps.compare_newest import CompareNewest

        step_after(build, "newest", CompareNewest(repositories=repositories))
    targets = set(session.targets)
    nothing_is_built = build.engine.is_cleaning or build.engine.prints_help
    nothing_is_built |= bool(targets) and targets <= _WITHOUT_SOURCES
    if session.repositories.missing and not nothing_is_built:
        raise fetch_first(session.repositories.missing, session.selection_text(_SELECTING))


def _repositories_to_fetch(build: Build) -> Mapping[str, Located[Repository]]:
    if any(name in build.session.given for name in _SELECTING):
        return build.session.repositories.needed
    project = build.project
    return {name: project.repository(name) for name in project.repository_names}


def _declare_fetch(build: Build, wanted: Mapping[str, Located[Repository]]) -> None:
    if wanted:
        described = _described(wanted)
        from ethosmith.steps.fetch_repositories import FetchRepositories

        step_after(
            build, "deps", FetchRepositories(repositories=described, offline=build.session.offline)
        )


def _described(wanted: Mapping[str, Located[Repository]]) -> tuple[dict[str, Any], ...]:
    return tuple(
        {
            "name": item.descriptor.name,
            "git": item.descriptor.git,
            "commit": item.descriptor.commit,
            "tag": item.descriptor.tag,
            "descriptor": str(item.path),
            "contract": {
                path: list(texts) for path, texts in item.descriptor.fetched_contract.items()
            },
        }
        for item in wanted.values()
    )


def declare_upstream_tests(build: Build) -> None:
    """Declare the target, for each NPU and memory mode that is selected.

    Raises:
        EthosmithError: the sources are not here, or no NPU is selected.
    """
    if UPSTREAM_TESTS not in build.session.targets:
        return
    repositories = build.session.repositories
    checkout = repositories.checkout(_REPOSITORY)
    if checkout is None:
        raise fetch_first({_REPOSITORY: build.project.repository(_REPOSITORY)}, _SELECTION)
    settings = dict.fromkeys(
        (one.npu_name, one.system_config, one.memory_mode)
        for one in build.session.configurations
        if one.accelerator is not None
    )
    if not settings:
        raise EthosmithError(
            f"{UPSTREAM_TESTS} compares on an NPU: give npu=, such as ethos-u55-128"
        )
    from ethosmith.steps.run_upstream_tests import RunUpstreamTests

    build.engine.alias(UPSTREAM_TESTS)
    step_after(
        build,
        UPSTREAM_TESTS,
        RunUpstreamTests(tree=str(checkout.link), settings=tuple(settings)),
    )
