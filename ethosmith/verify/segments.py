# SPDX-License-Identifier: Apache-2.0
"""Cut a network between operators, so that each part runs on the kernels that suit it.

LiteRT's reference kernels lack some operators, and its default kernels round convolutions
otherwise than the NPU. So only the operators that have to are run on default kernels.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ethosmith.models.tflite_file import builtin_names, parse_model
from ethosmith.models.tflite_graph import packed

# LiteRT's reference kernel lets sums wrap around; Vela's lowering saturates, as the default does.
WRAPPING = frozenset({"SUM"})
_MISSING = re.compile(r"Didn't find op for builtin opcode '(?P<name>\w+)'")


@dataclass(frozen=True)
class Segment:
    """A part of a network.

    Attributes:
        content: a network of its own, a flatbuffer.
        inputs: the whole network's indices of its input tensors, in its order.
        outputs: likewise.
        reference_kernels: whether it is for LiteRT's reference kernels.
    """

    content: bytes
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    reference_kernels: bool


def missing_operator(reason: str) -> str | None:
    """Return TFLite's name of the operator that LiteRT says it has no kernel for."""
    match = _MISSING.search(reason)
    return match["name"] if match else None


def segments_of(content: bytes, shown: str, default_kinds: Collection[str]) -> list[Segment]:
    """Return the parts of a network of one subgraph, in the order in which they run.

    Args:
        content: the network.
        shown: its name in messages.
        default_kinds: TFLite's names of the operators for LiteRT's default kernels.

    Raises:
        EthosmithError: it is damaged.
    """
    kinds = kinds_by_operator(parse_model(content, shown))
    runs = list(_runs([kind not in default_kinds for kind in kinds]))
    return [_segment(content, shown, first, end, reference) for first, end, reference in runs]


def kinds_by_operator(model: Any) -> list[str]:
    """Return TFLite's name of each operator in the first subgraph of LiteRT's ModelT."""
    names = builtin_names()
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    used = (codes[operator.opcodeIndex] for operator in model.subgraphs[0].operators)
    return [names.get(code, str(code)) for code in used]


def _runs(flags: Sequence[bool]) -> Iterator[tuple[int, int, bool]]:
    """Yield first index, end and value of each run of equal flags."""
    first = 0
    for index in range(1, len(flags) + 1):
        if index == len(flags) or flags[index] != flags[first]:
            yield first, index, flags[first]
            first = index


def _segment(content: bytes, shown: str, first: int, end: int, reference: bool) -> Segment:
    model = parse_model(content, shown)
    graph = model.subgraphs[0]
    own, later = graph.operators[first:end], graph.operators[end:]
    made = {int(index) for one in own for index in one.outputs}
    read = [int(index) for one in own for index in one.inputs if index >= 0]
    needed = {int(index) for one in later for index in one.inputs} | set(map(int, graph.outputs))
    inputs = [i for i in dict.fromkeys(read) if i not in made and not _is_constant(model, i)]
    outputs = sorted(made & needed)
    graph.operators, graph.inputs, graph.outputs = own, inputs, outputs
    model.signatureDefs = []
    used = {one.opcodeIndex for one in own}
    kept = sorted(used)
    model.operatorCodes = [model.operatorCodes[index] for index in kept]
    for one in own:
        one.opcodeIndex = kept.index(one.opcodeIndex)
    return Segment(packed(model), tuple(inputs), tuple(outputs), reference)


def _is_constant(model: Any, tensor: int) -> bool:
    data = model.buffers[model.subgraphs[0].tensors[tensor].buffer].data
    return data is not None and len(data) > 0
