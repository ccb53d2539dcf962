# SPDX-License-Identifier: Apache-2.0
"""Compute what the device should answer: the same samples and network, on the host."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ethosmith.core.files import write_text
from ethosmith.core.program import without_missing
from ethosmith.steps.step import Input, Output, Step, step
from ethosmith.verify.host_program import answer, quantised_inputs

if TYPE_CHECKING:
    from ethosmith.verify.host_network import HostNetwork


@step(verb="EXPECT", packages=("ai-edge-litert", "flatbuffers", "numpy", "tflite-micro"))
class ComputeExpected(Step):
    """Compute what the device should answer, with an interpreter of the host.

    Attributes:
        network: the int8 .tflite.
        program: the use case's host program, with the samples baked in.
        samples: their names, in their order.
        reset_state: the descriptor's ``model.reset_state``.
        output: which interpreter it was, and answer, score and output tensors of each sample, JSON.
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
        """Run every sample on the host and write the answers."""
        from ethosmith.verify.host_network import HostNetwork

        on_host = HostNetwork.int8(self.network, self.reset_state)
        samples = expected_samples(on_host, self.program, self.samples)
        found = {"oracle": on_host.oracle.name, "samples": samples}
        write_text(self.output, json.dumps(found, indent=2) + "\n")


def expected_samples(
    network: HostNetwork, program: Path, names: Sequence[str]
) -> list[dict[str, Any]]:
    """Run every sample on the host.

    Args:
        network: the int8 network.
        program: the use case's host program, with the same samples baked in.
        names: the samples' names, in their order.

    Returns:
        Per sample: ``name``, ``answer``, ``score`` and ``ranked`` (as printed) and
        ``tensors``, each output's raw bytes as hexadecimal digits, window after window.
    """
    return [{"name": name, **_run(network, program, index)} for index, name in enumerate(names)]


def _run(network: HostNetwork, program: Path, index: int) -> dict[str, Any]:
    outputs = network.run(quantised_inputs(program, index, network.specs.inputs))
    said = answer(program, index, b"".join(outputs), network.specs)
    return {
        "answer": said.text,
        "score": said.score,
        "ranked": said.ranked,
        "tensors": [out.hex() for out in outputs],
    }
