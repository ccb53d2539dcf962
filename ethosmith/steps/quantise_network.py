# SPDX-License-Identifier: Apache-2.0
"""Quantise a float network to int8 throughout, inputs and outputs included."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import TFLITE_SUFFIX
from ethosmith.steps.step import TENSORFLOW, Inputs, Output, Step, step

if TYPE_CHECKING:
    from ethosmith.models.calibration import Batch, Representative
    from ethosmith.models.keras_model import GivenInput


@step(
    verb="QUANTISE",
    packages=(
        *("ai-edge-litert", "ai-edge-quantizer", "flatbuffers", "keras", "numpy"),
        "tensorflow",
    ),
    isolated=True,
    distributable=True,
)
class QuantiseNetwork(Step):
    """Quantise a float network to int8 throughout; a .tflite that is int8 passes through.

    Attributes:
        model: .h5, .keras or a SavedModel folder (float), or .tflite (float or int8).
        model_files: that file, or every file of the folder.
        representative: raw float32 input tensors that calibrate the quantisation.
        arrays: .npz files with an array for each of the network's inputs instead, by name.
        random: ``seed``, ``count``, ``low`` and ``high`` of uniform random inputs instead.
        label_count: values that the first output must have; 0: it has no labels.
        output: the int8 .tflite.
    """

    model: Path
    model_files: Inputs
    representative: Inputs = ()
    arrays: Inputs = ()
    random: Mapping[str, Any] | None = None
    label_count: int = 0
    output: Output

    @property
    def server(self) -> str:
        """The fork server that has imported TensorFlow, which a .tflite does without."""
        return "" if self.model.suffix.lower() == TFLITE_SUFFIX else TENSORFLOW

    def run(self) -> None:
        """Convert the network, check it and write it."""
        from ethosmith.models.quantise import quantise

        data = self._representative()
        for note in quantise(self.model, self.output, data, label_count=self.label_count):
            sys.stdout.write(f"CONVERT   {self.model}: {note}\n")

    def rounds(self) -> bool:
        """Say yes: the ranges of a float network's tensors are computed in floating point."""
        return True

    def _representative(self) -> Representative:
        from ethosmith.models.calibration import RandomData, from_arrays, from_random

        if self.random is not None:
            random = RandomData(**self.random)
            return lambda shapes: from_random(random, shapes)
        if self.arrays:
            return lambda inputs: from_arrays(self.arrays, inputs)
        if not self.representative and self.model.suffix.lower() != TFLITE_SUFFIX:
            raise self._without_data()
        return self._from_samples

    def _from_samples(self, inputs: Sequence[GivenInput]) -> Callable[[], Iterator[Batch]]:
        """An int8 .tflite does not ask for it."""
        from ethosmith.models.calibration import from_files

        if not self.representative:
            raise self._without_data()
        return from_files(self.representative, inputs)

    def _without_data(self) -> EthosmithError:
        return EthosmithError(
            f"{self.model}: quantising needs representative data: give the use case samples or"
            " 'representative: {seed: 0}'"
        )

    def crashed(self, signal: str) -> str:
        """Return what is wrong with the model."""
        from ethosmith.models.keras_file import reader_crashed

        return reader_crashed(self.model, signal) or (
            f"{self.model}: TensorFlow's converter crashed; the weights are finite, so run the"
            " float network on its representative data and look for values inside it that overflow"
        )
