# SPDX-License-Identifier: Apache-2.0
"""Generate C, headers and the linker script: `ethosmith.codegen`."""

import json
from collections.abc import Sequence
from typing import Any

from ethosmith.descriptors.usecase import UseCase
from ethosmith.graph.configuration import Configuration


def application_parameters(env: Any, usecase: UseCase, descriptor: str, folder: str) -> Any:
    """Return the node of application_parameters.h."""
    target = f"{folder}/application_parameters.h"
    values = json.dumps(dict(usecase.parameters))
    return env.Step(
        "ethosmith.codegen.parameters",
        target=target,
        source=[],
        options=["--parameters-json", values, "--source", descriptor, "--output", target],
        say=f"GENERATE  {target}",
    )[0]


def labels_source(env: Any, usecase: UseCase, descriptor: str, folder: str) -> Any:
    """Return the node of labels.c."""
    target = f"{folder}/labels.c"
    labels = json.dumps(usecase.labels)
    return env.Step(
        "ethosmith.codegen.labels",
        target=target,
        source=[],
        options=["--labels-json", labels, "--source", descriptor, "--output", target],
        say=f"GENERATE  {target}",
    )[0]


def sample_file(env: Any, source: Any, sample_format: str, target: str) -> Any:
    """Return the node of a sample in the form that the device's pre-processing takes."""
    return env.Step(
        "ethosmith.codegen.sample_formats",
        target=target,
        source=source,
        options=["--input", source, "--format", sample_format, "--output", target],
        say=f"SAMPLE    {target}",
    )[0]


def samples_source(
    env: Any, usecase: UseCase, files: Sequence[Any], descriptor: str, folder: str
) -> Any:
    """Return the node of samples.c, with ``files`` in the order of the descriptor's samples."""
    target = f"{folder}/samples.c"
    named = [
        option
        for sample, file in zip(usecase.samples, files, strict=True)
        for option in ("--sample", f"{sample.name}={file}")
    ]
    return env.Step(
        "ethosmith.codegen.samples",
        target=target,
        source=list(files),
        options=[*named, "--source", descriptor, "--output", target],
        say=f"GENERATE  {target}",
    )[0]


def model_source(
    env: Any,
    raw: Any,
    network: Any,
    usecase: UseCase,
    configuration: Configuration,
    folder: str,
) -> Any:
    """Return the node of model.c."""
    target = f"{folder}/model.c"
    return env.Step(
        "ethosmith.codegen.model",
        target=target,
        source=[raw, network],
        options=[
            *("--raw", raw, "--network", network, "--name", usecase.model.name),
            *("--accelerator-config", configuration.accelerator.name),
            *("--memory-mode", configuration.memory_mode),
            *("--source", network, "--output", target),
        ],
        say=f"GENERATE  {target}",
    )[0]


def platform_sources(
    env: Any, platform: str, configuration: Configuration, folder: str
) -> tuple[Any, Any]:
    """Return the nodes of platform.h and the linker script."""
    header, script = f"{folder}/platform.h", f"{folder}/memory.ld"
    given = ["--platform", platform, "--memory-mode", configuration.memory_mode]
    header_node = env.Step(
        "ethosmith.codegen.platform_header",
        target=header,
        source=platform,
        options=[
            *given,
            *("--accelerator-config", configuration.accelerator.name, "--output", header),
        ],
        say=f"GENERATE  {header}",
    )[0]
    script_node = env.Step(
        "ethosmith.codegen.linker_script",
        target=script,
        source=platform,
        options=[*given, "--output", script],
        say=f"GENERATE  {script}",
    )[0]
    return header_node, script_node


def exists(env: Any) -> bool:
    """Say that the tool can be used: it needs nothing but Python packages of the project."""
    del env
    return True


def generate(env: Any) -> None:
    """Add one method per generated file."""
    env.AddMethod(application_parameters, "ApplicationParameters")
    env.AddMethod(labels_source, "LabelsSource")
    env.AddMethod(sample_file, "SampleFile")
    env.AddMethod(samples_source, "SamplesSource")
    env.AddMethod(model_source, "ModelSource")
    env.AddMethod(platform_sources, "PlatformSources")
