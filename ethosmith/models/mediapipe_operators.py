# SPDX-License-Identifier: Apache-2.0
"""Replace custom operators of MediaPipe's networks by TFLite's own that compute the same.

Convolution2DTransposeBias is TRANSPOSE_CONV with a bias, of before that had one. Its options are
those of the C structure TfLiteTransposeConvParams: padding, stride_width, stride_height.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from ethosmith.models.tflite_graph import TfliteGraph

_TRANSPOSE_CONV_BIAS = b"Convolution2DTransposeBias"
_OPTIONS = struct.Struct("<3i")
# TfLitePadding has 1 for SAME and 2 for VALID, the file format 0 and 1.
_PADDINGS = (1, 2)
_VERSION_WITH_BIAS = 3


def replace_mediapipe_operators(model: Any) -> None:
    """Change the operators of LiteRT's ModelT.

    Raises:
        ValueError: options that do not belong to such an operator.
    """
    codes = {
        index
        for index, code in enumerate(model.operatorCodes)
        if bytes(code.customCode or b"") == _TRANSPOSE_CONV_BIAS
    }
    if not codes:
        return
    network = TfliteGraph(model)
    for operator in network.graph.operators:
        if operator.opcodeIndex in codes:
            _make_transpose_conv(network, operator)
    for index in codes:
        code = model.operatorCodes[index]
        code.customCode, code.version = None, _VERSION_WITH_BIAS
        code.builtinCode = code.deprecatedBuiltinCode = _transpose_conv()


def _transpose_conv() -> int:
    from ai_edge_litert import schema_py_generated as schema  # noqa: PLC0415 slow

    return int(schema.BuiltinOperator.TRANSPOSE_CONV)


def _make_transpose_conv(network: TfliteGraph, operator: Any) -> None:
    from ai_edge_litert import schema_py_generated as schema  # noqa: PLC0415 slow

    given = operator.customOptions
    raw = b"" if given is None else bytes(bytearray(given))
    if len(raw) < _OPTIONS.size or len(operator.inputs) != 3:
        raise ValueError(f"{_TRANSPOSE_CONV_BIAS.decode()} with {len(raw)} bytes of options")
    padding, stride_w, stride_h = _OPTIONS.unpack_from(raw)
    if padding not in _PADDINGS:
        raise ValueError(f"{_TRANSPOSE_CONV_BIAS.decode()} with padding {padding}")
    options = schema.TransposeConvOptionsT()
    options.padding, options.strideW, options.strideH = padding - 1, stride_w, stride_h
    operator.builtinOptionsType = schema.BuiltinOptions.TransposeConvOptions
    operator.builtinOptions, operator.customOptions = options, None
    shape, tensors = schema.TensorT(), network.graph.tensors
    size = np.asarray(tensors[operator.outputs[0]].shape, "<i4")
    shape.name, shape.shape, shape.type = b"", [size.size], schema.TensorType.INT32
    network.give(shape, size)
    source, weights, bias = operator.inputs
    operator.inputs = [len(tensors), weights, source, bias]
    tensors.append(shape)
