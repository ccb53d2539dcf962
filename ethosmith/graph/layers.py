# SPDX-License-Identifier: Apache-2.0
"""What each layer costs on the NPU, as it runs: the target ``layers``, and a part of the report."""

from __future__ import annotations

import sys
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.terminal import Look
from ethosmith.graph.build import Build
from ethosmith.graph.configuration import Configuration
from ethosmith.graph.images import Image
from ethosmith.graph.layout import SelectedUseCase, image_file, vela_folder
from ethosmith.graph.models import CompiledNetwork
from ethosmith.graph.pytorch import Int8Network
from ethosmith.graph.simulators import simulator_versions
from ethosmith.steps.compile_with_vela import CompileWithVela

_TARGET, _REPORT = "layers", "report"
_SUFFIX = "_layers.json"


def measured_layers(
    build: Build,
    usecase: SelectedUseCase,
    configuration: Configuration,
    image: Image,
    compiled: CompiledNetwork,
    network: Int8Network,
    host: Path,
) -> None:
    """Declare the account of an image's layers, if it is asked for, or a report that shows it.

    Args:
        build: where it is declared.
        usecase: what the image does.
        configuration: for which NPU.
        image: its files.
        compiled: what it executes.
        network: the int8 network that ``compiled`` is made from.
        host: the host program, which computes the inputs.
    """
    targets, output = build.session.targets, image_file(usecase, configuration, _SUFFIX)
    # A report shows what was measured before, and keeps it up to date.
    if _TARGET not in targets and not (_REPORT in targets and output.exists()):
        return
    made = build.made.get(compiled.model)
    if made is None or not isinstance(made.step, CompileWithVela) or _reason(build, configuration):
        return
    commands = _map(build, made.step, compiled.model, Path(vela_folder(usecase, configuration)))
    from ethosmith.steps.measure_layers import MeasureLayers

    account = build.add(
        MeasureLayers(
            axf=image.axf,
            map=commands,
            npu=configuration.board_npu.name,
            system_config=configuration.system_config,
            board=build.platform.descriptor.open_board or None,
            tools=simulator_versions(build, configuration),
            network=None if network.tosa else network.path,
            program=None if network.tosa else host,
            sample=usecase.samples[0].name,
            time_limit_s=build.session.time_limit_s,
            output=output,
        )
    )
    build.engine.alias(_TARGET, [account.output])


def _map(build: Build, vela: CompileWithVela, compiled: Path, folder: Path) -> Path:
    """Declare where the commands of what Vela compiled came from."""
    from ethosmith.steps.map_commands import MapCommands

    step = MapCommands(
        network=vela.network,
        network_name=vela.network_name,
        compiled=compiled,
        accelerator_config=vela.accelerator_config,
        system_config=vela.system_config,
        memory_mode=vela.memory_mode,
        optimise=vela.optimise,
        arena_cache_size_bytes=vela.arena_cache_size_bytes,
        output=folder / f"{vela.network_name}_commands.json",
    )
    return build.add(step).output


def layers_file(
    build: Build, usecase: SelectedUseCase, configuration: Configuration
) -> Path | None:
    """Return the account of an image's layers, if it is declared."""
    path = image_file(usecase, configuration, _SUFFIX)
    return path if path in build.made else None


def _reason(build: Build, configuration: Configuration) -> str:
    """Return why there is no account of an image; empty: there is one."""
    if configuration.accelerator is None:
        return "npu=none has no layers on an NPU"
    if not configuration.runtime.links_image:
        return f"runtime={configuration.runtime.name} is measured as a whole; take runtime=tflm"
    if not build.platform.descriptor.open_board:
        name = build.platform.descriptor.name
        return f"only the open board knows what each layer costs, and it cannot be {name}"
    return ""


def declare_layers(build: Build) -> None:
    """Declare what the target ``layers`` shows.

    Raises:
        EthosmithError: no image that is asked for has layers that can be measured.
    """
    session = build.session
    if _TARGET not in session.targets or build.engine.is_cleaning:
        return
    reasons = {one.title: _reason(build, one) for one in session.configurations}
    if all(reasons.values()):
        raise EthosmithError(f"layers: {next(iter(reasons.values()))}")
    files = {
        image.axf: Path(image.axf).with_name(f"{Path(image.axf).stem}{_SUFFIX}")
        for image in build.images
    }

    def show() -> None:
        from ethosmith.report.layers import (
            layers_json,
            layers_text,
            read_layers_file,
        )

        found = [
            read_layers_file(files[image.axf], image.usecase, image.configuration.title)
            for image in build.images
            if files[image.axf] in build.made
        ]
        build.answer(
            layers_json(found) if session.answers_json else layers_text(found, Look.of(sys.stdout))
        )

    build.show_after(_TARGET, show)
