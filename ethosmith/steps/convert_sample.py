# SPDX-License-Identifier: Apache-2.0
"""Convert a sample's file into the bytes that the device's pre-processing takes."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_json, write_bytes
from ethosmith.steps.step import OptionalInput, Output, Step, step


@step(
    verb="SAMPLE",
    packages=(
        "numpy",
        "pillow",
        "soundfile",
        "soxr",
    ),
)
class ConvertSample(Step):
    """Convert a sample into the bytes that the device's pre-processing takes.

    Attributes:
        input: the sample's file, read as ``format`` says.
        format: ``wav``, ``image``, ``csv``, ``npy``, ``raw`` or ``pcm16-python-list``.
        form: what the use case takes; ``UseCase.sample_form``.
        network: JSON of ReadNetworkInputs, where a sample holds the network's inputs as they are.
        seed: in place of a file, a number that the application makes its input from.
        output: the bytes.
    """

    input: OptionalInput = None
    format: str | None = None
    form: Mapping[str, Any] | None = None
    network: OptionalInput = None
    seed: int | None = None
    output: Output

    def run(self) -> None:
        """Read the file, or take the seed, and write the bytes."""
        from ethosmith.lib.sample_formats import SampleForm, read_sample, seed_bytes

        if (self.input is None) == (self.seed is None):
            raise EthosmithError(f"{self.output}: a sample has either an input or a seed")
        if self.seed is not None:
            write_bytes(self.output, seed_bytes(self.seed))
        elif self.input is not None:
            if self.format is None:
                raise EthosmithError(f"{self.input}: the format of the sample is missing")
            inputs = read_json(self.network) if self.network else ()
            form = SampleForm.of(self.form or {}, inputs)
            write_bytes(self.output, read_sample(self.input, self.format, form, self._report))

    def _report(self, converted: str) -> None:
        sys.stdout.write(f"CONVERT   {self.input}: {converted}\n")
