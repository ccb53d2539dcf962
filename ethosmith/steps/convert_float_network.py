# SPDX-License-Identifier: Apache-2.0
"""Write a Keras network as a float32 .tflite, so that LiteRT runs it as it runs the int8 one."""

from __future__ import annotations

from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import write_bytes
from ethosmith.models.keras_file import converter_for, reader_crashed, repeatable_tensorflow
from ethosmith.steps.step import TENSORFLOW, Inputs, Output, Step, step


@step(verb="FLOAT", packages=("keras", "numpy", "tensorflow"), isolated=True)
class ConvertFloatNetwork(Step):
    """Convert a Keras network to a float32 .tflite, nothing quantised.

    Attributes:
        model: .h5, .keras or a SavedModel folder.
        model_files: that file, or every file of the folder.
        output: the float32 .tflite.
    """

    model: Path
    model_files: Inputs
    output: Output

    @property
    def server(self) -> str:
        """The fork server that has imported TensorFlow."""
        return TENSORFLOW

    def run(self) -> None:
        """Convert the network and write it."""
        write_bytes(self.output, float_network(self.model))

    def crashed(self, signal: str) -> str:
        """Return what is wrong with the model."""
        return reader_crashed(self.model, signal) or f"{self.model}: TensorFlow's converter crashed"


def float_network(model: Path) -> bytes:
    """Return the network of ``model`` (.h5, .keras or SavedModel folder), nothing quantised.

    Raises:
        EthosmithError: it cannot be read or converted.
    """
    with repeatable_tensorflow():
        converter, _ = converter_for(model)
        try:
            return bytes(converter.convert())
        except Exception as error:  # noqa: BLE001 the converter raises its own and MLIR's
            first = next(iter(str(error).strip().splitlines()), type(error).__name__)
            raise EthosmithError(f"{model}: has no float .tflite: {first[:300]}") from None
