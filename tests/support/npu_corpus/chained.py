# SPDX-License-Identifier: Apache-2.0
"""An operator between convolutions: its feature maps stay inside the NPU, in its own layout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.support.npu_corpus.draw import Draw
from tests.support.npu_corpus.network import Network, Operator, Quantisation, Tensor

Builder = Callable[..., Network]


def between_convolutions(build: Builder, **kernels: tuple[int, int]) -> Builder:
    """Return a builder of ``build``'s network with convolutions before and behind it.

    Between operators Vela prefers NHCWB16 and cascades; alone, an operator sees NHWC only.

    Args:
        build: Makes the inner network; its inputs and outputs have four axes, batch 1.
        kernels: ``before`` and ``behind``: (height, width), 1x1 unless given.
    """

    def chained(draw: Draw, **parameters: Any) -> Network:
        inner = build(draw, **parameters)
        before = [_before(draw, t, kernels.get("before", (1, 1))) for t in inner.inputs]
        behind = [_behind(draw, t, kernels.get("behind", (1, 1))) for t in inner.outputs]
        operators = (*before, *inner.operators, *behind)
        inputs = tuple(_first_input(operator) for operator in before)
        return Network(operators, inputs, tuple(operator.outputs[0] for operator in behind))

    return chained


def _first_input(operator: Operator) -> Tensor:
    source = operator.inputs[0]
    assert source is not None
    return source


def _before(draw: Draw, target: Tensor, kernel: tuple[int, int]) -> Operator:
    """Return a convolution that fills ``target``, whose scale is given."""
    assert target.quantisation is not None
    depth = target.shape[-1]
    source = draw.tensor(f"{target.name}_before", target.shape, target.dtype)
    assert source.quantisation is not None
    products = depth * kernel[0] * kernel[1]
    fitting = draw.accumulated("any", target.shape, source, _weights(draw, depth, kernel), products)
    assert fitting.quantisation is not None
    # The scale of the IFM decides: what fits scales with it.
    scale = source.quantisation.scale * target.quantisation.scale / fitting.quantisation.scale
    source = replace(
        source, quantisation=Quantisation.per_tensor(scale, source.quantisation.zero_point)
    )
    return _convolution(draw, source, target, kernel)


def _behind(draw: Draw, source: Tensor, kernel: tuple[int, int]) -> Operator:
    depth = source.shape[-1]
    weights = _weights(draw, depth, kernel)
    products = depth * kernel[0] * kernel[1]
    result = draw.accumulated(f"{source.name}_behind", source.shape, source, weights, products)
    return _convolution(draw, source, result, kernel)


def _weights(draw: Draw, depth: int, kernel: tuple[int, int]) -> Tensor:
    return draw.weights((depth, *kernel, depth), depth, 0, per_channel=False, zeros=0.0)


def _convolution(draw: Draw, source: Tensor, target: Tensor, kernel: tuple[int, int]) -> Operator:
    depth = source.shape[-1]
    weights = _weights(draw, depth, kernel)
    bias = draw.bias(source, weights, depth, depth * kernel[0] * kernel[1])
    fields = {"Padding": 0, "StrideH": 1, "StrideW": 1}
    return Operator(
        "CONV_2D",
        (
            source,
            replace(weights, name=f"{target.name}_weights"),
            replace(bias, name=f"{target.name}_bias"),
        ),
        (target,),
        "Conv2DOptions",
        fields,
    )
