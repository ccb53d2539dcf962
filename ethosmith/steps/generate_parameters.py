# SPDX-License-Identifier: Apache-2.0
"""application_parameters.h: the use case's ``parameters:`` as C macros of the same names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ethosmith.core.files import write_text
from ethosmith.lib.c_text import float_literal, notice, string
from ethosmith.steps.step import Output, Step, step

_INT_MAX = 2**31 - 1
Value = bool | int | float | str


@step(verb="GENERATE")
class GenerateParameters(Step):
    """Generate application_parameters.h: a use case's ``parameters:`` as C macros.

    Attributes:
        parameters: boolean, number or text by name.
        source: the descriptor, as the header names it.
        output: the header.
    """

    parameters: Mapping[str, Any]
    source: str
    output: Output

    def run(self) -> None:
        """Write the header."""
        write_text(self.output, parameters_header(self.parameters, self.source))


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
