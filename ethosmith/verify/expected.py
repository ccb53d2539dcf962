# SPDX-License-Identifier: Apache-2.0
"""What the device should say: the same samples and network, on the host's reference kernels."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ethosmith.core.files import write_text
from ethosmith.core.program import run_step
from ethosmith.verify.host_network import HostNetwork
from ethosmith.verify.host_program import answer, quantised_inputs


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


def main(argv: Sequence[str]) -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(prog="python -m ethosmith.verify.expected")
    parser.add_argument("--network", type=Path, required=True, help="int8 .tflite")
    parser.add_argument("--program", type=Path, required=True, help="the use case's host program")
    parser.add_argument("--sample", action="append", default=[], help="its name")
    parser.add_argument("--output", type=Path, required=True)
    given = parser.parse_args(argv)
    samples = expected_samples(given.network, given.program, given.sample)
    write_text(given.output, json.dumps({"samples": samples}, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(run_step(main))
