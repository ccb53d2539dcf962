# SPDX-License-Identifier: Apache-2.0
"""Divide a quantised program between the NPU and the CPU, and say what is on which side."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.models.tensor_spec import NetworkSpec, TensorSpec
from ethosmith.pytorch.places import among_places, first_line, place_in, place_of, quiet

DELEGATE = "executorch_call_delegate"
QUANTISE = "quantized_decomposed.quantize_per_tensor.default"
DEQUANTISE = "quantized_decomposed.dequantize_per_tensor.default"
NOT_QUANTISED = "not quantised to int8"
# TOSA as Arm's lowering restricts it for U55 and U65; U85 gets the same.
TOSA = "TOSA-1.0+INT+int16+int4+u55"
# What ExecuTorch says, and what that means to the network's author.
_REASONS = {
    "Node was not marked as quantized in the Arm backend.": NOT_QUANTISED,
    "Not included in BaseTOSASupportList or a registered tosa_support_check": (
        "the NPU has no such operator"
    ),
}
_CONVOLUTION = re.compile(r"^aten\.conv")
# Of tensors that an application can fill or read (firmware/runtime/tensor.h).
_DTYPES = ("int8", "int16", "int32", "uint8", "float32")


@dataclass(frozen=True)
class Left:
    """An operator that the NPU does not take: its name, the user's line, the reason."""

    kind: str
    place: str
    reason: str


def edge_manager(shown: Path, program: Any, partitioner: Any) -> tuple[Any, dict[str, str]]:
    """Return ``program`` with the NPU's parts lowered, and why other nodes are not in them.

    Args:
        shown: the network, for messages.
        program: an ExportedProgram of `quantised_program`.
        partitioner: ExecuTorch's, which picks the NPU's parts and lowers them.

    Raises:
        EthosmithError: an operator cannot be lowered; with its place in the user's source.
    """
    quiet()
    from executorch.exir import to_edge_transform_and_lower  # noqa: PLC0415 takes seconds
    from executorch.exir.backend import utils  # noqa: PLC0415

    reasons: dict[str, str] = {}
    report = utils.WhyNoPartitionReporter.report_reject

    def remember(self: Any, node: Any, reason: str) -> None:
        reasons.setdefault(node.name, " ".join(reason.split()))
        report(self, node, reason)

    utils.WhyNoPartitionReporter.report_reject = remember
    try:
        return to_edge_transform_and_lower(program, partitioner=[partitioner]), reasons
    except Exception as error:  # noqa: BLE001 passes and checks raise what they like
        place = place_in(str(error))
        at = f" at {place}" if place else places_of_refused(str(error), program)
        raise EthosmithError(
            f"{shown}: cannot be lowered for the NPU{at}: {first_line(error)}"
        ) from None
    finally:
        utils.WhyNoPartitionReporter.report_reject = report


def places_of_refused(said: str, program: Any) -> str:
    """Return the places of the convolutions, if Vela says that it refuses one; it names none."""
    return among_places(said, convolution_places(program))


def convolution_places(program: Any) -> list[str]:
    """Return where in the user's source the convolutions of an ExportedProgram are."""
    nodes = [node for node in program.graph.nodes if _CONVOLUTION.search(str(node.target))]
    return list(dict.fromkeys(map(place_of, nodes)))


def partitioned(shown: Path, program: Any) -> tuple[Any, dict[str, str]]:
    """Return ``program`` with the NPU's parts as TOSA, and the reasons; see `edge_manager`."""
    quiet()
    from executorch.backends.arm.tosa.compile_spec import TosaCompileSpec  # noqa: PLC0415
    from executorch.backends.arm.tosa.partitioner import TOSAPartitioner  # noqa: PLC0415

    partitioner = TOSAPartitioner(TosaCompileSpec(TOSA))
    edge, reasons = edge_manager(shown, program, partitioner)
    return edge.exported_program(), reasons


@dataclass(frozen=True)
class Boundary:
    """The inputs and outputs of a partitioned program.

    Attributes:
        spec: as integers where the program quantises an input first, or dequantises an output
            last; all else as it is, floats with a scale of 0.
        integer_inputs: indices of the inputs that are integers by that.
        integer_outputs: the same of the outputs.
    """

    spec: NetworkSpec
    integer_inputs: tuple[int, ...]
    integer_outputs: tuple[int, ...]


def boundary_of(program: Any) -> Boundary:
    """Return the boundary of a partitioned ExportedProgram."""
    nodes = {node.name: node for node in program.graph.find_nodes(op="placeholder")}
    inputs = [_input(nodes[name]) for name in program.graph_signature.user_inputs]
    (result,) = program.graph.find_nodes(op="output")
    outputs = [_output(index, node) for index, node in enumerate(result.args[0])]
    return Boundary(
        NetworkSpec(tuple(one for one, _ in inputs), tuple(one for one, _ in outputs)),
        tuple(index for index, (_, quantised) in enumerate(inputs) if quantised),
        tuple(index for index, (_, quantised) in enumerate(outputs) if quantised),
    )


def _input(node: Any) -> tuple[TensorSpec, bool]:
    users = list(node.users)
    if len(users) == 1 and is_operator(users[0], QUANTISE):
        return spec_of(node.name, node, users[0]), True
    return _plain_spec(node.name, node), False


def _output(index: int, node: Any) -> tuple[TensorSpec, bool]:
    name = f"output_{index}"
    if is_operator(node, DEQUANTISE):
        return spec_of(name, node.args[0], node), True
    return _plain_spec(name, node), False


def spec_of(name: str, tensor: Any, quantiser: Any) -> TensorSpec:
    """Return the spec of ``tensor`` with the quantisation of a quantise or dequantise node."""
    _, scale, zero_point, _, _, dtype = quantiser.args
    plain = _plain_spec(name, tensor)
    return TensorSpec(name, _dtype(dtype), plain.shape, float(scale), int(zero_point))


def _plain_spec(name: str, node: Any) -> TensorSpec:
    value = node.meta["val"]
    shape = tuple(int(size) for size in value.shape)
    return TensorSpec(name, _dtype(value.dtype), shape, 0.0, 0)


def _dtype(dtype: Any) -> str:
    name = str(dtype).removeprefix("torch.")
    if name not in _DTYPES:
        raise EthosmithError(
            f"an input or output has elements of type {name}, which no application here fills or"
            " reads; return the scores, and take the largest in the application"
        )
    return name


def is_operator(node: Any, name: str) -> bool:
    """Say whether a node calls the operator ``name``, such as `QUANTISE`."""
    return operator_name(node) == name


def operator_name(node: Any) -> str:
    """Return the operator's name, such as ``aten.relu.default``."""
    return str(getattr(node.target, "_op", node.target))


def left_outside(nodes: list[Any], reasons: dict[str, str]) -> list[Left]:
    """Return which of ``nodes`` stay outside the NPU, without those that only convert."""
    found = []
    for node in nodes:
        if "quantize_per_" in operator_name(node):
            continue
        reason = reasons.get(node.name, "no reason given")
        kind = operator_name(node).removesuffix(".default")
        found.append(Left(kind, place_of(node), _REASONS.get(reason, reason)))
    return found
