# SPDX-License-Identifier: Apache-2.0
"""The weights of a Keras network that conditioning is about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Kernel:
    """The weights of one layer.

    Attributes:
        name: of the layer.
        variable: Keras's; float32.
        channels: the axes of its output channels; negative.
        is_depthwise: it has few weights, and a network misses each of them.
    """

    name: str
    variable: Any
    channels: tuple[int, ...]
    is_depthwise: bool = False

    @property
    def values(self) -> Array:
        """The weights, a copy."""
        return np.array(self.variable.numpy())

    def assign(self, values: Array) -> None:
        """Give the layer other weights."""
        self.variable.assign(values)


def kernels_of(model: Any) -> list[Kernel]:
    """Return the kernels of all dense and convolutional layers of a network, inner ones too."""
    return list(_kernels(model))


def _kernels(model: Any) -> Iterator[Kernel]:
    import keras  # noqa: PLC0415 takes seconds

    layers = keras.layers
    transposed = (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
    plain = (layers.Dense, layers.Conv1D, layers.Conv2D, layers.Conv3D)
    depthwise = (layers.DepthwiseConv1D, layers.DepthwiseConv2D)
    separable = (layers.SeparableConv1D, layers.SeparableConv2D)
    for layer in model._flatten_layers():  # nothing public lists inner layers
        if isinstance(layer, transposed):
            yield Kernel(layer.name, layer.kernel, (-2,))
        elif isinstance(layer, plain):
            yield Kernel(layer.name, layer.kernel, (-1,))
        elif isinstance(layer, depthwise):
            yield Kernel(layer.name, layer.kernel, (-2, -1), is_depthwise=True)
        elif isinstance(layer, separable):
            yield Kernel(layer.name, layer.depthwise_kernel, (-2, -1), is_depthwise=True)
            yield Kernel(layer.name, layer.pointwise_kernel, (-1,))
