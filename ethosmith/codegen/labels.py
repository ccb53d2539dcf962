# SPDX-License-Identifier: Apache-2.0
"""labels.c: the class names, in the order of the network's output."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from ethosmith.codegen.c_text import notice, string
from ethosmith.core.files import write_text
from ethosmith.core.program import run_step


def labels_source(labels: Sequence[str], source: str) -> str:
    """Return the C source that defines ``labels`` and ``label_count`` of runtime/labels.h.

    Each text is an array of its own, so that the section holds texts and pointers both.
    """
    placed = "__attribute__((section(LABELS_SECTION)))"
    texts = "".join(
        f"static const char label_{index}[] {placed} = {string(label)};\n"
        for index, label in enumerate(labels)
    )
    names = "\n".join(f"    label_{index}," for index in range(len(labels))) or "    0,"
    count = len(labels)
    return (
        f'{notice(source)}#include "labels.h"\n\n{texts}\n'
        f"const char *const labels[] {placed} = {{\n{names}\n}};\n\n"
        f"const uint32_t label_count = {count};\n"
    )


def main(argv: Sequence[str]) -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(prog="python -m ethosmith.codegen.labels")
    parser.add_argument("--labels-json", required=True)
    parser.add_argument("--source", required=True, help="the descriptor, as the file names it")
    parser.add_argument("--output", type=Path, required=True)
    given = parser.parse_args(argv)
    write_text(given.output, labels_source(json.loads(given.labels_json), given.source))


if __name__ == "__main__":
    sys.exit(run_step(main))
