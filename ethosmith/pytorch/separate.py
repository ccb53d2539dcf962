# SPDX-License-Identifier: Apache-2.0
"""Keep from Vela 5.2 and ExecuTorch 1.5 what they compile wrongly for U55 and U65.

- MATMUL whose first operand is a SLICE: Vela reads the slice in place, but multiplies as many
  channels as the whole tensor has.
- TRANSPOSE_CONV2D into CONCAT: Vela rescales its accumulators straight into the concatenated
  tensor, at the offset of the first one.
- CONCAT of a tensor that others use too: ExecuTorch's quantizer leaves the operands with unlike
  scales, and its TOSA has no RESCALE between.

A product with 1 gives the operator a tensor of its own. It is exact; the reference model, PyTorch's
graph and the NPU are compared behind it as everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

# Operators of a graph of torch.export, without their overloads.
_SLICES = frozenset({"slice", "select", "chunk", "split", "split_with_sizes", "narrow", "unbind"})
_TRANSPOSED = frozenset({"conv_transpose1d", "conv_transpose2d", "conv_transpose3d"})
_MATRIX_PRODUCTS = frozenset({"matmul", "bmm"})
# What Vela passes through to reach the operator before it.
_VIEWS = frozenset(
    {"view", "reshape", "flatten", "unsqueeze", "squeeze", "expand", "contiguous", "clone"}
)
_ACTIVATIONS = frozenset({"relu", "relu6", "hardtanh", "clamp", "batch_norm", "dropout"})


def separate(module: Any) -> int:
    """Insert a product with 1 into the graph of ``module`` wherever one is needed.

    Args:
        module: a float GraphModule of torch.export; it is changed.

    Returns:
        How many were inserted.
    """
    import torch  # noqa: PLC0415 takes seconds

    found = list(_wrong_operands(module.graph))
    for node, operand in found:
        with module.graph.inserting_before(node):
            own = module.graph.call_function(torch.ops.aten.mul.Tensor, (operand, 1.0))
        own.meta = dict(operand.meta)
        node.replace_input_with(operand, own)
    module.recompile()
    return len(found)


def _wrong_operands(graph: Any) -> Iterator[tuple[Any, Any]]:
    for node in graph.nodes:
        kind = _kind(node)
        if kind in _MATRIX_PRODUCTS and _comes_from(node.args[0], _SLICES, _VIEWS):
            yield node, node.args[0]
        if kind in {"cat", "concat"}:
            for operand in node.args[0]:
                shared = len(operand.users) > 1
                if shared or _comes_from(operand, _TRANSPOSED, _VIEWS | _ACTIVATIONS):
                    yield node, operand


def _comes_from(node: Any, kinds: frozenset[str], through: frozenset[str]) -> bool:
    while _kind(node) in through | {"getitem"} and node.all_input_nodes:
        node = node.all_input_nodes[0]
    return _kind(node) in kinds


def _kind(node: Any) -> str:
    """Return the operator's name without its overload, such as ``matmul``."""
    if node.op != "call_function":
        return ""
    packet = getattr(node.target, "overloadpacket", node.target)
    return str(getattr(packet, "__name__", packet))
