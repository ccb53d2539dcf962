# SPDX-License-Identifier: Apache-2.0
"""The quantised network as the NPU's reference: FULLY_CONNECTED rounds as CONV_2D does.

Ethos-U (Vela's rounding mode TFL), TFLM and LiteRT's reference CONV_2D requantise an
accumulator in two roundings: SaturatingRoundingDoublingHighMul, then
RoundingDivideByPOT. LiteRT's FULLY_CONNECTED rounds once, also with its reference
resolver, and so is one off in about 1 of 1000 outputs. The same layer written as a 1x1
CONV_2D is computed by the kernel that rounds twice.

For an int16 input and an int64 bias, Vela, TFLM and CONV_2D take multipliers of 16 bits, and
LiteRT's FULLY_CONNECTED takes 31.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from ethosmith.models.tflite_file import builtin_names, parse_model
from ethosmith.models.tflite_graph import packed

_FULLY_CONNECTED, _CONV_2D, _RESHAPE = 9, 3, 22
_INT32, _INT64, _INT16, _INT8 = 2, 4, 7, 9
_VALID_PADDING = 1
# LiteRT's reference kernel lets sums wrap around; Vela's lowering saturates, as the default does.
WRAPPING = frozenset({"SUM"})
_MISSING = re.compile(r"Didn't find op for builtin opcode '(?P<name>\w+)'")


def reference_network(tflite: bytes) -> bytes:
    """Return ``tflite`` with each FULLY_CONNECTED of constant int8 weights as a CONV_2D.

    Inputs and outputs keep their order, shapes and quantisation.
    """
    from ai_edge_litert import schema_py_generated as schema  # noqa: PLC0415 slow

    model = schema.ModelT.InitFromPackedBuf(tflite, 0)
    for graph in model.subgraphs:
        _Rewriter(schema, model, graph).rewrite()
    return packed(model)


class _Rewriter:
    """Rewrites the operators of one subgraph."""

    def __init__(self, schema: Any, model: Any, graph: Any) -> None:
        self._schema = schema
        self._model = model
        self._graph = graph

    def rewrite(self) -> None:
        operators = []
        for operator in self._graph.operators:
            operators += self._as_convolution(operator) if self._fits(operator) else [operator]
        self._graph.operators = operators

    def _fits(self, operator: Any) -> bool:
        code = self._model.operatorCodes[operator.opcodeIndex]
        if max(code.builtinCode, code.deprecatedBuiltinCode) != _FULLY_CONNECTED:
            return False
        given, weights = (self._graph.tensors[index] for index in operator.inputs[:2])
        if self._model.buffers[weights.buffer].data is None or weights.type != _INT8:
            return False
        biases = [self._graph.tensors[index].type for index in operator.inputs[2:] if index >= 0]
        # LiteRT's CONV_2D reads the bias of an int16 input as int64, whatever its type.
        return given.type == _INT8 or (given.type == _INT16 and biases in ([], [_INT64]))

    def _as_convolution(self, operator: Any) -> list[Any]:
        tensors = self._graph.tensors
        given, weights = (tensors[index] for index in operator.inputs[:2])
        made = tensors[operator.outputs[0]]
        depth_out, depth_in = (int(size) for size in weights.shape)
        rows = prod(int(size) for size in given.shape) // depth_in
        matrix = self._like(given, (1, rows, 1, depth_in))
        kernel = self._like(weights, (depth_out, 1, 1, depth_in), weights.buffer)
        result = self._like(made, (1, rows, 1, depth_out))
        bias = [index for index in operator.inputs[2:] if index >= 0] or [
            self._zeros(depth_out, given.type)
        ]
        return [
            self._reshape(operator.inputs[0], matrix),
            self._convolution([matrix, kernel, *bias], result, operator.builtinOptions),
            self._reshape(result, operator.outputs[0]),
        ]

    def _like(self, tensor: Any, shape: tuple[int, ...], buffer: int = 0) -> int:
        made = self._schema.TensorT()
        made.name, made.type, made.quantization = tensor.name, tensor.type, tensor.quantization
        made.shape, made.buffer = list(shape), buffer
        self._graph.tensors.append(made)
        return len(self._graph.tensors) - 1

    def _zeros(self, count: int, given: int) -> int:
        """A bias that adds nothing: CONV_2D has to have one."""
        buffer = self._schema.BufferT()
        kind, size_bytes = (_INT64, 8) if given == _INT16 else (_INT32, 4)
        buffer.data = bytes(size_bytes * count)
        self._model.buffers.append(buffer)
        made = self._schema.TensorT()
        made.name, made.type, made.shape = b"no bias", kind, [count]
        made.buffer = len(self._model.buffers) - 1
        self._graph.tensors.append(made)
        return len(self._graph.tensors) - 1

    def _convolution(self, inputs: list[int], output: int, fully_connected: Any) -> Any:
        options = self._schema.Conv2DOptionsT()
        options.padding = _VALID_PADDING
        options.strideW = options.strideH = 1
        options.dilationWFactor = options.dilationHFactor = 1
        options.fusedActivationFunction = fully_connected.fusedActivationFunction
        kind = self._schema.BuiltinOptions.Conv2DOptions
        return self._operator(_CONV_2D, inputs, output, kind, options)

    def _reshape(self, source: int, target: int) -> Any:
        options = self._schema.ReshapeOptionsT()
        options.newShape = [int(size) for size in self._graph.tensors[target].shape]
        kind = self._schema.BuiltinOptions.ReshapeOptions
        return self._operator(_RESHAPE, [source], target, kind, options)

    def _operator(self, code: int, inputs: list[int], output: int, kind: int, options: Any) -> Any:
        made = self._schema.OperatorT()
        made.opcodeIndex = self._code(code)
        made.inputs, made.outputs = [int(index) for index in inputs], [int(output)]
        made.builtinOptionsType, made.builtinOptions = kind, options
        return made

    def _code(self, builtin: int) -> int:
        codes = self._model.operatorCodes
        for index, code in enumerate(codes):
            if max(code.builtinCode, code.deprecatedBuiltinCode) == builtin:
                return index
        made = self._schema.OperatorCodeT()
        # Version 3 of CONV_2D is the one with int8; RESHAPE has one version.
        made.builtinCode = made.deprecatedBuiltinCode = builtin
        made.version = 3 if builtin == _CONV_2D else 1
        codes.append(made)
        return len(codes) - 1


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
