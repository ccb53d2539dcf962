# SPDX-License-Identifier: Apache-2.0
"""``upstream_tests``: the tests that upstream sources bring along, where the sources are."""

from __future__ import annotations

from ethosmith.core.errors import EthosmithError
from ethosmith.graph.build import Build, step_after
from ethosmith.graph.repositories import fetch_first

UPSTREAM_TESTS = "upstream_tests"
_REPOSITORY = "tflm"
# What fetches it.
_SELECTION = "usecase=kws runtime=tflm"


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
