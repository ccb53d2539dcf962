# SPDX-License-Identifier: Apache-2.0
"""Lower a quantised program to TOSA for the NPU: one graph, with int8 inputs and outputs.

A network that leaves operators to the CPU has no such graph, but inputs and outputs all the same.
"""

from __future__ import annotations

import operator
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.models.tensor_spec import NetworkSpec, TensorSpec
from ethosmith.pytorch.partition import (
    DELEGATE,
    DEQUANTISE,
    NOT_QUANTISED,
    QUANTISE,
    Left,
    boundary_of,
    is_operator,
    left_outside,
    partitioned,
    spec_of,
)

_MAX_ROWS, _MAX_REASON = 20, 160


@dataclass(frozen=True)
class Lowered:
    """A network as TOSA.

    Attributes:
        tosa: the flatbuffer.
        spec: its inputs and outputs, in the network's order.
    """

    tosa: bytes
    spec: NetworkSpec


def lowered_network(shown: Path, program: Any) -> Lowered:
    """Return the quantised ``program`` as TOSA.

    Args:
        shown: the network, for messages.
        program: an ExportedProgram of `quantised_program`.

    Raises:
        EthosmithError: an operator would stay outside, with a table of all of them.
    """
    program, reasons = partitioned(shown, program)
    return _of_edge(shown, program, reasons)


def partitioned_spec(shown: Path, program: Any) -> NetworkSpec:
    """Return inputs and outputs of a quantised ``program`` that may leave operators to the CPU.

    Raises:
        EthosmithError: an operator cannot be lowered, or nothing at all runs on the NPU.
    """
    program, reasons = partitioned(shown, program)
    nodes = [node for node in program.graph.nodes if node.op == "call_function"]
    if not any(is_operator(node, DELEGATE) for node in nodes):
        left = left_outside([node for node in nodes if not _is_boundary(node)], reasons)
        raise EthosmithError(
            f"{shown}: no operator of it can run on the NPU:\n" + "\n".join(operator_rows(left))
        )
    return boundary_of(program).spec


def _of_edge(shown: Path, program: Any, reasons: dict[str, str]) -> Lowered:
    nodes = [node for node in program.graph.nodes if node.op == "call_function"]
    delegates = [node for node in nodes if is_operator(node, DELEGATE)]
    outside = [node for node in nodes if not _is_boundary(node)]
    if outside or len(delegates) != 1:
        raise EthosmithError(left_table(shown, left_outside(outside, reasons), len(delegates)))
    (delegate,) = delegates
    module = getattr(program.graph_module, delegate.args[0].target)
    given = list(delegate.args[1:])
    made = _outputs(shown, program, delegate)
    names = program.graph_signature.user_inputs
    if [node.args[0].name for node in given] != list(names):
        raise EthosmithError(
            f"{shown}: the NPU takes the inputs {[n.args[0].name for n in given]}, the network has"
            f" {list(names)}; every input has to reach an operator, once, in the network's order"
        )
    inputs = tuple(spec_of(node.args[0].name, node.args[0], node) for node in given)
    return Lowered(bytes(module.processed_bytes), NetworkSpec(inputs, made))


def _outputs(shown: Path, program: Any, delegate: Any) -> tuple[TensorSpec, ...]:
    (result,) = program.graph.find_nodes(op="output")
    found, order = [], []
    for number, node in enumerate(result.args[0]):
        item = node.args[0] if is_operator(node, DEQUANTISE) else None
        if item is None or item.target is not operator.getitem or item.args[0] is not delegate:
            raise EthosmithError(f"{shown}: output {number} is not made by the NPU")
        order.append(item.args[1])
        found.append(spec_of(f"output_{number}", item, node))
    if order != sorted(set(order)):
        raise EthosmithError(f"{shown}: an output is there twice, or in another order")
    return tuple(found)


def _is_boundary(node: Any) -> bool:
    """Whether it only brings an input to int8, or an output back, or is the delegate."""
    if is_operator(node, QUANTISE):
        return bool(node.args[0].op == "placeholder") and all(
            is_operator(user, DELEGATE) for user in node.users
        )
    if is_operator(node, DEQUANTISE):
        return all(user.op == "output" for user in node.users)
    return is_operator(node, DELEGATE) or node.target is operator.getitem


def left_table(shown: Path, left: list[Left], parts: int) -> str:
    """Say which operators would fall back to the CPU, as a table, and what to do."""
    if not left:
        return (
            f"{shown}: the NPU would run it in {parts} parts with operators of the CPU between"
            " them, and runtime=direct has none; give every operator an int8 form, or take"
            " runtime=executorch"
        )
    count = f"{len(left)} operators" if len(left) > 1 else "an operator"
    return "\n".join(
        [
            f"{shown}: {count} cannot run on the NPU, and runtime=direct has no CPU kernels; change"
            " the network there, or let the CPU run them, with runtime=executorch:",
            *operator_rows(left),
        ]
    )


def operator_rows(left: list[Left]) -> list[str]:
    """Return a table of operators, their lines in the user's source, and reasons, as lines."""
    counts = Counter(left)
    # What is only not quantised is often so because of another, which comes first.
    order = sorted(counts, key=lambda one: one.reason == NOT_QUANTISED)
    rows = [("operator", "at", "reason")]
    for one in order[:_MAX_ROWS]:
        times = f" x {counts[one]}" if counts[one] > 1 else ""
        rows.append((one.kind + times, one.place, one.reason[:_MAX_REASON]))
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    lines = [f"  {a:<{widths[0]}}  {b:<{widths[1]}}  {c}".rstrip() for a, b, c in rows]
    if len(order) > _MAX_ROWS:
        lines.append(f"  and {len(order) - _MAX_ROWS} more rows")
    return lines
