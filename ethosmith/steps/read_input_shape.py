# SPDX-License-Identifier: Apache-2.0
"""Read the shape of a network's input, and check that the use case can fill it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ethosmith.core.files import write_text
from ethosmith.steps.step import Inputs, Output, Step, step


@step(
    verb="SHAPE",
    packages=("ai-edge-litert", "flatbuffers", "h5py", "keras", "numpy", "tensorflow"),
    isolated=True,
)
class ReadInputShape(Step):
    """Write the shape of a network's one input, if the use case's pre-processing can fill it.

    Attributes:
        model: .h5, .keras, .tflite or a SavedModel folder.
        model_files: that file, or every file of the folder.
        pattern: the sizes that the pre-processing can fill, without the batch, outermost first;
            ``"any"`` stands for every size.
        usecase: the descriptor, for messages.
        output: JSON, a list of sizes with a batch of 1.
    """

    model: Path
    model_files: Inputs
    pattern: Any
    usecase: str
    output: Output

    def run(self) -> None:
        """Read the shape, check it and write it."""
        from ethosmith.models.input_shape import fitting_shape

        shape = fitting_shape(self.model, self.pattern, self.usecase)
        write_text(self.output, json.dumps(shape) + "\n")

    def crashed(self, signal: str) -> str:
        """Return what is wrong with the model."""
        from ethosmith.models.keras_file import reader_crashed

        timed_out = reader_crashed(self.model, signal)
        return timed_out or f"{self.model}: crashes the reader of its format"
