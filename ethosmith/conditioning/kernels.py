# SPDX-License-Identifier: Apache-2.0
"""The weights of a Keras network that conditioning is about, and what it holds them to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ethosmith.conditioning.tensors import Clustered, kept_weights
from ethosmith.core.errors import EthosmithError

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


def conditioned_kernels(path: Path, model: Any) -> list[Kernel]:
    """Return the kernels that are pruned and clustered; EthosmithError if there are none."""
    found = [one for one in kernels_of(model) if not one.is_depthwise]
    if not found:
        raise EthosmithError(
            f"{path}: has no dense or convolutional layer, and 'optimise' conditions no others"
        )
    return found


class Hold(Protocol):
    """What the weights of a network are brought back to after each step of a training."""

    def begin_epoch(self, epoch: int) -> None:
        """Prepare for an epoch, counted from 0."""

    def apply(self) -> None:
        """Bring the weights back."""


class ZerosHeld:
    """Weights that are zero when it is made stay zero."""

    def __init__(self, kernels: list[Kernel]) -> None:
        self._kernels = [(kernel, kernel.values != 0) for kernel in kernels]

    def begin_epoch(self, epoch: int) -> None:
        """Nothing changes from epoch to epoch."""

    def apply(self) -> None:
        """Set to zero what was."""
        for kernel, kept in self._kernels:
            kernel.assign(kernel.values * kept)


class SparsityHeld:
    """The smallest weights of each kernel are zero, more of them from epoch to epoch."""

    def __init__(self, kernels: list[Kernel], schedule: list[float]) -> None:
        self._kernels = kernels
        self._schedule = schedule
        self._kept: list[Array] = []
        self.begin_epoch(0)

    def begin_epoch(self, epoch: int) -> None:
        """Choose anew what is zero; beyond the schedule its last sparsity holds."""
        sparsity = self._schedule[min(epoch, len(self._schedule) - 1)]
        self._kept = [kept_weights(one.values, sparsity) for one in self._kernels]
        self.apply()

    def apply(self) -> None:
        """Set the chosen weights to zero."""
        for kernel, kept in zip(self._kernels, self._kept, strict=True):
            kernel.assign(kernel.values * kept)


class PalettesHeld:
    """Each kernel has no more values than its palette, which moves as the training says."""

    def __init__(self, kernels: list[Kernel], values: int, *, keep_zeros: bool) -> None:
        self._kernels = [
            (
                one,
                Clustered.of(one.values, one.channels, values, keep_zeros=keep_zeros),
            )
            for one in kernels
        ]
        self.apply(final=True)

    def begin_epoch(self, epoch: int) -> None:
        """Nothing changes from epoch to epoch."""

    def apply(self, *, final: bool = False) -> None:
        """Bring each weight to its value; ``final``: as whole int8 values."""
        for kernel, clustered in self._kernels:
            clustered.follow(kernel.values.astype(np.float64))
            kernel.assign(clustered.weights(final=final))
