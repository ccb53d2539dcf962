# SPDX-License-Identifier: Apache-2.0
"""The path of an ExecuTorch program: compiled from a PyTorch network, or ready as it comes."""

from __future__ import annotations

from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import PTE_SUFFIX
from ethosmith.graph.build import Build
from ethosmith.graph.configuration import Configuration
from ethosmith.graph.layout import SelectedUseCase, image_file, vela_folder
from ethosmith.graph.pytorch import Int8Network
from ethosmith.graph.runtimes import EXECUTORCH

PTE = "pte"


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
    """Declare the .pte that the configuration executes; a ready one is taken as it comes.

    Raises:
        EthosmithError: a ready one, and nothing can execute it.
    """
    has_runner = configuration.prebuilt_image is not None
    if network.program is not None or network.quantised is None:
        if not has_runner:
            raise EthosmithError(
                f"{network.program}: {no_runner(build, configuration)}, and this machine"
                " runs only what is compiled here; give the network as a .pt2 or net.py"
            )
        return network.program or network.path
    vela, folder = usecase.descriptor.vela, vela_folder(usecase, configuration)
    # Without a runner, it stands in the place of an image.
    stem = folder / usecase.model_name
    stem = stem if has_runner else image_file(usecase, configuration, "")
    from ethosmith.steps.compile_executorch import CompileExecutorch

    return build.add(
        CompileExecutorch(
            model=str(usecase.model_path or usecase.model_name),
            quantised=network.quantised,
            accelerator_config=configuration.npu_name,
            system_config=configuration.system_config,
            memory_mode=configuration.memory_mode,
            optimise=vela.optimise,
            arena_cache_size_bytes=vela.arena_cache_size_bytes,
            program=stem.with_name(f"{stem.name}{PTE_SUFFIX}"),
            operators=stem.with_name(f"{stem.name}_operators.json"),
            summary=stem.with_name(f"{stem.name}_summary.csv"),
            offline=build.session.offline,
        )
    ).program


def declare_program(
    build: Build, usecase: SelectedUseCase, configuration: Configuration, network: Int8Network
) -> None:
    """Declare what the target ``pte`` makes, whatever ``runtime=`` is.

    Raises:
        EthosmithError: the network is not from PyTorch, or runs on no NPU.
    """
    if PTE not in build.session.targets:
        return
    if network.quantised is None or configuration.accelerator is None:
        what = "a PyTorch network (.pt2 or net.py)" if network.quantised is None else "an NPU"
        raise EthosmithError(f"{PTE}: {usecase.variant}: an ExecuTorch program is made for {what}")
    image = build.platform.descriptor.prebuilt_image(
        EXECUTORCH.name, configuration.accelerator.product, configuration.memory_mode
    )
    configuration = configuration._replace(runtime=EXECUTORCH, prebuilt_image=image)
    program = executorch_program(build, usecase, configuration, network)
    build.engine.alias(PTE, [program])


def no_runner(build: Build, configuration: Configuration) -> str:
    """Say that nothing here executes a program on the board."""
    return build.platform.descriptor.no_prebuilt_image(
        EXECUTORCH.name, configuration.board_npu.product, configuration.memory_mode
    )


def executorch_on_host(
    build: Build,
    usecase: SelectedUseCase,
    configuration: Configuration,
    network: Int8Network,
    program: Path,
    tensors: tuple[Path, ...],
    result: Path,
) -> Path:
    """Declare the result of a program that no board executes, but this machine.

    Args:
        build: where it is declared.
        usecase: whose samples they are.
        configuration: the NPU.
        network: what the program is compiled from.
        program: the .pte.
        tensors: the inputs of each sample.
        result: the file.
    """
    from ethosmith.models.vela_blocks import SCRATCH_FAST_REGION, SCRATCH_REGION, WEIGHTS_REGION
    from ethosmith.steps.run_executorch_on_host import RunExecutorchOnHost

    platform = build.platform.descriptor
    mode = platform.memory_mode(configuration.memory_mode)
    fast = {region.name: region for region in platform.regions}[mode.scratch_fast.region]
    ports = {
        WEIGHTS_REGION: mode.weights.axi_limit,
        SCRATCH_REGION: mode.scratch.axi_limit,
        SCRATCH_FAST_REGION: mode.scratch_fast.axi_limit,
    }
    return build.add(
        RunExecutorchOnHost(
            program=program,
            quantised=network.quantised or program,
            network=network.path,
            npu=configuration.npu_name,
            system_config=configuration.system_config,
            scratch_fast_bytes=fast.size_bytes,
            axi1_regions=tuple(region for region, port in ports.items() if port > 1),
            stream_port=mode.command_stream.axi_limit,
            not_booted=no_runner(build, configuration),
            samples=tuple(sample.name for sample in usecase.samples),
            tensors=tensors,
            offline=build.session.offline,
            result=result,
        )
    ).result
