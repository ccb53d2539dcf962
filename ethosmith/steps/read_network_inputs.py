# SPDX-License-Identifier: Apache-2.0
"""Read shape and element type of a network's inputs, for samples that hold them as they are."""

from __future__ import annotations

import json
from pathlib import Path

from ethosmith.core.files import write_text
from ethosmith.steps.step import Inputs, Output, Step, step


@step(
    verb="INPUTS",
    packages=("ai-edge-litert", "flatbuffers", "h5py", "keras", "numpy", "tensorflow"),
    isolated=True,
)
class ReadNetworkInputs(Step):
    """Write shape and element type of a network's inputs, as they are after quantisation.

    Attributes:
        model: .h5, .keras, .tflite or a SavedModel folder.
        model_files: that file, or every file of the folder.
        output: JSON, a list of ``shape`` (with a batch of 1) and ``dtype``.
    """

    model: Path
    model_files: Inputs
    output: Output

    def run(self) -> None:
        """Read the inputs and write them."""
        from ethosmith.models.input_shape import network_inputs

        write_text(self.output, json.dumps(network_inputs(self.model)) + "\n")

    def crashed(self, signal: str) -> str:
        """Return what is wrong with the model."""
        from ethosmith.models.keras_file import reader_crashed

        timed_out = reader_crashed(self.model, signal)
        return timed_out or f"{self.model}: crashes the reader of its format"
