# SPDX-License-Identifier: Apache-2.0
"""What is generated for an image: the network as C, the platform's header and linker script.

The target ``model_image`` makes of the network what a board's model partition takes, without an
image.
"""

from __future__ import annotations

from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.graph.build import Build
from ethosmith.graph.configuration import Configuration
from ethosmith.graph.layout import BUILD_OPTIONS, SelectedUseCase, image_file, image_folder
from ethosmith.graph.models import CompiledNetwork
from ethosmith.graph.pytorch import Int8Network
from ethosmith.graph.runtimes import DIRECT
from ethosmith.steps.generate_build_options import GenerateBuildOptions
from ethosmith.steps.generate_linker_script import GenerateLinkerScript
from ethosmith.steps.generate_model import GenerateModel
from ethosmith.steps.generate_platform_header import GeneratePlatformHeader

MODEL_IMAGE = "model_image"


def model_sources(
    build: Build,
    usecase: SelectedUseCase,
    configuration: Configuration,
    compiled: CompiledNetwork,
    network: Int8Network,
) -> list[Path]:
    """Declare the C and C++ files that hold the network.

    Args:
        build: where they are declared.
        usecase: names the network.
        configuration: its runtime runs Vela's raw output, or a .tflite.
        compiled: the network as it is executed.
        network: the int8 network, for names and quantisation.
    """
    folder = image_folder(configuration) / "generated" / usecase.variant
    options = _build_options(build, configuration)
    _declare_model_image(build, usecase, configuration, compiled.model, network.path)
    if configuration.runtime.has_cpu_kernels:
        source = compiled.model
        return [
            *_interpreted(build, usecase, configuration, source, network.path, folder),
            options,
        ]
    step = GenerateModel(
        raw=compiled.model,
        network=network.path,
        model_name=usecase.model_name,
        accelerator_config=configuration.board_npu.name,
        memory_mode=configuration.memory_mode,
        reset_state=usecase.descriptor.model.reset_state,
        source=network.path.as_posix(),
        output=folder / "model.c",
    )
    return [build.add(step).output, options]


def _build_options(build: Build, configuration: Configuration) -> Path:
    """Declare what the board prints of how its image was built, one per configuration."""
    return build.add(
        GenerateBuildOptions(
            options={
                "platform": configuration.platform,
                "runtime": configuration.runtime.name,
                "build_type": configuration.build_type,
                "toolchain": configuration.toolchain,
            },
            output=image_folder(configuration) / "generated" / BUILD_OPTIONS,
        )
    ).output


def _interpreted(
    build: Build,
    usecase: SelectedUseCase,
    configuration: Configuration,
    compiled: Path,
    network: Path,
    folder: Path,
) -> list[Path]:
    """Declare model.c with the .tflite ``compiled`` and an arena, and op_resolver.cc."""
    from ethosmith.steps.generate_op_resolver import GenerateOpResolver
    from ethosmith.steps.generate_tflite_model import GenerateTfliteModel
    from ethosmith.steps.plan_arena import PlanArena

    on_npu = configuration.accelerator is not None
    plan = PlanArena(network=compiled, on_npu=on_npu, output=folder / "arena.json")
    arena = build.add(plan).output
    source = compiled.as_posix()
    model = GenerateTfliteModel(
        compiled=compiled,
        network=network,
        arena=arena,
        model_name=usecase.model_name,
        accelerator_config=configuration.npu_name,
        memory_mode=configuration.memory_mode,
        reset_state=usecase.descriptor.model.reset_state,
        source=source,
        output=folder / "model.c",
    )
    resolver = GenerateOpResolver(network=compiled, source=source, output=folder / "op_resolver.cc")
    return [build.add(model).output, build.add(resolver).output]


def _declare_model_image(
    build: Build,
    usecase: SelectedUseCase,
    configuration: Configuration,
    compiled: Path,
    network: Path,
) -> None:
    """Declare NAME_model.bin, if the target ``model_image`` asks for it.

    Args:
        build: where it is declared.
        usecase: names the network.
        configuration: the NPU and memory mode of the image that is to run it.
        compiled: Vela's output.
        network: the int8 network, for names and quantisation.

    Raises:
        EthosmithError: the runtime or the platform has no model partition.
    """
    if MODEL_IMAGE not in build.session.targets:
        return
    if configuration.runtime != DIRECT:
        raise EthosmithError(
            f"{MODEL_IMAGE} needs runtime={DIRECT.name}, not {configuration.runtime.name}"
        )
    platform = build.platform.descriptor
    place = platform.partition_place(configuration.memory_mode)
    if place is None:
        raise EthosmithError(
            f"{MODEL_IMAGE}: platform {platform.name} has no model partition in memory mode"
            f" {configuration.memory_mode}"
        )
    from ethosmith.steps.write_model_image import WriteModelImage

    output = build.add(
        WriteModelImage(
            platform=build.platform.path,
            raw=compiled,
            network=network,
            model_name=usecase.model_name,
            accelerator_config=configuration.board_npu.name,
            memory_mode=configuration.memory_mode,
            reset_state=usecase.descriptor.model.reset_state,
            output=image_file(usecase, configuration, "_model.bin"),
        )
    ).output
    build.engine.alias(MODEL_IMAGE, [output])
    text = f"{output}: load it at {place.address:#010x} before the start of {usecase.name}.axf\n"
    build.show_after(MODEL_IMAGE, lambda: build.answer(text))


def platform_sources(build: Build, configuration: Configuration) -> tuple[Path, Path]:
    """Declare platform.h and the linker script, one pair per configuration."""
    folder, platform = image_folder(configuration) / "generated", build.platform.path
    header = GeneratePlatformHeader(
        platform=platform,
        memory_mode=configuration.memory_mode,
        accelerator_config=configuration.board_npu.name,
        system_config=configuration.system_config,
        output=folder / "platform.h",
    )
    script = GenerateLinkerScript(
        platform=platform, memory_mode=configuration.memory_mode, output=folder / "memory.ld"
    )
    return build.add(header).output, build.add(script).output
