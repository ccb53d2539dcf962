# SPDX-License-Identifier: Apache-2.0
"""Generate C, headers and the linker script: `ethosmith.codegen`."""

import json
from collections.abc import Sequence
from typing import Any

from ethosmith.descriptors.inputs import SOUND_FORMATS
from ethosmith.descriptors.usecase import Mix
from ethosmith.graph.configuration import Configuration
from ethosmith.graph.layout import SelectedSample, SelectedUseCase, image_folder
from ethosmith.graph.versions import python_package


def application_parameters(env: Any, usecase: SelectedUseCase) -> Any:
    """Return the node of application_parameters.h."""
    target = f"{usecase.outputs}/generated/application_parameters.h"
    values = json.dumps(usecase.descriptor.c_parameters)
    return env.Step(
        "ethosmith.codegen.parameters",
        target=target,
        source=[],
        options=["--parameters-json", values, "--source", _shown(env, usecase), "--output", target],
        say=f"GENERATE  {target}",
    )[0]


def labels_source(env: Any, usecase: SelectedUseCase) -> Any:
    """Return the node of labels.c."""
    target = f"{usecase.outputs}/generated/labels.c"
    labels = json.dumps(usecase.labels)
    return env.Step(
        "ethosmith.codegen.labels",
        target=target,
        source=[],
        options=["--labels-json", labels, "--source", _shown(env, usecase), "--output", target],
        say=f"GENERATE  {target}",
    )[0]


def sample_files(env: Any, usecase: SelectedUseCase) -> list[Any]:
    """Return the nodes of the samples, in the form that the device's pre-processing takes."""
    folder = f"{usecase.outputs}/samples"
    return [sample_file(env, usecase, sample, folder) for sample in usecase.samples]


def sample_file(env: Any, usecase: SelectedUseCase, sample: SelectedSample, folder: str) -> Any:
    """Return the node of one sample below ``folder``, as the device's pre-processing takes it."""
    if sample.mix is not None:
        return _mixed_file(env, usecase, sample.mix, folder, sample.name)
    folder = f"{folder}/{sample.name}"
    source, options = [], ["--seed", sample.seed]
    if sample.seed is None:
        source = [_sample_source(env, usecase, sample, folder)]
        options = ["--input", source[0], "--format", sample.format]
        options += ["--form-json", json.dumps(usecase.descriptor.sample_form)]
    return env.Step(
        "ethosmith.codegen.sample_formats",
        target=f"{folder}.bin",
        source=source,
        options=[*options, "--output", f"{folder}.bin"],
        say=f"SAMPLE    {folder}.bin",
        versions=_reader_versions(sample),
    )[0]


def _reader_versions(sample: SelectedSample) -> list[str]:
    if sample.format in SOUND_FORMATS:
        return [python_package("soundfile"), python_package("soxr")]
    return [python_package("pillow")] if sample.format == "image" else []


def _mixed_file(env: Any, usecase: SelectedUseCase, mix: Mix, folder: str, name: str) -> Any:
    sound = usecase.descriptor.sound
    rate_hz = sound.rate_hz if sound else 0
    target = f"{folder}/{name}.bin"
    parts = [(part.at_s, f"{folder}/{part.sample}.bin") for part in mix.parts]
    return env.Step(
        "ethosmith.codegen.mix",
        target=target,
        source=sorted({path for _, path in parts}),
        options=[
            *(word for at_s, path in parts for word in ("--part", f"{at_s}={path}")),
            *("--rate-hz", rate_hz, "--duration-s", mix.duration_s),
            *("--noise-rms", mix.noise_rms, "--seed", mix.seed, "--output", target),
        ],
        say=f"MIX       {target}",
    )[0]


def _sample_source(env: Any, usecase: SelectedUseCase, sample: SelectedSample, folder: str) -> Any:
    if sample.file is not None:
        return env.File(str(sample.file))
    return env.ObtainedFile(sample.source, usecase.folder, f"{folder}/{sample.file_name}")


def samples_source(env: Any, usecase: SelectedUseCase, files: Sequence[Any]) -> Any:
    """Return the node of samples.c, with ``files`` in the order of the descriptor's samples."""
    target = f"{usecase.outputs}/generated/samples.c"
    named = [
        option
        for sample, file in zip(usecase.samples, files, strict=True)
        for option in ("--sample", f"{sample.name}={file}")
    ]
    return env.Step(
        "ethosmith.codegen.samples",
        target=target,
        source=list(files),
        options=[
            "--usecase",
            usecase.name,
            *named,
            "--files-json",
            json.dumps({sample.name: sample.file_name for sample in usecase.samples}),
            "--source",
            _shown(env, usecase),
            "--output",
            target,
        ],
        say=f"GENERATE  {target}",
    )[0]


