# SPDX-License-Identifier: Apache-2.0
"""The path of an ExecuTorch program: compiled from a PyTorch network, or ready as it comes."""

from __future__ import annotations

from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.graph.build import Build
from ethosmith.graph.configuration import Configuration
from ethosmith.graph.layout import SelectedUseCase, vela_folder
from ethosmith.graph.pytorch import Int8Network

PTE_SUFFIX = ".pte"


def ready_program(build: Build, usecase: SelectedUseCase, path: Path) -> Int8Network:
    """Declare what a ready ExecuTorch program takes and returns; it is executed as it comes.

    Raises:
        EthosmithError: several NPUs are asked for, and it is compiled for one.
    """
    npus = {one.npu_name for one in build.session.configurations}
    if len(npus) != 1:
        raise EthosmithError(f"{path}: is compiled for one NPU; give npu= with one value")
    pattern = usecase.descriptor.model.input_shape
    from ethosmith.steps.read_executorch import ReadExecutorch

    step = build.add(
        ReadExecutorch(
            program=path,
            accelerator_config=npus.pop(),
            pattern=None if pattern is None else list(pattern),
            usecase=str(usecase.path),
            label_count=len(usecase.labels),
            samples=tuple(sample.name for sample in usecase.samples),
            network=usecase.outputs / f"{usecase.model_name}_program.json",
            expected=usecase.outputs / "expected.json",
        )
    )
    return Int8Network(step.network, program=path, expected=step.expected)


def executorch_program(
    build: Build, usecase: SelectedUseCase, configuration: Configuration, network: Int8Network
) -> Path:
    """Declare the .pte that the configuration executes; a ready one is taken as it comes."""
    if network.program is not None or network.quantised is None:
        return network.program or network.path
    vela, folder = usecase.descriptor.vela, vela_folder(usecase, configuration)
    name = usecase.model_name
    from ethosmith.steps.compile_executorch import CompileExecutorch

    return build.add(
        CompileExecutorch(
            model=str(usecase.model_path or name),
            quantised=network.quantised,
            network=network.path,
            accelerator_config=configuration.npu_name,
            system_config=configuration.system_config,
            memory_mode=configuration.memory_mode,
            optimise=vela.optimise,
            arena_cache_size_bytes=vela.arena_cache_size_bytes,
            program=folder / f"{name}.pte",
            operators=folder / f"{name}_operators.json",
            summary=folder / f"{name}_summary.csv",
            offline=build.session.offline,
        )
    ).program
