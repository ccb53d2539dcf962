# SPDX-License-Identifier: Apache-2.0
"""The compiled network as a file for the board's model partition: another model, the same image."""

from __future__ import annotations

from ethosmith.core.files import write_bytes
from ethosmith.steps.step import Input, Output, Step, step


@step(verb="GENERATE", packages=("ai-edge-litert", "numpy", "pydantic", "pydantic-core", "pyyaml"))
class WriteModelImage(Step):
    """Write the compiled network as a file for the model partition, with a header and its hash.

    Attributes:
        platform: the platform.yaml.
        raw: Vela's raw output.
        network: the int8 .tflite that it was made from, for names and quantisation.
        model_name: as the device prints it.
        accelerator_config: the NPU that it was compiled for, such as ``ethos-u55-128``.
        memory_mode: Vela's name of where the model lies.
        reset_state: the descriptor's ``model.reset_state``.
        output: the file.
    """

    platform: Input
    raw: Input
    network: Input
    model_name: str
    accelerator_config: str
    memory_mode: str
    reset_state: str = "sample"
    output: Output

    def run(self) -> None:
        """Read the network and write the file.

        Raises:
            EthosmithError: the platform has no partition in that memory mode, or it is too small.
        """
        from ethosmith.core.accelerators import parse_accelerator
        from ethosmith.core.errors import EthosmithError
        from ethosmith.descriptors.platform import load_platform
        from ethosmith.lib.model_image import model_image
        from ethosmith.lib.model_source import ModelIdentity
        from ethosmith.models.compiled import read_compiled
        from ethosmith.models.int8_check import check_int8

        platform = load_platform(self.platform)
        place = platform.partition_place(self.memory_mode)
        if place is None:
            raise EthosmithError(
                f"platform {platform.name} has no model partition in memory mode {self.memory_mode}"
            )
        accelerator = parse_accelerator(self.accelerator_config)
        identity = ModelIdentity(self.model_name, accelerator, self.memory_mode, self.reset_state)
        image = model_image(read_compiled(self.raw, check_int8(self.network)), identity)
        if len(image) > place.size_bytes:
            raise EthosmithError(
                f"{self.output}: {len(image):,} bytes, the model partition of platform"
                f" {platform.name} has {place.size_bytes:,}"
            )
        write_bytes(self.output, image)
