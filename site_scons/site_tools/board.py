# SPDX-License-Identifier: Apache-2.0
"""Run an image on the board simulator and check what it says: `open_board`, `.verify`."""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.base import plain
from ethosmith.environment.tools import find_program, program_version
from ethosmith.graph.configuration import Configuration
from ethosmith.graph.layout import SelectedUseCase, image_folder
from ethosmith.graph.versions import python_package


def sample_features(env: Any, usecase: SelectedUseCase, host: Any, shape: Any | None) -> list[Any]:
    """Return the nodes of the samples' features, as float32, for quantisation."""
    if usecase.descriptor.quantise.representative != "samples" or shape is None:
        return []
    nodes = []
    for index, sample in enumerate(usecase.samples):
        target = f"{usecase.outputs}/features/{sample.name}.f32"
        nodes += env.Step(
            "ethosmith.verify.features",
            target=target,
            source=[host, shape],
            options=[
                *("--program", host, "--index", index, "--shape", shape),
                *("--output", target),
            ],
            say=f"FEATURES  {target}",
        )
    return nodes


def expected_answers(env: Any, usecase: SelectedUseCase, network: Any, host: Any) -> Any:
    """Return the node of what the host makes of the samples."""
    target = f"{usecase.outputs}/expected.json"
    return env.Step(
        "ethosmith.verify.expected",
        target=target,
        source=[network, host],
        options=[
            *("--network", network, "--program", host, "--output", target),
            *(word for s in usecase.samples for word in ("--sample", s.name)),
        ],
        say=f"EXPECT    {target}",
        versions=[python_package("ai-edge-litert")],
    )[0]


def board_run(env: Any, usecase: SelectedUseCase, configuration: Configuration, image: Any) -> Any:
    """Return the node of the run's result."""
    counted = configuration.runtime.inference_function
    target = f"{image_folder(configuration)}/{usecase.variant}_result.json"
    return env.Step(
        "open_board",
        target=target,
        source=image.axf,
        options=[
            *("-a", image.axf, "--npu", configuration.board_npu.name),
            *_simulator_options(env, configuration),
            *("--result", target),
            *(("--count-calls", counted) if counted else ()),
        ],
        unsigned_options=["--timelimit", env["TIME_LIMIT_S"], *_uart_output(env)],
        say=f"RUN       {image.axf}",
        # What this machine did not see the device do, it does not claim.
        cacheable=False,
        versions=simulator_versions(env, configuration),
    )[0]


def network_inputs(env: Any, usecase: SelectedUseCase, network: Any, host: Any) -> list[Any]:
    """Return the nodes of the samples as the network's inputs, byte for byte."""
    files = {s.name: f"{usecase.outputs}/inputs/{s.name}.bin" for s in usecase.samples}
    nodes: list[Any] = env["DECLARED"].once(
        ("inputs", usecase.variant),
        lambda: env.Step(
            "ethosmith.verify.inputs",
            target=list(files.values()),
            source=[network, host],
            options=[
                *("--network", network, "--program", host),
                *(word for item in files.items() for word in ("--sample", "=".join(item))),
            ],
            say=f"INPUTS    {usecase.outputs}/inputs",
            versions=[python_package("ai-edge-litert")],
        ),
    )
    return nodes


def runner_run(
    env: Any,
    usecase: SelectedUseCase,
    configuration: Configuration,
    image: Any,
    model: Any,
    network: Any,
    inputs: Sequence[Any],
) -> Any:
    """Return the node of the result of a ready image that is given the network and its inputs.

    Args:
        env: the construction environment.
        usecase: whose samples they are.
        configuration: the NPU and the runtime.
        image: of `ReadyImage`.
        model: what it executes.
        network: the int8 network that ``model`` is made from.
        inputs: of `NetworkInputs`.
    """
    target = f"{image_folder(configuration)}/{usecase.variant}_result.json"
    platform = env["PLATFORM"]
    named = zip(usecase.samples, inputs, strict=True)
    return env.Step(
        "ethosmith.run.runner",
        target=target,
        source=[image.axf, model, network, *inputs, str(platform.path)],
        options=[
            *("--axf", image.axf, "--platform", platform.path),
            *("--npu", configuration.board_npu.name, *_simulator_options(env, configuration)),
            *("--model", model, "--network", network),
            *(word for s, file in named for word in ("--sample", f"{s.name}={file}")),
            *("--count-calls", configuration.runtime.inference_function),
            *("--result", target),
        ],
        unsigned_options=[
            *("--timelimit", env["TIME_LIMIT_S"]),
            *([] if _is_alone(env) else ["--quiet"]),
        ],
        say=f"RUN       {image.axf}",
        versions=[*simulator_versions(env, configuration), python_package("ai-edge-litert")],
        cacheable=False,
    )[0]


