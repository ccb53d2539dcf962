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

from math import prod
from typing import Any

from ethosmith.models.tflite_graph import packed

_FULLY_CONNECTED, _CONV_2D, _RESHAPE = 9, 3, 22
_INT32, _INT64, _INT16, _INT8 = 2, 4, 7, 9
_VALID_PADDING = 1


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
