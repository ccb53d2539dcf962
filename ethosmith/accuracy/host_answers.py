# SPDX-License-Identifier: Apache-2.0
"""Answer an evaluation set with a network on this machine, between the use case's own C++."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ethosmith.accuracy.set_file import Answers, Item, ItemAnswer, digest
from ethosmith.core.errors import EthosmithError
from ethosmith.verify.host_program import answer_of_file, inputs_of_file

if TYPE_CHECKING:
    from ethosmith.verify.expected import RunsNetwork


def host_answers(network: RunsNetwork, program: Path, items: Iterable[Item]) -> Answers:
    """Run every item through pre-processing, ``network`` and post-processing.

    Raises:
        EthosmithError: the use case does not take an item.
    """
    with tempfile.TemporaryDirectory(prefix="accuracy-") as folder:
        file = Path(folder) / "sample.bin"
        return Answers(tuple(_answer(network, program, item, file) for item in items))


def _answer(network: RunsNetwork, program: Path, item: Item, file: Path) -> ItemAnswer:
    file.write_bytes(item.data)
    try:
        outputs = network.run(inputs_of_file(program, file, network.specs.inputs))
        said = answer_of_file(program, file, b"".join(outputs), network.specs)
    except EthosmithError as error:
        raise EthosmithError(f"evaluation item '{item.name}': {error}") from None
    return ItemAnswer(item.name, said.text, said.score, digest(outputs))
