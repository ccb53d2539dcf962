# SPDX-License-Identifier: Apache-2.0
"""Compute what the device should answer with a PyTorch network, on TOSA's reference model."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from ethosmith.core.files import write_text
from ethosmith.steps.step import Input, OptionalInput, Output, Step, Unsigned, step


@step(
    verb="EXPECT",
    packages=("executorch", "numpy", "torch", "tosa-tools"),
    isolated=True,
    environment="pytorch",
)
class ComputePytorchExpected(Step):
    """Compute what the device should answer: TOSA's reference model, beside PyTorch's own graph.

    Attributes:
        quantised: PyTorch's int8 graph, of the step quantise-pytorch.
        tosa: the same as TOSA; none: operators may stay on the CPU, and PyTorch computes them.
        network: inputs and outputs, of the step lower-pytorch.
        program: the use case's host program, with the samples baked in.
        samples: their names, in their order.
        output: answer, score and output tensors of each sample, and how many elements differ from
            PyTorch's graph, JSON.
        offline: do not install the PyTorch environment.
    """

    quantised: Input
    tosa: OptionalInput = None
    network: Input
    program: Input
    samples: tuple[str, ...]
    output: Output
    offline: Unsigned[bool] = False

    def run(self) -> None:
        """Run every sample on the host and write the answers.

        Raises:
            EthosmithError: the two oracles differ by more than rounding.
        """
        from ethosmith.pytorch.reference import TosaNetwork
        from ethosmith.verify.expected import expected_samples

        network = TosaNetwork.of_files(self.tosa, self.network, self.quantised)
        samples = expected_samples(network, self.program, self.samples)
        agreement = network.agreement
        agreement.check(self.quantised)
        if agreement.different:
            sys.stdout.write(
                f"note: {agreement.different:,} of {agreement.elements:,} output elements differ"
                f" from PyTorch's quantised graph, by at most {agreement.largest}: it rounds in"
                " floating point, see docs/pytorch.md\n"
            )
        found = {
            "oracle": network.oracle,
            "samples": samples,
            "pytorch": asdict(agreement),
        }
        write_text(self.output, json.dumps(found, indent=2) + "\n")
