# SPDX-License-Identifier: Apache-2.0
"""Compute what the device should answer: the same samples and network, on the host."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ethosmith.core.files import write_text
from ethosmith.steps.step import Input, Output, Step, step
from ethosmith.verify.host_program import answer, quantised_inputs

if TYPE_CHECKING:
    from ethosmith.verify.host_network import HostNetwork


@step(verb="EXPECT", packages=("ai-edge-litert", "flatbuffers", "numpy"))
class ComputeExpected(Step):
    """Compute what the device should answer, with the host's reference kernels.

    Attributes:
        network: the int8 .tflite.
        program: the use case's host program, with the samples baked in.
        samples: their names, in their order.
        output: answer, score and output tensors of each sample, JSON.
    """

    network: Input
    program: Input
    samples: tuple[str, ...]
    output: Output

    def run(self) -> None:
        """Run every sample on the host and write the answers."""
        samples = expected_samples(self.network, self.program, self.samples)
        write_text(self.output, json.dumps({"samples": samples}, indent=2) + "\n")


def expected_samples(network: Path, program: Path, names: Sequence[str]) -> list[dict[str, Any]]:
    """Run every sample on the host.

    Args:
        network: the int8 .tflite.
        program: the use case's host program, with the same samples baked in.
        names: the samples' names, in their order.

    Returns:
        Per sample: ``name``, ``answer``, ``score`` and ``ranked`` (as printed) and
        ``tensors``, each output's raw bytes as hexadecimal digits, window after window.
    """
    from ethosmith.verify.host_network import HostNetwork

    on_host = HostNetwork.int8(network)
    return [{"name": name, **_run(on_host, program, index)} for index, name in enumerate(names)]


def _run(network: HostNetwork, program: Path, index: int) -> dict[str, Any]:
    outputs = network.run(quantised_inputs(program, index, network.specs.inputs))
    said = answer(program, index, b"".join(outputs), network.specs)
    return {
        "answer": said.text,
        "score": said.score,
        "ranked": said.ranked,
        "tensors": [out.hex() for out in outputs],
    }
