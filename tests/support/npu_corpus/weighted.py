# SPDX-License-Identifier: Apache-2.0
"""Networks of one operator with weights: convolutions, fully connected, matrix product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.support.npu_corpus.draw import INT8, INT16, Draw, constant_of
from tests.support.npu_corpus.network import Network, Operator, Quantisation, Tensor

Dtype = np.dtype[Any]
Size = tuple[int, int]

PADDING = {"same": 0, "valid": 1}
ACTIVATIONS = {"none": 0, "relu": 1, "relu_n1_to_1": 2, "relu6": 3}


@dataclass(frozen=True)
class Window:
    """Kernel size, stride and dilation, each (height, width)."""

    kernel: Size
    stride: Size = (1, 1)
    dilation: Size = (1, 1)

    def __str__(self) -> str:
        parts = [f"k{self.kernel[0]}x{self.kernel[1]}"]
        if self.stride != (1, 1):
            parts.append(f"s{self.stride[0]}x{self.stride[1]}")
        if self.dilation != (1, 1):
            parts.append(f"d{self.dilation[0]}x{self.dilation[1]}")
        return "".join(parts)

    def extent(self, axis: int) -> int:
        """Return the rows (0) or columns (1) that the dilated kernel covers."""
        return (self.kernel[axis] - 1) * self.dilation[axis] + 1

    def output(self, size: Size, padding: str) -> Size:
        """Return the OFM's height and width."""
        rows, columns = (
            -(-size[axis] // self.stride[axis])
            if padding == "same"
            else (size[axis] - self.extent(axis)) // self.stride[axis] + 1
            for axis in (0, 1)
        )
        return rows, columns

    def fits(self, size: Size, padding: str) -> bool:
        """Tell whether an OFM is left."""
        return padding == "same" or all(size[axis] >= self.extent(axis) for axis in (0, 1))


def window_fits(parameters: dict[str, Any]) -> bool:
    """Tell whether a row's window fits its IFM."""
    window: Window = parameters["window"]
    ifm = parameters["ifm"]
    return window.fits((ifm[-3], ifm[-2]), parameters["padding"])


def _window_fields(window: Window, padding: str, activation: str) -> dict[str, int]:
    return {
        "Padding": PADDING[padding],
        "StrideH": window.stride[0],
        "StrideW": window.stride[1],
        "DilationHFactor": window.dilation[0],
        "DilationWFactor": window.dilation[1],
        "FusedActivationFunction": ACTIVATIONS[activation],
    }


def conv_2d(
    draw: Draw,
    *,
    dtype: Dtype,
    ifm: tuple[int, int, int],
    depth: int,
    window: Window,
    padding: str,
    activation: str = "none",
    scales: str = "per_channel",
    zeros: float = 0.0,
    gain: float = 1.0,
    bias_bits: int = 0,
) -> Network:
    """CONV_2D; ``ifm`` is height, width, depth and ``depth`` the OFM's.

    ``gain`` shrinks the OFM's scale, so multipliers grow and much saturates; ``bias_bits``
    is 32 for an int16 IFM with the bias of an int8 one.
    """
    source = draw.tensor("ifm", (1, *ifm), dtype)
    shape = (depth, *window.kernel, ifm[2])
    products = int(np.prod(shape[1:]))
    weights = draw.weights(shape, depth, 0, per_channel=scales == "per_channel", zeros=zeros)
    rows, columns = window.output((ifm[0], ifm[1]), padding)
    result = draw.accumulated("ofm", (1, rows, columns, depth), source, weights, products, gain)
    bias = draw.bias(source, weights, depth, products, wide=dtype == INT16 and bias_bits != 32)
    inputs = (source, weights, bias)
    fields = _window_fields(window, padding, activation)
    operator = Operator("CONV_2D", inputs, (result,), "Conv2DOptions", fields)
    return Network((operator,), (source,), (result,))


def depthwise_conv_2d(
    draw: Draw,
    *,
    dtype: Dtype,
    ifm: tuple[int, int, int],
    window: Window,
    padding: str,
    activation: str = "none",
    scales: str = "per_channel",
    multiplier: int = 1,
) -> Network:
    """DEPTHWISE_CONV_2D with a depth multiplier."""
    depth = ifm[2] * multiplier
    source = draw.tensor("ifm", (1, *ifm), dtype)
    products = int(np.prod(window.kernel))
    weights = draw.weights(
        (1, *window.kernel, depth), depth, 3, per_channel=scales == "per_channel", zeros=0.1
    )
    rows, columns = window.output((ifm[0], ifm[1]), padding)
    result = draw.accumulated("ofm", (1, rows, columns, depth), source, weights, products)
    inputs = (source, weights, draw.bias(source, weights, depth, products))
    fields = {**_window_fields(window, padding, activation), "DepthMultiplier": multiplier}
    operator = Operator("DEPTHWISE_CONV_2D", inputs, (result,), "DepthwiseConv2DOptions", fields)
    return Network((operator,), (source,), (result,))


def transpose_conv(
    draw: Draw,
    *,
    dtype: Dtype,
    ifm: tuple[int, int, int],
    depth: int,
    window: Window,
    padding: str,
    scales: str = "per_channel",
    bias: bool = True,
) -> Network:
    """TRANSPOSE_CONV; its OFM is IFM x stride, or as much larger as VALID wants."""
    source = draw.tensor("ifm", (1, *ifm), dtype)
    rows, columns = (
        ifm[axis] * window.stride[axis]
        + (max(0, window.kernel[axis] - window.stride[axis]) if padding == "valid" else 0)
        for axis in (0, 1)
    )
    products = ifm[2] * int(np.prod(window.kernel)) // int(np.prod(window.stride))
    weights = draw.weights(
        (depth, *window.kernel, ifm[2]), depth, 0, per_channel=scales == "per_channel", zeros=0.0
    )
    result = draw.accumulated("ofm", (1, rows, columns, depth), source, weights, max(1, products))
    shape = constant_of("ofm_shape", result.shape)
    inputs: tuple[Tensor, ...] = (shape, weights, source)
    if bias:
        inputs = (*inputs, draw.bias(source, weights, depth, max(1, products)))
    fields = {
        "Padding": PADDING[padding],
        "StrideH": window.stride[0],
        "StrideW": window.stride[1],
    }
    operator = Operator(
        "TRANSPOSE_CONV", inputs, (result,), "TransposeConvOptions", fields, version=3
    )
    return Network((operator,), (source,), (result,))


def fully_connected(
    draw: Draw,
    *,
    dtype: Dtype,
    rows: int,
    depth_in: int,
    depth_out: int,
    activation: str = "none",
    scales: str = "per_tensor",
    bias: bool = True,
) -> Network:
    """FULLY_CONNECTED of a matrix [rows, depth_in]."""
    source = draw.tensor("ifm", (rows, depth_in), dtype)
    weights = draw.weights(
        (depth_out, depth_in), depth_out, 0, per_channel=scales == "per_channel", zeros=0.2
    )
    result = draw.accumulated("ofm", (rows, depth_out), source, weights, depth_in)
    inputs = (source, weights, draw.bias(source, weights, depth_out, depth_in) if bias else None)
    fields = {"FusedActivationFunction": ACTIVATIONS[activation]}
    operator = Operator(
        "FULLY_CONNECTED", inputs, (result,), "FullyConnectedOptions", fields, version=4
    )
    return Network((operator,), (source,), (result,))


def batch_matmul(
    draw: Draw, *, shape: tuple[int, ...], columns: int, adjoint_x: bool, adjoint_y: bool
) -> Network:
    """BATCH_MATMUL of int8 ``shape`` [..., m, k] with [..., k, columns]."""
    *batch, rows, inner = shape
    x_shape = (*batch, inner, rows) if adjoint_x else shape
    y_shape = (*batch, columns, inner) if adjoint_y else (*batch, inner, columns)
    first = draw.tensor("x", x_shape, INT8)
    second = draw.tensor("y", y_shape, INT8)
    assert first.quantisation is not None
    assert second.quantisation is not None
    spread = draw.accumulator_spread(first, inner) / 45
    scale = first.quantisation.scale * second.quantisation.scale * spread * draw.gain()
    result = draw.tensor("ofm", (*batch, rows, columns), INT8, draw.quantisation(INT8, scale))
    fields = {"AdjX": adjoint_x, "AdjY": adjoint_y}
    operator = Operator(
        "BATCH_MATMUL", (first, second), (result,), "BatchMatMulOptions", fields, version=2
    )
    return Network((operator,), (first, second), (result,))


def dynamic_fully_connected(draw: Draw, *, rows: int, depth_in: int, depth_out: int) -> Network:
    """FULLY_CONNECTED whose weights are an input of the network."""
    source = draw.tensor("ifm", (rows, depth_in), INT8)
    weights = Tensor(
        "weights", (depth_out, depth_in), INT8, Quantisation.per_tensor(draw.scale(), 0)
    )
    result = draw.accumulated("ofm", (rows, depth_out), source, weights, depth_in)
    fields = {"FusedActivationFunction": 0}
    operator = Operator(
        "FULLY_CONNECTED",
        (source, weights, None),
        (result,),
        "FullyConnectedOptions",
        fields,
        version=4,
    )
    return Network((operator,), (source, weights), (result,))
