# SPDX-License-Identifier: Apache-2.0
"""Obtain a float network, quantise it and compile it with Vela: `ethosmith.models`."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethosmith.descriptors.usecase import RandomInputs
from ethosmith.graph.configuration import Configuration
from ethosmith.graph.layout import SelectedUseCase, vela_folder
from ethosmith.graph.versions import python_package
from ethosmith.models.outputs import VelaOutputs


def float_model(env: Any, usecase: SelectedUseCase) -> list[Any]:
    """Return the node of the model's file, and of every file inside it if it is a folder."""
    if usecase.model_path is None:
        source = usecase.descriptor.model.source
        target = f"{usecase.outputs}/model/{source.file_name}"
        return [env.ObtainedFile(source, usecase.folder, target)]
    path = usecase.model_path
    if not path.is_dir():
        return [env.File(str(path))]
    inside = sorted(file for file in Path(path).rglob("*") if file.is_file())
    return [env.Dir(str(path)), *(env.File(str(file)) for file in inside)]


def input_shape(env: Any, usecase: SelectedUseCase, model: Sequence[Any]) -> Any | None:
    """Return the node of the input's shape, checked; None if the use case takes every network."""
    pattern = usecase.descriptor.model.input_shape
    if pattern is None:
        return None
    target = f"{usecase.outputs}/input_shape.json"
    return env.Step(
        "ethosmith.models.input_shape",
        target=target,
        source=model[1:] or model,
        options=[
            *("--model", model[0], "--pattern-json", json.dumps(pattern)),
            *("--usecase", usecase.path, "--output", target),
        ],
        say=f"SHAPE     {target}",
        versions=[python_package("ai-edge-litert"), python_package("keras")],
    )[0]


def quantised_network(
    env: Any, usecase: SelectedUseCase, model: Sequence[Any], features: Sequence[Any]
) -> Any:
    """Return the node of the int8 network made from ``model`` with ``features`` as its data."""
    target = f"{usecase.outputs}/{usecase.model_name}_int8.tflite"
    options: list[Any] = ["--model", model[0], "--output", target]
    options += ["--label-count", len(usecase.labels)]
    representative = usecase.descriptor.quantise.representative
    if isinstance(representative, RandomInputs):
        options += ["--random-seed", representative.seed, "--random-count", representative.count]
        options += [f"--random-low={representative.low}", f"--random-high={representative.high}"]
    elif features:
        options += ["--representative", *features]
    return env.Step(
        "ethosmith.models.quantise",
        target=target,
        source=[*(model[1:] or model), *features],
        options=options,
        say=f"QUANTISE  {target}",
        versions=[
            python_package("tensorflow", "tensorflow-cpu"),
            python_package("keras"),
            python_package("ai-edge-litert"),
        ],
    )[0]


@dataclass(frozen=True)
class Compiled:
    """What a runtime executes, and what Vela says of it (nothing on the CPU alone).

    Attributes:
        model: the node of Vela's raw output, of its .tflite, or of the int8 network, as the
            configuration's runtime and NPU want.
        per_layer: the node of Vela's table.
        summary: the node of Vela's totals.
    """

    model: Any
    per_layer: Any | None = None
    summary: Any | None = None


def compiled_network(
    env: Any, usecase: SelectedUseCase, configuration: Configuration, network: Any
) -> Compiled:
    """Return the nodes of ``network`` as the configuration executes it."""
    if configuration.accelerator is None:
        return Compiled(network)
    folder = vela_folder(usecase, configuration)
    compiled: Compiled = env["DECLARED"].once(
        folder, lambda: _vela(env, usecase, configuration, network, folder)
    )
    return compiled


def _vela(
    env: Any, usecase: SelectedUseCase, configuration: Configuration, network: Any, folder: str
) -> Compiled:
    descriptor, for_cpu_too = usecase.descriptor, configuration.runtime.has_cpu_kernels
    files = VelaOutputs.of(usecase.model_name, folder).by_name()
    options = [
        *("--network", network, "--name", usecase.model_name, "--output-dir", folder),
        *("--accelerator-config", configuration.npu_name),
        *("--system-config", configuration.system_config),
        *("--memory-mode", configuration.memory_mode),
        *("--optimise", descriptor.vela.optimise),
    ]
    if descriptor.vela.arena_cache_size_bytes is not None:
        options += ["--arena-cache-size", descriptor.vela.arena_cache_size_bytes]
    if for_cpu_too:
        options.append("--allow-cpu")
        del files["raw"]
    nodes = env.Step(
        "ethosmith.models.vela",
        target=list(files.values()),
        source=network,
        options=options,
        say=f"VELA      {usecase.variant} {configuration.title}",
        versions=[python_package("ethos-u-vela"), python_package("ai-edge-litert")],
    )
    made = dict(zip(files, nodes, strict=True))
    return Compiled(made["tflite" if for_cpu_too else "raw"], made["per_layer"], made["summary"])


def exists(env: Any) -> bool:
    """Say that the tool can be used; a missing package is named when its version is asked."""
    del env
    return True


def generate(env: Any) -> None:
    """Add the methods `FloatModel`, `InputShape`, `QuantisedNetwork` and `CompiledNetwork`."""
    env.AddMethod(float_model, "FloatModel")
    env.AddMethod(input_shape, "InputShape")
    env.AddMethod(quantised_network, "QuantisedNetwork")
    env.AddMethod(compiled_network, "CompiledNetwork")
