# SPDX-License-Identifier: Apache-2.0
"""The columns of this machine: a float or int8 network on LiteRT, between the use case's own C++.

Both get their inputs from the host program, as float32 or as int8, and give it their outputs:
the networks' arithmetic is all that differs.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ethosmith.accuracy.answers import Answers, ItemAnswer, digest, write_answers
from ethosmith.accuracy.set_file import Item, read_set
from ethosmith.core.errors import EthosmithError
from ethosmith.core.program import run_step
from ethosmith.verify.host_network import HostNetwork
from ethosmith.verify.host_program import answer_of_file, inputs_of_file

_KINDS = {"float": HostNetwork.floating, "int8": HostNetwork.int8}


def host_answers(network: HostNetwork, program: Path, items: Sequence[Item]) -> Answers:
    """Run every item through pre-processing, ``network`` and post-processing.

    Raises:
        EthosmithError: the use case does not take an item.
    """
    with tempfile.TemporaryDirectory(prefix="accuracy-") as folder:
        file = Path(folder) / "sample.bin"
        return Answers(tuple(_answer(network, program, item, file) for item in items))


def _answer(network: HostNetwork, program: Path, item: Item, file: Path) -> ItemAnswer:
    file.write_bytes(item.data)
    try:
        outputs = network.run(inputs_of_file(program, file, network.specs.inputs))
        said = answer_of_file(program, file, b"".join(outputs), network.specs)
    except EthosmithError as error:
        raise EthosmithError(f"evaluation item '{item.name}': {error}") from None
    return ItemAnswer(item.name, said.text, said.score, digest(outputs))


def main(argv: Sequence[str]) -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(prog="python -m ethosmith.accuracy.host_answers")
    parser.add_argument("--kind", choices=sorted(_KINDS), required=True)
    parser.add_argument("--network", type=Path, required=True, help=".tflite of that kind")
    parser.add_argument("--program", type=Path, required=True, help="the use case's host program")
    parser.add_argument("--set", type=Path, required=True, help="of evaluation_set")
    parser.add_argument("--output", type=Path, required=True)
    given = parser.parse_args(argv)
    network = _KINDS[given.kind](given.network)
    write_answers(given.output, host_answers(network, given.program, read_set(given.set)))


if __name__ == "__main__":
    sys.exit(run_step(main))