def _simulator_options(env: Any, configuration: Configuration) -> list[str]:
    programs = _fvp_programs(env, configuration)
    named = (word for name in programs for word in ("--fvp-program", name))
    return ["--simulator", _simulator(env), *named]


def _is_alone(env: Any) -> bool:
    alone = len(env["SESSION"].usecases) * len(env["SESSION"].configurations) == 1
    return alone or bool(env["VERBOSE"])


def _uart_output(env: Any) -> list[str]:
    """Show what one device answers; of many, only the summary (each result file has it all)."""
    if env["VERBOSE"]:
        return []
    if _is_alone(env):
        return ["--hide", "tensor", "--hide", "window"]
    return ["-C", f"mps3_board.uart0.out_file={os.devnull}"]


def simulator_versions(env: Any, configuration: Configuration) -> list[str]:
    """Return what tells one simulator from another; a missing one is named by the run itself."""
    found = [] if env["SIMULATOR"] == "open" else _installed_fvp(env, configuration)
    if found or _simulator(env) == "fvp":
        return found
    try:
        return [f"QEMU {program_version(find_program('qemu-system-arm'))}"]
    except EthosmithError:
        return []


def _simulator(env: Any) -> str:
    """Return the value of ``simulator=``; without the open board there is only the FVP."""
    platform, asked = env["PLATFORM"].descriptor, str(env["SIMULATOR"])
    if platform.open_board:
        return asked
    if asked == "open":
        raise EthosmithError(
            f"simulator=open: the open board has no {platform.cpu.core}; {platform.name} runs on"
            " its FVP only"
        )
    return "fvp"


def _fvp_programs(env: Any, configuration: Configuration) -> list[str]:
    fvp = env["PLATFORM"].descriptor.fvp
    return [
        executable.file
        for executable in (fvp.executables if fvp else ())
        if executable.product == configuration.board_npu.product
    ]


def reason_not_to_run(env: Any) -> str | None:
    """Return why a plain ``scons`` runs nothing, or None if it does.

    A simulator that was asked for by name is no reason: the run then says that it is missing.
    """
    platform = env["PLATFORM"].descriptor
    if platform.fvp is None:
        return f"{platform.name} is a board; the target 'run' boots the image on the open board"
    if platform.open_board or env["SIMULATOR"] != "auto":
        return None
    for configuration in env["SESSION"].configurations:
        if not _installed_fvp(env, configuration):
            (program,) = _fvp_programs(env, configuration)
            return (
                f"{program} is not installed (FVP_PATH), and the open board has no"
                f" {platform.cpu.core}"
            )
    return None


def _installed_fvp(env: Any, configuration: Configuration) -> list[str]:
    programs = _fvp_programs(env, configuration)
    given = env["ENV"]
    # FVP_PATH names the program or its folder, see `open_board.fvp.find_fvp`.
    named = given.get("FVP_PATH", "")
    if named and Path(named).is_file():
        return [named]
    path = named or given.get("PATH", "")
    return [place for program in programs if (place := shutil.which(program, path=path))]


def verified_run(
    env: Any, usecase: SelectedUseCase, configuration: Configuration, result: Any, expected: Any
) -> Any:
    """Return the node that exists when the device was right."""
    target = f"{image_folder(configuration)}/{usecase.variant}_verified.json"
    answers = {s.name: s.expect for s in usecase.samples if s.expect is not None}
    times = {s.name: s.expect_times for s in usecase.samples if s.expect_times is not None}
    return env.Step(
        "ethosmith.verify.compare",
        target=target,
        source=[result, expected],
        options=[
            *("--usecase", usecase.variant, "--result", result, "--expected", expected),
            *("--expect-json", json.dumps(answers)),
            *("--expect-times-json", json.dumps(plain(times)), "--output", target),
        ],
        say=f"VERIFY    {target}",
        cacheable=False,
    )[0]


def exists(env: Any) -> bool:
    """Say that the tool can be used; a missing simulator is named when it is asked for."""
    del env
    return True


def generate(env: Any) -> None:
    """Add the methods of a run."""
    env.AddMethod(sample_features, "Features")
    env.AddMethod(expected_answers, "ExpectedAnswers")
    env.AddMethod(board_run, "BoardRun")
    env.AddMethod(network_inputs, "NetworkInputs")
    env.AddMethod(runner_run, "RunnerRun")
    env.AddMethod(simulator_versions, "SimulatorVersions")
    env.AddMethod(verified_run, "VerifiedRun")
    env.AddMethod(reason_not_to_run, "ReasonNotToRun")
