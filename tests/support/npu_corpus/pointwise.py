# SPDX-License-Identifier: Apache-2.0
"""Networks of one element-wise operator: arithmetic, activations, requantisation."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.support.npu_corpus.draw import INT8, INT16, Draw
from tests.support.npu_corpus.network import Network, Operator, Quantisation, Tensor
from tests.support.npu_corpus.weighted import ACTIVATIONS

Dtype = np.dtype[Any]
Shape = tuple[int, ...]

_OPTIONS = {
    "ADD": "AddOptions",
    "SUB": "SubOptions",
    "MUL": "MulOptions",
    "MAXIMUM": "MaximumMinimumOptions",
    "MINIMUM": "MaximumMinimumOptions",
    "SQUARED_DIFFERENCE": "SquaredDifferenceOptions",
    "LEAKY_RELU": "LeakyReluOptions",
    "ABS": "AbsOptions",
    "EXP": "ExpOptions",
    "HARD_SWISH": "HardSwishOptions",
    "GELU": "GeluOptions",
    "QUANTIZE": "QuantizeOptions",
}


def _output_scale(builtin: str, first: float, second: float, dtype: Dtype) -> float:
    largest = float(np.iinfo(dtype).max)
    if builtin == "MUL":
        return first * second * largest * 0.5
    if builtin == "SQUARED_DIFFERENCE":
        return max(first, second) ** 2 * largest
    return float(np.hypot(first, second))


def binary(
    draw: Draw,
    *,
    builtin: str,
    dtype: Dtype,
    shapes: tuple[Shape, Shape],
    constant: str = "none",
    activation: str = "none",
    scales: str = "own",
    apart: float = 1.0,
) -> Network:
    """ADD, SUB, MUL, MAXIMUM, MINIMUM or SQUARED_DIFFERENCE of two tensors that broadcast.

    ``constant`` names the operand that is one ("first", "second"); ``scales`` is "own" for
    three different quantisations, "inputs" if both operands share one, "same" for one only;
    ``apart`` is how much larger the second operand's scale is.
    """
    if builtin in ("MAXIMUM", "MINIMUM"):
        scales = "same"
    # With one scale above 1 for all, TFLite's int32 arithmetic overflows on (-32768)**2.
    first = draw.quantisation(dtype, draw.scale(high=0.9) if builtin == "MUL" else None)
    second = (
        first
        if scales != "own"
        else draw.quantisation(dtype, first.scale * draw.gain() ** 3 * apart)
    )
    scale = _output_scale(builtin, first.scale, second.scale, dtype) * draw.gain()
    out = first if scales == "same" else draw.quantisation(dtype, scale)
    operands = [
        draw.constant(name, shape, dtype, quantisation)
        if constant == name
        else Tensor(name, shape, dtype, quantisation)
        for name, shape, quantisation in zip(
            ("first", "second"), shapes, (first, second), strict=True
        )
    ]
    result = Tensor("ofm", np.broadcast_shapes(*shapes), dtype, out)
    fields: dict[str, Any] = {}
    if builtin in ("ADD", "SUB", "MUL"):
        fields["FusedActivationFunction"] = ACTIVATIONS[activation]
    if builtin in ("ADD", "SUB"):
        fields["PotScaleInt16"] = False
    operator = Operator(builtin, tuple(operands), (result,), _OPTIONS[builtin], fields, version=2)
    inputs = tuple(operand for operand in operands if operand.data is None)
    return Network((operator,), inputs, (result,))


# Where TFLite's kernel fixes the OFM's quantisation: scale in int8 (zero point) and int16.
_FIXED_OUTPUT = {
    "LOGISTIC": ((1 / 256, -128), (1 / 32768, 0)),
    "TANH": ((1 / 128, 0), (1 / 32768, 0)),
    "SOFTMAX": ((1 / 256, -128), (1 / 32768, 0)),
}

_FIRST_VERSION = ("RELU_N1_TO_1", "RELU_0_TO_1", "HARD_SWISH", "ELU")


def unary(
    draw: Draw,
    *,
    builtin: str,
    dtype: Dtype,
    ifm: Shape,
    reach: float = 8.0,
    gain: float = 1.0,
    fields: dict[str, Any] | None = None,
) -> Network:
    """One of the functions of a single tensor.

    ``reach`` is the largest real value that the IFM holds, ``gain`` the OFM's scale over
    the IFM's.
    """
    scale = reach / float(np.iinfo(dtype).max) * draw.gain()
    source = draw.tensor("ifm", ifm, dtype, draw.quantisation(dtype, scale))
    if builtin in _FIXED_OUTPUT:
        out = Quantisation.per_tensor(*_FIXED_OUTPUT[builtin][int(dtype == INT16)])
    else:
        out = draw.quantisation(dtype, scale * gain * draw.gain())
    result = Tensor("ofm", ifm, dtype, out)
    version = 1 if builtin in _FIRST_VERSION else 2
    options = "SoftmaxOptions" if builtin == "SOFTMAX" else _OPTIONS.get(builtin)
    operator = Operator(builtin, (source,), (result,), options, fields or {}, version)
    return Network((operator,), (source,), (result,))


def softmax(draw: Draw, *, dtype: Dtype, ifm: Shape, beta: float, reach: float) -> Network:
    """SOFTMAX over depth."""
    return unary(draw, builtin="SOFTMAX", dtype=dtype, ifm=ifm, reach=reach, fields={"Beta": beta})


def leaky_relu(draw: Draw, *, dtype: Dtype, ifm: Shape, alpha: float) -> Network:
    """LEAKY_RELU."""
    return unary(draw, builtin="LEAKY_RELU", dtype=dtype, ifm=ifm, fields={"Alpha": alpha})


def positive(draw: Draw, *, builtin: str, dtype: Dtype, ifm: Shape) -> Network:
    """LOG or RSQRT: real inputs are above zero, so the zero point is the lowest element."""
    limits = np.iinfo(dtype)
    zero = int(limits.min) if dtype == INT8 else 0
    real = Quantisation.per_tensor(draw.scale(0.005, 0.1), zero)
    source = Tensor("ifm", ifm, dtype, real, smallest=zero + 1)
    out = draw.quantisation(dtype, draw.scale(0.5, 2) * 6 / float(limits.max))
    result = Tensor("ofm", ifm, dtype, out)
    return Network((Operator(builtin, (source,), (result,)),), (source,), (result,))


def negate(draw: Draw, *, dtype: Dtype, ifm: Shape) -> Network:
    """NEG: TFLite's kernel knows no zero point and lets the lowest element overflow."""
    real = Quantisation.per_tensor(draw.scale(), 0)
    source = Tensor("ifm", ifm, dtype, real, smallest=int(np.iinfo(dtype).min) + 1)
    result = Tensor("ofm", ifm, dtype, real)
    operator = Operator("NEG", (source,), (result,), "NegOptions")
    return Network((operator,), (source,), (result,))


