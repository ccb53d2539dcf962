# SPDX-License-Identifier: Apache-2.0
"""Write each sample as the network's inputs, for an image that takes them from memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import write_bytes
from ethosmith.steps.step import Input, Outputs, Step, step
from ethosmith.verify.host_program import quantised_inputs


@step(verb="INPUTS", packages=("ai-edge-litert", "numpy"))
class WriteInputs(Step):
    """Write each sample as the network's inputs, for an image that takes them from memory.

    Attributes:
        network: the int8 .tflite, or the JSON of a PyTorch network.
        program: the use case's host program, with the samples baked in.
        samples: their names, in their order.
        files: the raw bytes of each sample's input tensors, one after another.
    """

    network: Input
    program: Input
    samples: tuple[str, ...]
    files: Outputs

    def run(self) -> None:
        """Call the host program's pre-processing and write the tensors."""
        if len(self.samples) != len(self.files):
            raise EthosmithError(f"{len(self.files)} files for {len(self.samples)} samples")
        inputs = network_inputs(self.network, self.program, self.samples)
        for file, data in zip(self.files, inputs, strict=True):
            write_bytes(file, data)

    @property
    def title(self) -> str:
        """The files' folder."""
        return self.files[0].parent.as_posix() if self.files else self.name()


def network_inputs(network: Path, program: Path, names: Sequence[str]) -> list[bytes]:
    """Return each sample as the raw bytes of the network's inputs, one after another.

    Args:
        network: the int8 .tflite, or the JSON of a PyTorch network.
        program: the use case's host program, with the same samples baked in.
        names: the samples' names, in their order.

    Raises:
        EthosmithError: a sample of several windows, or the program fails.
    """
    from ethosmith.models.int8_check import network_spec_of

    specs = network_spec_of(network).inputs
    size_bytes = sum(spec.size_bytes for spec in specs)
    inputs = [quantised_inputs(program, index, specs) for index in range(len(names))]
    for name, data in zip(names, inputs, strict=True):
        if len(data) != size_bytes:
            raise EthosmithError(
                f"sample {name}: {len(data)} bytes for inputs of {size_bytes}; an image that takes"
                " its inputs from memory runs one inference a sample"
            )
    return inputs
