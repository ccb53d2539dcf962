# SPDX-License-Identifier: Apache-2.0
"""Write small int8 .tflite networks of fully connected layers."""

from __future__ import annotations

import itertools
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

_FULLY_CONNECTED = 9
_INT32, _INT8 = 2, 9


def dense_network(sizes: tuple[int, ...], *, seed: int, rows: int = 1, bias: bool = True) -> bytes:
    """Layers from ``sizes[0]`` values to ``sizes[-1]``, RELU between them, weights drawn."""
    random = np.random.default_rng(seed)
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.subgraphs, model.buffers = 3, [graph], [schema.BufferT()]
    model.operatorCodes = [_code()]
    graph.tensors, graph.operators = [], []
    source = _tensor(model, [rows, sizes[0]], _INT8, [random.uniform(0.02, 0.08)], -3)
    graph.inputs = [source]
    for depth_in, depth_out in itertools.pairwise(sizes):
        weights = random.integers(-127, 128, (depth_out, depth_in), np.int8)
        scales = random.uniform(0.001, 0.01, depth_out)
        inputs = [source, _tensor(model, [depth_out, depth_in], _INT8, scales, 0, weights)]
        if bias:
            values = random.integers(-5000, 5000, depth_out, np.int32)
            inputs.append(_tensor(model, [depth_out], _INT32, scales, 0, values))
        # Wide enough a range that few outputs saturate.
        scale = 0.02 * float(scales.max()) * np.sqrt(depth_in) * 60
        made = _tensor(model, [rows, depth_out], _INT8, [scale], 5)
        graph.operators.append(_operator(inputs, made, relu=depth_out != sizes[-1]))
        source = made
    graph.outputs = [source]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _code() -> Any:
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = _FULLY_CONNECTED
    code.version = 4
    return code


def _tensor(
    model: Any,
    shape: list[int],
    kind: int,
    scales: Any,
    zero_point: int,
    data: Any = None,
) -> int:
    tensor, quantisation = schema.TensorT(), schema.QuantizationParametersT()
    quantisation.scale = np.asarray(scales, np.float32)
    quantisation.zeroPoint = np.full(len(quantisation.scale), zero_point, np.int64)
    tensor.name, tensor.type, tensor.shape = b"t", kind, shape
    tensor.quantization = quantisation
    tensor.buffer = 0
    if data is not None:
        buffer = schema.BufferT()
        buffer.data = data.tobytes()
        model.buffers.append(buffer)
        tensor.buffer = len(model.buffers) - 1
    model.subgraphs[0].tensors.append(tensor)
    return len(model.subgraphs[0].tensors) - 1


def _operator(inputs: list[int], output: int, *, relu: bool) -> Any:
    operator, options = schema.OperatorT(), schema.FullyConnectedOptionsT()
    options.fusedActivationFunction = int(relu)
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, inputs, [output]
    operator.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
    operator.builtinOptions = options
    return operator
