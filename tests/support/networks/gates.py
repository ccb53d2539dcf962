# SPDX-License-Identifier: Apache-2.0
"""Small networks as converters write them, which some interpreter or gate once refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from tests.support.npu_corpus.draw import FLOAT32, INT8, INT16, INT32, INT64, Draw, constant_of
from tests.support.npu_corpus.flatbuffer import tflite_bytes
from tests.support.npu_corpus.network import Network, Operator, Quantisation, Tensor
from tests.support.npu_corpus.recurrent import unidirectional_sequence_lstm

_SHAPE = (1, 6, 5, 4)
_UINT8 = np.dtype(np.uint8)


def _conv(draw: Draw, source: Tensor, *, axis: int = 0) -> tuple[Operator, Tensor]:
    """A 1x1 convolution of four channels; ``axis`` is the bias's quantized_dimension."""
    result = Tensor("conv", _SHAPE, INT8, Quantisation.per_tensor(0.02, 3))
    weights = draw.rng.integers(-127, 128, (4, 1, 1, 4), "int8")
    assert source.quantisation is not None
    scale = source.quantisation.scale * 0.01
    bias = Tensor(
        "bias",
        (4,),
        INT32,
        Quantisation((scale,), (0,), axis),
        draw.rng.integers(-500, 500, 4).astype(INT32),
    )
    operands = (
        source,
        Tensor("weights", (4, 1, 1, 4), INT8, Quantisation.per_tensor(0.01, 0), weights),
        bias,
    )
    fields = {"Padding": 1, "StrideW": 1, "StrideH": 1}
    fields |= {"DilationWFactor": 1, "DilationHFactor": 1}
    return Operator("CONV_2D", operands, (result,), "Conv2DOptions", fields, version=3), result


def _int8_input() -> Tensor:
    return Tensor("x", _SHAPE, INT8, Quantisation.per_tensor(1 / 64, -7))


def _elu_left_in_float(draw: Draw) -> Network:
    source = _int8_input()
    conv, made = _conv(draw, source)
    real, bent = Tensor("real", _SHAPE, FLOAT32), Tensor("bent", _SHAPE, FLOAT32)
    result = Tensor("y", _SHAPE, INT8, Quantisation.per_tensor(0.015, -60))
    operators = (
        conv,
        Operator("DEQUANTIZE", (made,), (real,), version=2),
        Operator("ELU", (real,), (bent,)),
        Operator("QUANTIZE", (bent,), (result,)),
    )
    return Network(operators, (source,), (result,))


def _nearest_as_tile(draw: Draw) -> Network:
    source = _int8_input()
    conv, made = _conv(draw, source)
    result = Tensor("y", (1, 12, 5, 4), INT8, made.quantisation)
    multiples = constant_of("multiples", (1, 2, 1, 1))
    tile = Operator("TILE", (made, multiples), (result,), version=3)
    return Network((conv, tile), (source,), (result,))


def _axis_out_of_range(draw: Draw) -> Network:
    source = _int8_input()
    conv, made = _conv(draw, source, axis=3)
    return Network((conv,), (source,), (made,))


def _float_ends(draw: Draw) -> Network:
    given, source = Tensor("real_x", _SHAPE, FLOAT32), _int8_input()
    conv, made = _conv(draw, source)
    result = Tensor("real_y", _SHAPE, FLOAT32)
    operators = (
        Operator("QUANTIZE", (given,), (source,)),
        conv,
        Operator("DEQUANTIZE", (made,), (result,), version=2),
    )
    return Network(operators, (given,), (result,))


def _uint8_ends(draw: Draw) -> Network:
    source = _int8_input()
    conv, made = _conv(draw, source)
    given = Tensor("image", _SHAPE, _UINT8, Quantisation.per_tensor(1 / 64, -7 + 128))
    result = Tensor("y", _SHAPE, _UINT8, Quantisation.per_tensor(0.02, 3 + 128))
    operators = (
        Operator("QUANTIZE", (given,), (source,), version=2),
        conv,
        Operator("QUANTIZE", (made,), (result,), version=2),
    )
    return Network(operators, (given,), (result,))


def _int16_fully_connected(draw: Draw) -> Network:
    source = Tensor("x", (3, 40), INT16, Quantisation.per_tensor(1 / 4096, 0))
    result = Tensor("y", (3, 10), INT16, Quantisation.per_tensor(1 / 1024, 0))
    weights = draw.rng.integers(-127, 128, (10, 40), "int8")
    bias = draw.rng.integers(-90000, 90000, 10).astype(INT64)
    operands = (
        source,
        Tensor("weights", (10, 40), INT8, Quantisation.per_tensor(0.01, 0), weights),
        Tensor("bias", (10,), INT64, Quantisation.per_tensor(0.01 / 4096, 0), bias),
    )
    options = "FullyConnectedOptions"
    operator = Operator("FULLY_CONNECTED", operands, (result,), options, {}, version=4)
    return Network((operator,), (source,), (result,))


def _lstm(draw: Draw) -> Network:
    return unidirectional_sequence_lstm(
        draw, steps=3, depth_in=6, cells=7, time_major=False, clip=0.0
    )


_NETWORKS: Mapping[str, Callable[[Draw], Network]] = {
    "ELU that the converter left in float": _elu_left_in_float,
    "nearest-neighbour resizing as TILE version 3": _nearest_as_tile,
    "quantized_dimension out of range": _axis_out_of_range,
    "int8 with float inputs and outputs": _float_ends,
    "int8 with uint8 inputs and outputs": _uint8_ends,
    "FULLY_CONNECTED of int16": _int16_fully_connected,
    "LSTM with drawn zero points": _lstm,
}
NAMES = tuple(_NETWORKS)


def network_named(name: str, seed: int = 0) -> bytes:
    """Return the .tflite of this name; another seed draws other weights and zero points."""
    return tflite_bytes(_NETWORKS[name](Draw(seed)))
