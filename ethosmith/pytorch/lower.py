# SPDX-License-Identifier: Apache-2.0
"""Lower a quantised program to TOSA for the NPU: one graph, with int8 inputs and outputs."""

from __future__ import annotations

import operator
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.models.tensor_spec import NetworkSpec, TensorSpec
from ethosmith.pytorch.places import first_line, place_in, place_of, quiet

# TOSA as Arm's lowering restricts it for U55 and U65.
_TOSA = "TOSA-1.0+INT+int16+int4+u55"
_DELEGATE = "executorch_call_delegate"
_QUANTISE = "quantized_decomposed.quantize_per_tensor.default"
_DEQUANTISE = "quantized_decomposed.dequantize_per_tensor.default"
_MAX_ROWS, _MAX_REASON = 20, 160
_NOT_QUANTISED = "not quantised to int8"
# What ExecuTorch says, and what that means to the network's author.
_REASONS = {
    "Node was not marked as quantized in the Arm backend.": _NOT_QUANTISED,
    "Not included in BaseTOSASupportList or a registered tosa_support_check": (
        "the NPU has no such operator"
    ),
}
_INTEGERS = {"torch.int8": "int8", "torch.int16": "int16", "torch.int32": "int32"}


@dataclass(frozen=True)
class Left:
    """An operator that TOSA for the NPU does not take: its name, the user's line, the reason."""

    kind: str
    place: str
    reason: str


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
    quiet()
    from executorch.backends.arm.tosa.compile_spec import TosaCompileSpec  # noqa: PLC0415
    from executorch.backends.arm.tosa.partitioner import TOSAPartitioner  # noqa: PLC0415
    from executorch.exir import to_edge_transform_and_lower  # noqa: PLC0415
    from executorch.exir.backend import utils  # noqa: PLC0415

    reasons: dict[str, str] = {}
    report = utils.WhyNoPartitionReporter.report_reject

    def remember(self: Any, node: Any, reason: str) -> None:
        reasons.setdefault(node.name, " ".join(reason.split()))
        report(self, node, reason)

    utils.WhyNoPartitionReporter.report_reject = remember
    try:
        partitioner = TOSAPartitioner(TosaCompileSpec(_TOSA))
        edge = to_edge_transform_and_lower(program, partitioner=[partitioner])
    except Exception as error:  # noqa: BLE001 passes and checks raise what they like
        place = place_in(str(error))
        at = f" at {place}" if place else ""
        raise EthosmithError(
            f"{shown}: cannot be lowered for the NPU{at}: {first_line(error)}"
        ) from None
    finally:
        utils.WhyNoPartitionReporter.report_reject = report
    return _of_edge(shown, edge.exported_program(), reasons)


def _of_edge(shown: Path, program: Any, reasons: dict[str, str]) -> Lowered:
    nodes = [node for node in program.graph.nodes if node.op == "call_function"]
    delegates = [node for node in nodes if _is(node, _DELEGATE)]
    outside = [node for node in nodes if not _is_boundary(node)]
    if outside or len(delegates) != 1:
        raise EthosmithError(left_table(shown, _left(outside, reasons), len(delegates)))
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
    inputs = tuple(_spec(node.args[0].name, node.args[0], node) for node in given)
    return Lowered(bytes(module.processed_bytes), NetworkSpec(inputs, made))


def _outputs(shown: Path, program: Any, delegate: Any) -> tuple[TensorSpec, ...]:
    (result,) = program.graph.find_nodes(op="output")
    found, order = [], []
    for number, node in enumerate(result.args[0]):
        item = node.args[0] if _is(node, _DEQUANTISE) else None
        if item is None or item.target is not operator.getitem or item.args[0] is not delegate:
            raise EthosmithError(f"{shown}: output {number} is not made by the NPU")
        order.append(item.args[1])
        found.append(_spec(f"output_{number}", item, node))
    if order != sorted(set(order)):
        raise EthosmithError(f"{shown}: an output is there twice, or in another order")
    return tuple(found)


def _spec(name: str, tensor: Any, quantiser: Any) -> TensorSpec:
    _, scale, zero_point, _, _, dtype = quantiser.args
    shape = tuple(int(size) for size in tensor.meta["val"].shape)
    return TensorSpec(name, _INTEGERS[str(dtype)], shape, float(scale), int(zero_point))


def _name(node: Any) -> str:
    """Return the operator's name, such as ``aten.relu.default``."""
    return str(getattr(node.target, "_op", node.target))


def _is(node: Any, name: str) -> bool:
    return _name(node) == name


def _is_boundary(node: Any) -> bool:
    """Whether it only brings an input to int8, or an output back, or is the delegate."""
    if _is(node, _QUANTISE):
        return bool(node.args[0].op == "placeholder") and all(
            _is(user, _DELEGATE) for user in node.users
        )
    if _is(node, _DEQUANTISE):
        return all(user.op == "output" for user in node.users)
    return _is(node, _DELEGATE) or node.target is operator.getitem


def _left(nodes: list[Any], reasons: dict[str, str]) -> list[Left]:
    found = []
    for node in nodes:
        if "quantize_per_" in _name(node):
            continue
        reason = reasons.get(node.name, "no reason given")
        kind = _name(node).removesuffix(".default")
        found.append(Left(kind, place_of(node), _REASONS.get(reason, reason)))
    return found


def left_table(shown: Path, left: list[Left], parts: int) -> str:
    """Say which operators would fall back to the CPU, as a table, and what to do."""
    if not left:
        return (
            f"{shown}: the NPU would run it in {parts} parts with operators of the CPU between"
            " them, and runtime=direct has none; give every operator an int8 form"
        )
    counts = Counter(left)
    # What is only not quantised is often so because of another, which comes first.
    order = sorted(counts, key=lambda one: one.reason == _NOT_QUANTISED)
    rows = [("operator", "at", "reason")]
    for one in order[:_MAX_ROWS]:
        times = f" x {counts[one]}" if counts[one] > 1 else ""
        rows.append((one.kind + times, one.place, one.reason[:_MAX_REASON]))
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    lines = [f"  {a:<{widths[0]}}  {b:<{widths[1]}}  {c}".rstrip() for a, b, c in rows]
    if len(order) > _MAX_ROWS:
        lines.append(f"  and {len(order) - _MAX_ROWS} more rows")
    count = f"{len(left)} operators" if len(left) > 1 else "an operator"
    return "\n".join(
        [
            f"{shown}: {count} cannot run on the NPU, and runtime=direct has no CPU kernels; change"
            " the network there:",
            *lines,
        ]
    )
