# SPDX-License-Identifier: Apache-2.0
"""Hold images to the budgets of their descriptors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ethosmith.descriptors.budget import Budget
from ethosmith.descriptors.load import error_at
from ethosmith.graph.build import Build
from ethosmith.graph.configuration import Configuration
from ethosmith.graph.images import Image
from ethosmith.graph.layout import SelectedUseCase, image_file
from ethosmith.graph.models import CompiledNetwork

_KEY = "budgets"


def check_budgets(
    build: Build,
    usecase: SelectedUseCase,
    configuration: Configuration,
    image: Image,
    compiled: CompiledNetwork,
    verified: Path,
) -> None:
    """Declare that the targets ``images`` and ``run`` fail where an image exceeds a budget.

    Args:
        build: where it is declared.
        usecase: its descriptor has the budgets; of another network they say nothing.
        configuration: some are for one only.
        image: its bytes are limited.
        compiled: names the slowest layer.
        verified: the run whose cycles are limited.

    Raises:
        EthosmithError: a budget names what the platform does not have.
    """
    _check_names(build, usecase)
    if usecase.own.names:
        return
    limits = list(_limits(usecase, configuration))
    memory = tuple(limit for limit in limits if limit["location"][-1] != "npu_cycles")
    cycles = tuple(limit for limit in limits if limit["location"][-1] == "npu_cycles")
    if memory and not image.is_program:
        _check_memory(build, usecase, configuration, image, memory)
    if cycles and configuration.accelerator is not None and not build.session.is_fast:
        from ethosmith.steps.check_cycle_budget import CheckCycleBudget

        counted = CheckCycleBudget(
            usecase=usecase.path,
            limits=cycles,
            verified=verified,
            per_layer=compiled.per_layer,
            output=image_file(usecase, configuration, "_cycle_budget.json"),
        )
        build.engine.alias("run", build.add(counted).outputs)


def _check_memory(
    build: Build,
    usecase: SelectedUseCase,
    configuration: Configuration,
    image: Image,
    limits: tuple[dict[str, Any], ...],
) -> None:
    from ethosmith.steps.check_memory_budget import CheckMemoryBudget

    checked = CheckMemoryBudget(
        usecase=usecase.path,
        limits=limits,
        usage=image.usage,
        axf=image.axf,
        map=image.map,
        platform=build.platform.path,
        output=image_file(usecase, configuration, "_memory_budget.json"),
    )
    for name in ("images", "run"):
        build.engine.alias(name, build.add(checked).outputs)


def _check_names(build: Build, usecase: SelectedUseCase) -> None:
    for index, budget in enumerate(usecase.descriptor.budgets):
        for problem in budget.problems((_KEY, index), build.platform.descriptor):
            raise error_at(usecase.path, problem.location, problem.message)


def _limits(usecase: SelectedUseCase, configuration: Configuration) -> Iterator[dict[str, Any]]:
    for index, budget in enumerate(usecase.descriptor.budgets):
        if budget.applies(
            configuration.platform,
            configuration.npu_name,
            configuration.memory_mode,
            configuration.runtime.name,
        ):
            yield from _limits_of(budget, index)


def _limits_of(budget: Budget, index: int) -> Iterator[dict[str, Any]]:
    for key in ("flash_bytes", "ram_bytes", "npu_cycles"):
        allowed = getattr(budget, key)
        if allowed is not None:
            yield {"location": [_KEY, index, key], "allowed": allowed}
    for region, allowed in budget.regions.items():
        yield {"location": [_KEY, index, "regions", region], "allowed": allowed}
