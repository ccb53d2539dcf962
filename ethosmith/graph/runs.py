# SPDX-License-Identifier: Apache-2.0
"""Run an image on the board simulator and check what it answers."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.base import plain
from ethosmith.environment.tools import find_program, program_version
from ethosmith.graph.build import Build
from ethosmith.graph.configuration import Configuration
from ethosmith.graph.executorch import executorch_on_host, no_runner
from ethosmith.graph.images import Image
from ethosmith.graph.layout import SelectedUseCase, image_file
from ethosmith.graph.models import CompiledNetwork
from ethosmith.graph.pytorch import Int8Network, pytorch_answers
from ethosmith.graph.runtimes import DIRECT
from ethosmith.steps.compare_run import CompareRun
from ethosmith.steps.compute_expected import ComputeExpected
from ethosmith.steps.run_board import RunBoard

_OPEN, _FVP, _AUTO = "open", "fvp", "auto"
# Targets that are about booting images: they fail where nothing can.
_BOOTING = frozenset({"run", "test"})
FVP_TIME_LIMIT_S = 600.0  # as `open_board.fvp` has it


def expected_answers(
    build: Build, usecase: SelectedUseCase, network: Int8Network, host: Path
) -> Path:
    """Declare what the host makes of the samples."""
    return (
        pytorch_answers(build, usecase, network, host)
        or build.add(
            ComputeExpected(
                network=network.path,
                program=host,
                samples=tuple(sample.name for sample in usecase.samples),
                reset_state=usecase.descriptor.model.reset_state,
                output=usecase.outputs / "expected.json",
            )
        ).output
    )


def board_run(
    build: Build, usecase: SelectedUseCase, configuration: Configuration, image: Image, host: Path
) -> Path:
    """Declare the result of an image of ours; of its NPU's job, where nothing can boot it.

    Args:
        build: where it is declared.
        usecase: whose samples are in the image.
        configuration: the NPU and the runtime.
        image: the linked image.
        host: the host program, which computes the inputs of the job.
    """
    if _job_on_host(build, configuration):
        return _host_run(build, usecase, configuration, image, host)
    hidden, uart_file = _uart_output(build)
    return build.add(
        RunBoard(
            axf=image.axf,
            npu=configuration.board_npu.name,
            system_config=configuration.system_config,
            simulator=simulator(build),
            fvp_programs=fvp_programs(build, configuration),
            board=build.platform.descriptor.open_board or None,
            strict=_is_strict(build, configuration),
            fast=build.session.is_fast,
            count_calls=configuration.runtime.inference_function or None,
            tools=simulator_versions(build, configuration),
            hide=hidden,
            uart_file=uart_file,
            time_limit_s=_time_limit_s(build, configuration),
            result=image_file(usecase, configuration, "_result.json"),
        )
    ).result


def _host_run(
    build: Build, usecase: SelectedUseCase, configuration: Configuration, image: Image, host: Path
) -> Path:
    from ethosmith.steps.run_npu_job import RunNpuJob

    _check_strict(build)
    return build.add(
        RunNpuJob(
            axf=image.axf,
            platform=build.platform.path,
            npu=configuration.board_npu.name,
            system_config=configuration.system_config,
            program=host,
            samples=tuple(sample.name for sample in usecase.samples),
            result=image_file(usecase, configuration, "_result.json"),
        )
    ).result


def _is_strict(build: Build, configuration: Configuration) -> bool:
    """Say whether the open board refuses what a board would not forgive: asked for, or a test."""
    if build.session.strict or "test" not in build.session.targets:
        return build.session.strict
    asked = simulator(build)
    return asked == _OPEN or (asked == _AUTO and not _installed_fvp(build, configuration))


def prebuilt_run(
    build: Build,
    usecase: SelectedUseCase,
    configuration: Configuration,
    image: Image,
    compiled: CompiledNetwork,
    network: Int8Network,
    host: Path,
) -> Path:
    """Declare the result of a prebuilt image that is given the network and its inputs.

    Args:
        build: where it is declared.
        usecase: whose samples they are.
        configuration: the NPU and the runtime.
        image: the prebuilt image.
        compiled: what it executes.
        network: the int8 network that ``compiled`` is made from.
        host: the host program, which computes the inputs.
    """
    tensors = _input_files(build, usecase, network, host)
    result = image_file(usecase, configuration, "_result.json")
    if image.is_program:
        _check_booting(build, configuration)
        return executorch_on_host(
            build, usecase, configuration, network, image.axf, tensors, result
        )
    from ethosmith.steps.run_prebuilt import RunPrebuilt

    return build.add(
        RunPrebuilt(
            axf=image.axf,
            platform=build.platform.path,
            npu=configuration.board_npu.name,
            system_config=configuration.system_config,
            simulator=simulator(build),
            fvp_programs=fvp_programs(build, configuration),
            model=compiled.model,
            network=network.path,
            samples=tuple(sample.name for sample in usecase.samples),
            tensors=tensors,
            reset_state=usecase.descriptor.model.reset_state,
            fast=build.session.is_fast,
            count_calls=configuration.runtime.inference_function or None,
            tools=simulator_versions(build, configuration),
            time_limit_s=_time_limit_s(build, configuration),
            quiet=not _is_alone(build),
            result=result,
        )
    ).result


def _check_booting(build: Build, configuration: Configuration) -> None:
    """Refuse to run a program on this machine where a board or a simulator is asked for."""
    asked = [name for name in sorted(_BOOTING) if name in build.session.targets]
    if build.session.values["simulator"] != _AUTO:
        asked.append(f"simulator={build.session.simulator}")
    asked += ["strict=1"] if build.session.strict else []
    if asked:
        raise EthosmithError(
            f"{asked[0]}: {no_runner(build, configuration)}; without {asked[0]}, its program"
            " is made, and runs on this machine"
        )


def _input_files(
    build: Build, usecase: SelectedUseCase, network: Int8Network, host: Path
) -> tuple[Path, ...]:
    """Declare the network's input tensors of each sample."""
    from ethosmith.steps.write_inputs import WriteInputs

    names = tuple(sample.name for sample in usecase.samples)
    files = tuple(usecase.outputs / "inputs" / f"{name}.bin" for name in names)
    return build.add(
        WriteInputs(network=network.path, program=host, samples=names, files=files)
    ).files


