# SPDX-License-Identifier: Apache-2.0
"""The target ``live``: a page whose sounds and pictures go to an image on the open board."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.graph.build import Build, step_after
from ethosmith.graph.configuration import Configuration
from ethosmith.graph.images import Generated, Image, firmware_image
from ethosmith.graph.layout import SelectedUseCase
from ethosmith.graph.own_files import formats_of, suffixes_taken
from ethosmith.graph.pytorch import Int8Network
from ethosmith.graph.samples import shown
from ethosmith.graph.simulators import simulator
from ethosmith.installation import DESCRIPTOR_ROOT

LIVE = "live"
_SOURCES = "firmware/live"
_PACKAGES = ("starlette", "uvicorn", "websockets")
_CLIPS = Path("recordings")
_LISTED = "labels.csv"


def declare_live(
    build: Build,
    usecase: SelectedUseCase,
    configuration: Configuration,
    generated: Generated,
    network: Int8Network,
    files: Sequence[Path],
    inputs: Path | None,
) -> None:
    """Declare the image that takes samples from the host, and the page, if they are asked for.

    Args:
        build: where they are declared.
        usecase: the descriptor, or what was given in its place.
        configuration: for which NPU.
        generated: the sources of model and labels.
        network: the int8 network.
        files: the use case's samples, as the device takes them.
        inputs: of `ethosmith.graph.models.network_inputs`.

    Raises:
        EthosmithError: not exactly one image, or the open board cannot run it.
    """
    if LIVE not in build.session.targets:
        return
    _check(build)
    image = _image(build, usecase, configuration, generated)
    from ethosmith.steps.serve_live import ServeLive

    step = ServeLive(
        usecase=usecase.variant,
        heading=usecase.descriptor.title,
        configuration=configuration.title,
        axf=image.axf,
        platform=build.platform.path,
        npu=configuration.board_npu.name,
        system_config=configuration.system_config,
        network=network.path,
        usage=image.usage,
        form=usecase.descriptor.sample_form,
        network_inputs=inputs,
        suffixes=tuple(suffixes_taken(formats_of(usecase.descriptor))),
        labels=_classes(usecase),
        example=files[0] if files else None,
        clips=_clips(build, usecase),
        port=_port(build),
        time_limit_s=build.session.time_limit_s,
    )
    build.engine.alias(LIVE, step.inputs)
    step_after(build, LIVE, step)


def _classes(usecase: SelectedUseCase) -> tuple[str, ...]:
    """What a sample may be said to be."""
    accuracy = usecase.descriptor.accuracy
    return tuple((accuracy and accuracy.classes) or usecase.labels)


def _image(
    build: Build, usecase: SelectedUseCase, configuration: Configuration, generated: Generated
) -> Image:
    """Declare the image that takes samples from the host."""
    own = build.project.relative(DESCRIPTOR_ROOT / _SOURCES / "live.c")
    sources = (*generated.sources, _window(build, usecase), own)
    name = f"{usecase.variant}_{LIVE}"
    return firmware_image(build, usecase, configuration, generated._replace(sources=sources), name)


def _window(build: Build, usecase: SelectedUseCase) -> Path:
    """Declare the C file that says where the host puts a sample."""
    from ethosmith.steps.generate_samples_window import GenerateSamplesWindow

    window = GenerateSamplesWindow(
        usecase=usecase.name,
        platform=build.platform.path,
        source=shown(build, usecase),
        live=True,
        output=usecase.outputs / LIVE / build.platform.descriptor.name / "live_window.c",
    )
    return build.add(window).output


def _check(build: Build) -> None:
    session = build.session
    count = len(session.usecases) * len(session.configurations)
    if count != 1:
        raise EthosmithError(
            f"live takes one image, not {count}: give usecase=NAME, and one npu=, memory_mode= and"
            " runtime="
        )
    if not build.platform.descriptor.open_board or simulator(build) == "fvp":
        raise EthosmithError("live runs on the open board: leave out target= and simulator=")
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise EthosmithError(
            f"live needs the Python package {missing[0]}: pip install 'ethosmith[live]'"
        )


def _port(build: Build) -> int:
    text = build.session.values["port"]
    if text and not (text.isascii() and text.isdigit() and int(text) < 1 << 16):
        raise EthosmithError(f"port={text}: live takes the number of a TCP port, such as 8080")
    return int(text or 0)


def _clips(build: Build, usecase: SelectedUseCase) -> Path:
    """Return the folder for clips.

    Raises:
        EthosmithError: its labels are in a table, which the page does not write.
    """
    folder = build.session.evaluation_folder or _CLIPS / usecase.name
    if (build.project.root / folder / _LISTED).exists():
        raise EthosmithError(
            f"{folder}: lists its labels in {_LISTED}; live keeps clips in a folder with a"
            " sub-folder for each label"
        )
    return folder
