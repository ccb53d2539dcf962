# SPDX-License-Identifier: Apache-2.0
"""Compute what the device should answer: the same samples and network, on the host."""

from __future__ import annotations

import json
import sys
from typing import Any

from ethosmith.core.files import write_text
from ethosmith.core.program import without_missing
from ethosmith.steps.step import Input, Output, Step, step


@step(
    verb="EXPECT",
    packages=("ai-edge-litert", "flatbuffers", "numpy", "tflite-micro"),
    isolated=True,
)
class ComputeExpected(Step):
    """Compute what the device should answer, with an interpreter of the host.

    Attributes:
        network: the int8 .tflite.
        program: the use case's host program, with the samples baked in.
        samples: their names, in their order.
        reset_state: the descriptor's ``model.reset_state``.
        output: which interpreter it was, and answer, score and output tensors of each sample, JSON;
            ``not_compared`` and the samples' names alone, where no interpreter runs the network.
    """

    network: Input
    program: Input
    samples: tuple[str, ...]
    reset_state: str = "sample"
    output: Output

    @property
    def packages(self) -> tuple[str, ...]:
        """The distributions it computes with; one of them does not exist for every machine."""
        return without_missing(self.traits.packages)

    def run(self) -> None:
        """Run every sample on the host and write the answers; or why nothing here can run them."""
        from ethosmith.verify.expected import expected_samples
        from ethosmith.verify.host_network import HostNetwork
        from ethosmith.verify.oracles import NoOracleError

        found: dict[str, Any]
        try:
            on_host = HostNetwork.int8(self.network, self.reset_state)
        except NoOracleError as error:
            sys.stdout.write(f"note: the device will not be compared: {error}\n")
            samples = [{"name": name} for name in self.samples]
            found = {"oracle": "", "not_compared": str(error), "samples": samples}
        else:
            samples = expected_samples(on_host, self.program, self.samples)
            found = {"oracle": on_host.oracle.name, "samples": samples}
        write_text(self.output, json.dumps(found, indent=2) + "\n")

    def crashed(self, signal: str) -> str:
        """Return what is wrong with the network."""
        del signal
        return f"{self.network}: crashes the host's interpreter; is the file damaged?"
