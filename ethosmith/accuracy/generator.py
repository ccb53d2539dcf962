# SPDX-License-Identifier: Apache-2.0
"""For the scripts of ``accuracy.generate``: their command line, and what they write."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ethosmith.accuracy.evaluation_set import labelled_files, write_folder
from ethosmith.accuracy.set_file import Item
from ethosmith.core.files import read_bytes
from ethosmith.core.program import run_step


@dataclass(frozen=True)
class Request:
    """What a script is asked for.

    Attributes:
        seed: to draw from.
        count: items to make.
        given: the items that the descriptor names, in the form that the device takes.
    """

    seed: int
    count: int
    given: tuple[Item, ...]


def run_generator(make: Callable[[Request], Iterable[Item]]) -> int:
    """Run a script that makes items with ``make``; return its exit code."""

    def step(argv: Sequence[str]) -> None:
        parser = argparse.ArgumentParser()
        parser.add_argument("--seed", type=int, required=True)
        parser.add_argument("--count", type=int, required=True)
        parser.add_argument("--given", type=Path, required=True, help="folder with a labels.csv")
        parser.add_argument("--output", type=Path, required=True, help="gets the same")
        options = parser.parse_args(argv)
        given = tuple(_given(options.given))
        write_folder(options.output, make(Request(options.seed, options.count, given)))

    return run_step(step)


def _given(folder: Path) -> Iterable[Item]:
    if any(folder.glob("*.bin")):
        for file in labelled_files(folder):
            yield Item(file.path.stem, file.label, read_bytes(file.path))
