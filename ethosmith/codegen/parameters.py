# SPDX-License-Identifier: Apache-2.0
"""application_parameters.h: the use case's ``parameters:`` as C macros of the same names."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ethosmith.codegen.c_text import float_literal, notice, string
from ethosmith.core.files import write_text
from ethosmith.core.program import run_step

_INT_MAX = 2**31 - 1

Value = bool | int | float | str


def parameters_header(parameters: Mapping[str, Value], source: str) -> str:
    """Return the header; a key ``window_ms: 30`` becomes ``#define WINDOW_MS 30``."""
    lines = [f"#define {name.upper()} {_literal(value)}" for name, value in parameters.items()]
    guard = "ETHOSMITH_APPLICATION_PARAMETERS_H"
    body = "\n".join(lines)
    return f"{notice(source)}#ifndef {guard}\n#define {guard}\n\n{body}\n\n#endif\n"


def _literal(value: Value) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, float):
        return float_literal(value) if value >= 0 else f"({float_literal(value)})"
    return string(value)


def _integer(value: int) -> str:
    """Return a literal that is `int`, or `unsigned` where only that holds it."""
    if value > _INT_MAX:
        return f"{value}u"
    # C has no negative literals: the minus would be applied to a number beyond `int`.
    return str(value) if value >= 0 else f"({value + 1} - 1)" if value < -_INT_MAX else f"({value})"


def main(argv: Sequence[str]) -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(prog="python -m ethosmith.codegen.parameters")
    parser.add_argument("--parameters-json", required=True)
    parser.add_argument("--source", required=True, help="the descriptor, as the header names it")
    parser.add_argument("--output", type=Path, required=True)
    given = parser.parse_args(argv)
    write_text(given.output, parameters_header(json.loads(given.parameters_json), given.source))


if __name__ == "__main__":
    sys.exit(run_step(main))
