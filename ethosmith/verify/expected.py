# SPDX-License-Identifier: Apache-2.0
"""What the device should say: the same samples and network, on the host's reference kernels."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ethosmith.cli import run_step
from ethosmith.files import write_text
from ethosmith.models.int8_check import NetworkSpec, check_int8, interpreter_of
from ethosmith.verify.host_program import answer, quantised_inputs
from ethosmith.verify.reference import reference_network


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
    specs = check_int8(network)
    interpreter = interpreter_of(reference_network(network.read_bytes()), str(network))
    return [
        {"name": name, **_run(interpreter, specs, program, index)}
        for index, name in enumerate(names)
    ]


def _run(interpreter: Any, specs: NetworkSpec, program: Path, index: int) -> dict[str, Any]:
    raw = quantised_inputs(program, index, specs.inputs)
    size_bytes = sum(spec.size_bytes for spec in specs.inputs)
    windows = [raw[at : at + size_bytes] for at in range(0, len(raw), size_bytes)]
    outputs = [output for window in windows for output in _outputs(interpreter, specs, window)]
    said = answer(program, index, b"".join(outputs), specs)
    return {
        "answer": said.text,
        "score": said.score,
        "ranked": said.ranked,
        "tensors": [out.hex() for out in outputs],
    }


def _outputs(interpreter: Any, specs: NetworkSpec, raw: bytes) -> list[bytes]:
    """Run the network on the raw bytes of its inputs and return those of its outputs."""
    for detail, spec in zip(interpreter.get_input_details(), specs.inputs, strict=True):
        tensor = np.frombuffer(raw, np.dtype(spec.dtype), spec.element_count).reshape(spec.shape)
        interpreter.set_tensor(detail["index"], tensor)
        raw = raw[tensor.nbytes :]
    interpreter.invoke()
    details = interpreter.get_output_details()
    return [interpreter.get_tensor(detail["index"]).tobytes() for detail in details]


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
