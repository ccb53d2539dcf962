# SPDX-License-Identifier: Apache-2.0
"""Write each sample as the network's inputs, for an image that takes them from memory."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import write_bytes
from ethosmith.core.program import run_step
from ethosmith.models.int8_check import check_int8
from ethosmith.verify.host_program import quantised_inputs


def network_inputs(network: Path, program: Path, names: Sequence[str]) -> list[bytes]:
    """Return each sample as the raw bytes of the network's inputs, one after another.

    Args:
        network: the int8 .tflite.
        program: the use case's host program, with the same samples baked in.
        names: the samples' names, in their order.

    Raises:
        EthosmithError: a sample of several windows, or the program fails.
    """
    specs = check_int8(network).inputs
    size_bytes = sum(spec.size_bytes for spec in specs)
    inputs = [quantised_inputs(program, index, specs) for index in range(len(names))]
    for name, data in zip(names, inputs, strict=True):
        if len(data) != size_bytes:
            raise EthosmithError(
                f"sample {name}: {len(data)} bytes for inputs of {size_bytes}; an image that takes"
                " its inputs from memory runs one inference a sample"
            )
    return inputs


def main(argv: Sequence[str]) -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(prog="python -m ethosmith.verify.inputs", description=__doc__)
    parser.add_argument("--network", type=Path, required=True, help="int8 .tflite")
    parser.add_argument("--program", type=Path, required=True, help="the use case's host program")
    parser.add_argument("--sample", action="append", default=[], help="NAME=OUTPUT")
    given = parser.parse_args(argv)
    pairs = [text.partition("=") for text in given.sample]
    inputs = network_inputs(given.network, given.program, [name for name, _, _ in pairs])
    for (_, _, output), data in zip(pairs, inputs, strict=True):
        write_bytes(Path(output), data)


if __name__ == "__main__":
    sys.exit(run_step(main))
