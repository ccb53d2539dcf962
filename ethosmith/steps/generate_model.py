# SPDX-License-Identifier: Apache-2.0
"""model.c: the compiled network as constants, and its work areas as arrays."""

from __future__ import annotations

from ethosmith.core.files import write_text
from ethosmith.steps.step import Input, Output, Step, step


@step(verb="GENERATE", packages=("ai-edge-litert", "numpy"))
class GenerateModel(Step):
    """Generate model.c for the NPU: the compiled network as constants, its work areas as arrays.

    Attributes:
        raw: Vela's raw output.
        network: the int8 .tflite that it was made from, or the JSON beside a .tosa, for names and
            quantisation.
        model_name: as the device prints it.
        accelerator_config: the NPU that it was compiled for, such as ``ethos-u55-128``.
        memory_mode: Vela's name of where the model lies.
        reset_state: the descriptor's ``model.reset_state``.
        source: the network, as the file names it.
        output: the C source.
    """

    raw: Input
    network: Input
    model_name: str
    accelerator_config: str
    memory_mode: str
    reset_state: str = "sample"
    source: str
    output: Output

    def run(self) -> None:
        """Read the network and write the C source."""
        from ethosmith.core.accelerators import parse_accelerator
        from ethosmith.lib.model_image import model_hash, model_image
        from ethosmith.lib.model_source import ModelIdentity, model_source
        from ethosmith.models.compiled import read_compiled
        from ethosmith.models.int8_check import network_spec_of

        compiled = read_compiled(self.raw, network_spec_of(self.network))
        accelerator = parse_accelerator(self.accelerator_config)
        identity = ModelIdentity(self.model_name, accelerator, self.memory_mode, self.reset_state)
        content_hash = model_hash(model_image(compiled, identity))
        write_text(self.output, model_source(compiled, identity, content_hash, self.source))