def verified_run(
    build: Build,
    usecase: SelectedUseCase,
    configuration: Configuration,
    result: Path,
    expected: Path,
) -> Path:
    """Declare the file that exists when the device was right."""
    return build.add(
        CompareRun(
            usecase=usecase.variant,
            result=result,
            expected=expected,
            expect={s.name: s.expect for s in usecase.samples if s.expect is not None},
            expect_times={
                s.name: plain(s.expect_times) for s in usecase.samples if s.expect_times is not None
            },
            axf=None
            if not configuration.runtime.links_image or _job_on_host(build, configuration)
            else image_file(usecase, configuration, ".axf"),
            output=image_file(usecase, configuration, "_verified.json"),
        )
    ).output


def _is_alone(build: Build) -> bool:
    session = build.session
    return len(session.usecases) * len(session.configurations) == 1 or session.verbose


def _time_limit_s(build: Build, configuration: Configuration) -> float:
    session = build.session
    on_fvp = simulator(build) != _OPEN and _installed_fvp(build, configuration)
    return (
        FVP_TIME_LIMIT_S if on_fvp and "time_limit_s" not in session.given else session.time_limit_s
    )


def _uart_output(build: Build) -> tuple[tuple[str, ...], str | None]:
    """Show what one device answers; of many, only the summary (each result file has it all)."""
    if build.session.verbose:
        return (), None
    return (("tensor", "window"), None) if _is_alone(build) else ((), os.devnull)


def simulator_versions(build: Build, configuration: Configuration) -> tuple[str, ...]:
    """Return what tells one simulator from another; a missing one is named by the run itself."""
    asked = build.session.simulator
    found = [] if asked == _OPEN else _installed_fvp(build, configuration)
    if found or simulator(build) == _FVP:
        return tuple(found)
    try:
        return (f"QEMU {program_version(find_program('qemu-system-arm'))}",)
    except EthosmithError:
        return ()


def simulator(build: Build) -> str:
    """Return the value of ``simulator=``; without the open board there is only the FVP.

    Raises:
        EthosmithError: the open board is asked for and cannot be this platform.
    """
    platform, asked = build.platform.descriptor, build.session.simulator
    _check_strict(build)
    if platform.open_board:
        return _OPEN if build.session.strict else asked
    if asked == _OPEN:
        raise EthosmithError(
            f"simulator=open: the open board has no {platform.name}, which runs on its FVP only"
        )
    return _FVP


def _check_strict(build: Build) -> None:
    platform, asked = build.platform.descriptor, build.session.simulator
    if build.session.strict and not platform.open_board:
        raise EthosmithError(f"strict=1 is the open board's, which has no {platform.name}")
    if build.session.strict and asked == _FVP:
        raise EthosmithError("strict=1 is the open board's; leave out simulator=")


def fvp_programs(build: Build, configuration: Configuration) -> tuple[str, ...]:
    """Return the FVP's program for the platform and the NPU on it; nothing if there is none."""
    fvp = build.platform.descriptor.fvp
    return tuple(
        executable.file
        for executable in (fvp.executables if fvp else ())
        if executable.product == configuration.board_npu.product
    )


def reason_not_to_run(build: Build) -> str | None:
    """Return why a plain ``scons`` runs nothing, or None if it does.

    A simulator that was asked for by name is no reason: the run then says that it is missing.
    """
    platform = build.platform.descriptor
    if platform.fvp is None:
        return f"{platform.name} is a board; the target 'run' boots the image on the open board"
    if platform.open_board or build.session.simulator != _AUTO:
        return None
    for configuration in build.session.configurations:
        if not _installed_fvp(build, configuration):
            (program,) = fvp_programs(build, configuration)
            return (
                f"{program} is not installed (FVP_PATH), and the open board has no {platform.name}"
            )
    return None


def _job_on_host(build: Build, configuration: Configuration) -> bool:
    """Say whether nothing here can boot an image whose NPU's job can run in the NPU model."""
    platform = build.platform.descriptor
    return (
        platform.fvp is not None
        and not platform.open_board
        and build.session.values["simulator"] == _AUTO
        and not _BOOTING.intersection(build.session.targets)
        and configuration.runtime == DIRECT
        and not _installed_fvp(build, configuration)
    )


def all_jobs_on_host(build: Build) -> bool:
    """Say whether the NPU's jobs of all images run in the NPU model, or on an installed FVP."""
    configurations = build.session.configurations
    return all(_job_on_host(build, one) or _installed_fvp(build, one) for one in configurations)


def _installed_fvp(build: Build, configuration: Configuration) -> Sequence[str]:
    given = build.session.process_environment
    # FVP_PATH names the program or its folder.
    named = given.get("FVP_PATH", "")
    if named and Path(named).is_file():
        return [named]
    path = named or given.get("PATH", "")
    programs = fvp_programs(build, configuration)
    names = [name for program in programs for name in (program, program.replace("FVP_", "VHT_", 1))]
    return [place for name in names if (place := shutil.which(name, path=path))]
