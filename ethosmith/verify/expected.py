# SPDX-License-Identifier: Apache-2.0
"""What the device should answer to each sample: the application and the network, on the host."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from ethosmith.models.tensor_spec import NetworkSpec
from ethosmith.verify.host_program import answer, quantised_inputs


class RunsNetwork(Protocol):
    """An int8 network that runs on this machine.

    Attributes:
        specs: its inputs and outputs.
    """

    specs: NetworkSpec

    def run(self, raw: bytes) -> list[bytes]:
        """Return the raw bytes of the outputs of each window, one window after another."""


def expected_samples(
    network: RunsNetwork, program: Path, names: Sequence[str]
) -> list[dict[str, Any]]:
    """Run every sample on the host.

    Args:
        network: computes as the device does.
        program: the use case's host program, with the same samples baked in.
        names: the samples' names, in their order.

    Returns:
        Per sample: ``name``, ``answer``, ``score`` and ``ranked`` (as printed) and
        ``tensors``, each output's raw bytes as hexadecimal digits, window after window.
    """
    return [{"name": name, **_run(network, program, index)} for index, name in enumerate(names)]


def _run(network: RunsNetwork, program: Path, index: int) -> dict[str, Any]:
    outputs = network.run(quantised_inputs(program, index, network.specs.inputs))
    said = answer(program, index, b"".join(outputs), network.specs)
    return {
        "answer": said.text,
        "score": said.score,
        "ranked": said.ranked,
        "tensors": [out.hex() for out in outputs],
    }
