# SPDX-License-Identifier: Apache-2.0
"""Run an image on the board simulator and check what it answers."""

from __future__ import annotations

import os
from pathlib import Path

from ethosmith.descriptors.base import plain
from ethosmith.graph.build import Build
from ethosmith.graph.configuration import Configuration
from ethosmith.graph.executorch import executorch_on_host
from ethosmith.graph.images import Image
from ethosmith.graph.layout import SelectedUseCase, image_file
from ethosmith.graph.models import CompiledNetwork
from ethosmith.graph.pytorch import Int8Network, pytorch_answers
from ethosmith.graph.simulators import (
    check_booting,
    check_strict,
    fvp_programs,
    is_strict,
    runs_on_host,
    simulator,
    simulator_versions,
    time_limit_s_of,
)
from ethosmith.steps.compare_run import CompareRun
from ethosmith.steps.compute_expected import ComputeExpected
from ethosmith.steps.run_board import RunBoard


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
    if runs_on_host(build, configuration):
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
            strict=is_strict(build, configuration),
            fast=build.session.is_fast,
            count_calls=configuration.runtime.inference_function or None,
            tools=simulator_versions(build, configuration),
            hide=hidden,
            uart_file=uart_file,
            time_limit_s=time_limit_s_of(build, configuration),
            result=image_file(usecase, configuration, "_result.json"),
        )
    ).result


def _host_run(
    build: Build, usecase: SelectedUseCase, configuration: Configuration, image: Image, host: Path
) -> Path:
    from ethosmith.steps.run_npu_job import RunNpuJob

    check_strict(build)
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
        check_booting(build, configuration)
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
            time_limit_s=time_limit_s_of(build, configuration),
            quiet=not _is_alone(build),
            result=result,
        )
    ).result


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
            if not configuration.runtime.links_image or runs_on_host(build, configuration)
            else image_file(usecase, configuration, ".axf"),
            output=image_file(usecase, configuration, "_verified.json"),
        )
    ).output


def _is_alone(build: Build) -> bool:
    session = build.session
    return len(session.usecases) * len(session.configurations) == 1 or session.verbose


def _uart_output(build: Build) -> tuple[tuple[str, ...], str | None]:
    """Show what one device answers; of many, only the summary (each result file has it all)."""
    if build.session.verbose:
        return (), None
    return (("tensor", "window"), None) if _is_alone(build) else ((), os.devnull)