def model_sources(
    env: Any, usecase: SelectedUseCase, configuration: Configuration, compiled: Any, network: Any
) -> list[Any]:
    """Return the nodes of the C and C++ files that hold the network.

    Args:
        env: the construction environment.
        usecase: names the network.
        configuration: its runtime runs Vela's raw output, or a .tflite.
        compiled: of `CompiledNetwork`.
        network: the int8 network, for names and quantisation.
    """
    folder = f"{image_folder(configuration)}/generated/{usecase.variant}"
    if configuration.runtime.has_cpu_kernels:
        return _interpreted(env, usecase, configuration, compiled.model, network, folder)
    target = f"{folder}/model.c"
    nodes: list[Any] = env.Step(
        "ethosmith.codegen.model",
        target=target,
        source=[compiled.model, network],
        options=[
            *("--raw", compiled.model, "--network", network),
            *("--name", usecase.model_name),
            *("--accelerator-config", configuration.board_npu.name),
            *("--memory-mode", configuration.memory_mode),
            *("--source", network, "--output", target),
        ],
        say=f"GENERATE  {target}",
    )
    return nodes


def _interpreted(
    env: Any,
    usecase: SelectedUseCase,
    configuration: Configuration,
    compiled: Any,
    network: Any,
    folder: str,
) -> list[Any]:
    """Return model.c with the .tflite ``compiled`` and an arena, and op_resolver.cc."""
    model, resolver = f"{folder}/model.c", f"{folder}/op_resolver.cc"
    arena = env.Step(
        "ethosmith.models.arena",
        target=f"{folder}/arena.json",
        source=compiled,
        options=["--network", compiled, "--output", f"{folder}/arena.json"],
        say=f"ARENA     {folder}/arena.json",
        versions=[] if configuration.accelerator else [python_package("tflite-micro")],
    )
    nodes: list[Any] = env.Step(
        "ethosmith.codegen.tflite_model",
        target=model,
        source=[compiled, network, *arena],
        options=[
            *("--compiled", compiled, "--network", network, "--arena", *arena),
            *("--name", usecase.model_name),
            *("--accelerator-config", configuration.npu_name),
            *("--memory-mode", configuration.memory_mode),
            *("--source", compiled, "--output", model),
        ],
        say=f"GENERATE  {model}",
    )
    nodes += env.Step(
        "ethosmith.codegen.op_resolver",
        target=resolver,
        source=compiled,
        options=["--network", compiled, "--source", compiled, "--output", resolver],
        say=f"GENERATE  {resolver}",
    )
    return nodes


def platform_sources(env: Any, configuration: Configuration) -> tuple[Any, Any]:
    """Return the nodes of platform.h and the linker script, one pair per configuration."""
    folder = f"{image_folder(configuration)}/generated"
    declare = env["DECLARED"].once
    header, script = f"{folder}/platform.h", f"{folder}/memory.ld"
    return (
        declare(header, lambda: _platform_source(env, configuration, "platform_header", header)),
        declare(script, lambda: _platform_source(env, configuration, "linker_script", script)),
    )


def _platform_source(env: Any, configuration: Configuration, step: str, target: str) -> Any:
    platform = env["PLATFORM"].path
    options = ["--platform", platform, "--memory-mode", configuration.memory_mode]
    if step == "platform_header":
        options += ["--accelerator-config", configuration.board_npu.name]
        options += ["--system-config", configuration.system_config]
    return env.Step(
        f"ethosmith.codegen.{step}",
        target=target,
        source=str(platform),
        options=[*options, "--output", target],
        say=f"GENERATE  {target}",
    )[0]


def _shown(env: Any, usecase: SelectedUseCase) -> str:
    name: str = env["PROJECT"].shown(usecase.path)
    return name


def exists(env: Any) -> bool:
    """Say that the tool can be used: it needs nothing but Python packages of the project."""
    del env
    return True


def generate(env: Any) -> None:
    """Add one method per generated file."""
    env.AddMethod(application_parameters, "ApplicationParameters")
    env.AddMethod(labels_source, "LabelsSource")
    env.AddMethod(sample_files, "SampleFiles")
    env.AddMethod(sample_file, "SampleFile")
    env.AddMethod(samples_source, "SamplesSource")
    env.AddMethod(model_sources, "ModelSources")
    env.AddMethod(platform_sources, "PlatformSources")
