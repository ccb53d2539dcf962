# SPDX-License-Identifier: Apache-2.0
"""Compute a sample's features on the host: representative data for quantisation."""

from __future__ import annotations

from ethosmith.core.files import read_json, write_bytes
from ethosmith.steps.step import Input, Output, Step, step


@step(verb="FEATURES")
class ComputeFeatures(Step):
    """Compute a sample's features on the host: representative data for quantisation.

    Attributes:
        program: the use case's host program, with the samples baked in.
        shape: of the step read-input-shape.
        index: of the sample.
        output: raw float32 values, little endian; of several windows one after another.
    """

    program: Input
    shape: Input
    index: int
    output: Output

    def run(self) -> None:
        """Call the host program and write what it computes."""
        from ethosmith.verify.host_program import features

        shape = read_json(self.shape)
        write_bytes(self.output, features(self.program, self.index, shape))
