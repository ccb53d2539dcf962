# SPDX-License-Identifier: Apache-2.0
"""Run an image on the board simulator and check what it says: `ethosmith.board`, `.verify`."""

import json
from collections.abc import Sequence
from typing import Any

from ethosmith.descriptors.usecase import Quantise, UseCase
from ethosmith.environment.tools import find_tool
from ethosmith.graph.configuration import Configuration
from ethosmith.graph.versions import program, python_package


def host_features(
    env: Any, host: Any, usecase: UseCase, folder: str
) -> list[Any]:
    """Return the nodes of the samples' features, as float32, for quantisation."""
    if usecase.quantise.representative != Quantise().representative:
        return []
    return [
        env.Step(
            "ethosmith.verify.features",
            target=f"{folder}/{sample.name}.f32",
            source=host,
            options=[
                *("--program", host, "--index", index),
                *("--output", f"{folder}/{sample.name}.f32"),
            ],
            say=f"FEATURES  {usecase.name} {sample.name}",
        )[0]
        for index, sample in enumerate(usecase.samples)
    ]


def expected_answers(env: Any, network: Any, host: Any, usecase: UseCase, target: str) -> Any:
    """Return the node of what the host makes of the samples."""
    return env.Step(
        "ethosmith.verify.expected",
        target=target,
        source=[network, host],
        options=[
            *("--network", network, "--program", host, "--output", target),
            *(word for sample in usecase.samples for word in ("--sample", sample.name)),
        ],
        say=f"EXPECT    {usecase.name}",
        versions=[python_package("ai-edge-litert")],
    )[0]


def board_run(env: Any, axf: Any, configuration: Configuration, target: str) -> Any:
    """Return the node of the run's result."""
    return env.Step(
        "ethosmith.board",
        target=target,
        source=axf,
        options=[
            *("-a", axf, "--npu", configuration.accelerator.name),
            *("--simulator", env["SIMULATOR"], "--timelimit", env["TIME_LIMIT_S"]),
            *("--result", target),
        ],
        say=f"RUN       {axf}",
        versions=[_simulator_version(env)],
    )[0]


def _simulator_version(env: Any) -> str:
    if env["SIMULATOR"] == "fvp":
        return "fvp"
    return program(find_tool("qemu-system-arm").path)


def verified_run(
    env: Any, result: Any, expected: Any, usecase: UseCase, target: str
) -> Sequence[Any]:
    """Return the node that exists when the device was right."""
    answers = {s.name: s.expect for s in usecase.samples if s.expect is not None}
    return env.Step(
        "ethosmith.verify.compare",
        target=target,
        source=[result, expected],
        options=[
            *("--usecase", usecase.name, "--result", result, "--expected", expected),
            *("--expect-json", json.dumps(answers), "--output", target),
        ],
        say=f"VERIFY    {usecase.name}",
    )[0]


def exists(env: Any) -> bool:
    """Say that the tool can be used; a missing simulator is named when it is asked for."""
    del env
    return True


def generate(env: Any) -> None:
    """Add the methods of a run."""
    env.AddMethod(host_features, "HostFeatures")
    env.AddMethod(expected_answers, "ExpectedAnswers")
    env.AddMethod(board_run, "BoardRun")
    env.AddMethod(verified_run, "VerifiedRun")
