# SPDX-License-Identifier: Apache-2.0
"""Quantise a network and compile it with Vela: `ethosmith.models`."""

from collections.abc import Sequence
from typing import Any

from ethosmith.descriptors.usecase import Quantise, RandomInputs, UseCase
from ethosmith.graph.configuration import Configuration
from ethosmith.graph.versions import python_package
from ethosmith.models.outputs import VelaOutputs


def quantised_network(
    env: Any, model: Any, quantise: Quantise, features: Sequence[Any], target: str
) -> Any:
    """Return the node of the int8 network made from ``model`` with ``features`` as its data."""
    options: list[Any] = ["--model", model, "--output", target]
    representative = quantise.representative
    if isinstance(representative, RandomInputs):
        features = []
        options += ["--random-seed", representative.seed, "--random-count", representative.count]
        options += [f"--random-low={representative.low}", f"--random-high={representative.high}"]
    elif features:
        options += ["--representative", *features]
    return env.Step(
        "ethosmith.models.quantise",
        target=target,
        source=[model, *features],
        options=options,
        say=f"QUANTISE  {target}",
        versions=[
            python_package("tensorflow", "tensorflow-cpu"),
            python_package("keras"),
            python_package("ai-edge-litert"),
        ],
    )[0]


def compiled_network(
    env: Any, network: Any, usecase: UseCase, configuration: Configuration, folder: str
) -> dict[str, Any]:
    """Return the nodes of all that Vela writes, by the names of `VelaOutputs`."""
    accelerator = configuration.accelerator.name
    outputs = VelaOutputs.of(usecase.model.name, env.Dir(folder).path)
    options = [
        *("--network", network, "--name", usecase.model.name, "--output-dir", folder),
        *("--accelerator-config", accelerator),
        *("--system-config", configuration.system_config),
        *("--memory-mode", configuration.memory_mode),
        *("--optimise", usecase.vela.optimise),
    ]
    if usecase.vela.arena_cache_size_bytes is not None:
        options += ["--arena-cache-size", usecase.vela.arena_cache_size_bytes]
    files = outputs.by_name()
    nodes = env.Step(
        "ethosmith.models.vela",
        target=list(files.values()),
        source=network,
        options=options,
        say=f"VELA      {usecase.name} {accelerator} {configuration.memory_mode}",
        versions=[python_package("ethos-u-vela"), python_package("ai-edge-litert")],
    )
    return dict(zip(files, nodes, strict=True))


def exists(env: Any) -> bool:
    """Say that the tool can be used; a missing package is named when its version is asked."""
    del env
    return True


def generate(env: Any) -> None:
    """Add the methods `QuantisedNetwork` and `CompiledNetwork`."""
    env.AddMethod(quantised_network, "QuantisedNetwork")
    env.AddMethod(compiled_network, "CompiledNetwork")