def prelu(draw: Draw, *, dtype: Dtype, ifm: tuple[int, int, int], shared: bool) -> Network:
    """PRELU with one alpha per channel, or one for all."""
    source = draw.tensor("ifm", (1, *ifm), dtype)
    assert source.quantisation is not None
    alpha_shape = (1, 1, 1 if shared else ifm[2])
    alpha = draw.constant(
        "alpha", alpha_shape, dtype, draw.quantisation(dtype, draw.scale(0.002, 0.02))
    )
    out = draw.quantisation(dtype, source.quantisation.scale * draw.gain())
    result = Tensor("ofm", source.shape, dtype, out)
    return Network((Operator("PRELU", (source, alpha), (result,)),), (source,), (result,))


def quantize(draw: Draw, *, dtype: Dtype, to: Dtype, ifm: Shape, gain: float) -> Network:
    """QUANTIZE from one integer type and scale to another."""
    source = draw.tensor("ifm", ifm, dtype)
    assert source.quantisation is not None
    ratio = float(np.iinfo(dtype).max) / float(np.iinfo(to).max)
    out = draw.quantisation(to, source.quantisation.scale * ratio * gain * draw.gain())
    result = Tensor("ofm", ifm, to, out)
    operator = Operator("QUANTIZE", (source,), (result,), "QuantizeOptions", {}, version=2)
    return Network((operator,), (source,), (result,))
