# SPDX-License-Identifier: Apache-2.0
"""What the weights of a network are held to while it is trained, in whichever framework."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ethosmith.conditioning.tensors import Clustered, kept_weights, rounded_to_int8

Array = npt.NDArray[Any]


class Weights(Protocol):
    """The weights of one layer, float32."""

    @property
    def channels(self) -> tuple[int, ...]:
        """The axes of its output channels; negative."""

    @property
    def is_depthwise(self) -> bool:
        """Say whether it has few weights, each of which a network misses."""

    @property
    def values(self) -> Array:
        """The weights, a copy."""

    def assign(self, values: Array) -> None:
        """Give the layer other weights."""


class Hold(Protocol):
    """What the weights of a network are brought back to after each step of a training."""

    def begin_epoch(self, epoch: int) -> None:
        """Prepare for an epoch, counted from 0."""

    def apply(self) -> None:
        """Bring the weights back."""


class ZerosHeld:
    """Weights that are zero when it is made stay zero."""

    def __init__(self, kernels: Sequence[Weights]) -> None:
        self._kernels = [(kernel, kernel.values != 0) for kernel in kernels]

    def begin_epoch(self, epoch: int) -> None:
        """Nothing changes from epoch to epoch."""

    def apply(self) -> None:
        """Set to zero what was."""
        for kernel, kept in self._kernels:
            kernel.assign(kernel.values * kept)


class SparsityHeld:
    """The smallest weights of each kernel are zero, more of them from epoch to epoch."""

    def __init__(self, kernels: Sequence[Weights], schedule: list[float]) -> None:
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

    def __init__(self, kernels: Sequence[Weights], values: int, *, keep_zeros: bool) -> None:
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


class HeldTraining:
    """Holds weights from batch to batch; a framework's training calls it.

    Attributes:
        batches: that were trained.
    """

    def __init__(self, holds: Sequence[Hold], rounded: Sequence[Weights] = ()) -> None:
        """Prepare a training.

        Args:
            holds: what the weights are brought back to after each batch, in this order.
            rounded: weights that are rounded to int8 while gradients are computed.
        """
        self.batches = 0
        self._holds, self._rounded = holds, rounded
        self._exact: list[tuple[Array, Array]] = []

    def begin_epoch(self, epoch: int) -> None:
        """Prepare for an epoch, counted from 0."""
        for hold in self._holds:
            hold.begin_epoch(epoch)

    def begin_batch(self) -> None:
        """Round what is rounded."""
        self._exact = []
        for weights in self._rounded:
            exact = weights.values
            used = rounded_to_int8(exact, weights.channels)
            weights.assign(used)
            self._exact.append((exact, used))

    def end_batch(self) -> None:
        """Bring the weights back; the gradient passes the rounding as if it were not there."""
        self.batches += 1
        self.unround()
        for hold in self._holds:
            hold.apply()

    def unround(self) -> None:
        """Give back what `begin_batch` rounded off, with what was learnt since."""
        for weights, (exact, used) in zip(self._rounded, self._exact, strict=False):
            weights.assign(exact + (weights.values - used))
        self._exact = []
