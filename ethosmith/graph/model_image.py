# SPDX-License-Identifier: Apache-2.0
"""The target ``model_image``: a model for the board's model partition, without an image."""

from __future__ import annotations

from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.graph.build import Build
from ethosmith.graph.configuration import Configuration
from ethosmith.graph.layout import SelectedUseCase, image_file
from ethosmith.graph.runtimes import DIRECT

MODEL_IMAGE = "model_image"


def declare_model_image(
    build: Build,
    usecase: SelectedUseCase,
    configuration: Configuration,
    compiled: Path,
    network: Path,
) -> None:
    """Declare NAME_model.bin, if the target ``model_image`` asks for it.

    Args:
        build: where it is declared.
        usecase: names the network.
        configuration: the NPU and memory mode of the image that is to run it.
        compiled: Vela's output.
        network: the int8 network, for names and quantisation.

    Raises:
        EthosmithError: the runtime or the platform has no model partition.
    """
    if MODEL_IMAGE not in build.session.targets:
        return
    if configuration.runtime != DIRECT:
        raise EthosmithError(
            f"{MODEL_IMAGE} needs runtime={DIRECT.name}, not {configuration.runtime.name}"
        )
    platform = build.platform.descriptor
    place = platform.partition_place(configuration.memory_mode)
    if place is None:
        raise EthosmithError(
            f"{MODEL_IMAGE}: platform {platform.name} has no model partition in memory mode"
            f" {configuration.memory_mode}"
        )
    from ethosmith.steps.write_model_image import WriteModelImage

    output = build.add(
        WriteModelImage(
            platform=build.platform.path,
            raw=compiled,
            network=network,
            model_name=usecase.model_name,
            accelerator_config=configuration.board_npu.name,
            memory_mode=configuration.memory_mode,
            reset_state=usecase.descriptor.model.reset_state,
            output=image_file(usecase, configuration, "_model.bin"),
        )
    ).output
    build.engine.alias(MODEL_IMAGE, [output])
    text = f"{output}: load it at {place.address:#010x} before the start of {usecase.name}.axf\n"
    build.show_after(MODEL_IMAGE, lambda: build.answer(text))
