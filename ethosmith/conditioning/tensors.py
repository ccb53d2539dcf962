# SPDX-License-Identifier: Apache-2.0
"""What conditioning does to one tensor of weights; NumPy alone, so any framework can use it.

An int8 network has one scale for each output channel, the channel's largest magnitude over 127,
and a batch normalisation that is folded into the weights multiplies each channel once more. So
values that all channels share are shared after scaling: here, every channel is its scale times
values of one palette, which is symmetric (a batch normalisation may turn a channel's sign) and
has -1 and 1 in every channel (the scale that the converter finds is then the one meant).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
# The largest int8 value of a weight; -128 is not used.
_MAX_INT8 = 127
_ROUNDS = 30
# Fewer have no two magnitudes to choose from.
MIN_VALUES = 4


def kept_weights(weights: Array, sparsity: float) -> npt.NDArray[np.bool_]:
    """Return which weights stay when the smallest magnitudes become zero.

    Args:
        weights: of any shape.
        sparsity: the part of them that becomes zero, rounded to whole weights. Of equal
            magnitudes the first ones do.
    """
    order = np.argsort(np.abs(weights), axis=None, kind="stable")
    kept = np.ones(weights.size, bool)
    kept[order[: round(sparsity * weights.size)]] = False
    return kept.reshape(weights.shape)


def sparsity_at(epoch: int, epochs: int, first: float, last: float) -> float:
    """Return the sparsity that holds in an epoch: quick at first, final in the second half."""
    ramp = max((epochs + 1) // 2, 1)
    left = max(1 - (epoch + 1) / ramp, 0.0)
    return last + (first - last) * left**3


def channel_scales(weights: Array, channels: Sequence[int]) -> Array:
    """Return each channel's largest magnitude, shaped to be multiplied with ``weights``.

    Args:
        weights: of any shape.
        channels: the axes that tell one channel from another; negative.
    """
    others = tuple(axis for axis in range(-weights.ndim, 0) if axis not in channels)
    return np.asarray(np.abs(weights).max(axis=others, keepdims=True))


def rounded_to_int8(weights: Array, channels: Sequence[int]) -> Array:
    """Return the weights as an int8 network has them, as floats; arguments as `channel_scales`."""
    steps = channel_scales(weights, channels) / _MAX_INT8
    steps = np.where(steps == 0, 1, steps)
    return np.asarray(np.rint(weights / steps) * steps, weights.dtype)


def distinct_int8_values(weights: Array, channels: Sequence[int]) -> int:
    """Return how many int8 values the weights have once each channel has its scale."""
    steps = channel_scales(weights, channels) / _MAX_INT8
    return int(np.unique(np.rint(weights / np.where(steps == 0, 1, steps))).size)


@dataclass
class Clustered:
    """A tensor of weights as scales of its channels, and a palette that all of them share.

    Attributes:
        channels: axes, see `channel_scales`.
        signs: -1, 0 or 1 for each weight.
        members: for each weight, which of ``magnitudes`` it has.
        magnitudes: in (0, 1]; the last one is 1.
        scales: of the channels.
    """

    channels: tuple[int, ...]
    signs: Array
    members: Array
    magnitudes: Array
    scales: Array

    @classmethod
    def of(
        cls, weights: Array, channels: Sequence[int], values: int, *, keep_zeros: bool
    ) -> Clustered:
        """Choose palette, scales and members for ``weights``, by turns (Lloyd's algorithm).

        Args:
            weights: of any shape.
            channels: axes, see `channel_scales`.
            values: the most that the palette has, zero included: `MIN_VALUES` or more.
            keep_zeros: weights that are zero stay it, and zero is one of the values.
        """
        exact = weights.astype(np.float64)
        scales = channel_scales(exact, channels)
        has_zero = bool(values % 2 or not scales.all() or (keep_zeros and (weights == 0).any()))
        signs = np.sign(exact) if keep_zeros else np.where(exact < 0, -1.0, 1.0) * (scales > 0)
        count = (values - has_zero) // 2
        found = cls(
            channels=tuple(channels),
            signs=signs,
            members=np.zeros(weights.shape, np.int64),
            magnitudes=np.linspace(0, 1, count + 1)[1:],
            scales=scales,
        )
        for _ in range(_ROUNDS):
            found._assign(exact)
            found.follow(exact)
        found._assign(exact)
        return found

    def follow(self, weights: Array) -> None:
        """Move palette and scales to where ``weights`` have moved; members stay."""
        values = weights * self.signs
        self._rescale(values)
        weight, count = self.scales * np.abs(self.signs), len(self.magnitudes)
        above = np.bincount(self.members.ravel(), (values * weight).ravel(), count)
        below = np.bincount(self.members.ravel(), (weight * weight).ravel(), count)
        moved = np.divide(above, below, out=self.magnitudes.copy(), where=below > 0)
        self.magnitudes = np.clip(moved, 1 / _MAX_INT8, 1)
        self.magnitudes[-1] = 1
        self._rescale(values)

    def _rescale(self, values: Array) -> None:
        chosen = self.magnitudes[self.members] * np.abs(self.signs)
        others = tuple(axis for axis in range(-values.ndim, 0) if axis not in self.channels)
        above = (values * chosen).sum(axis=others, keepdims=True)
        below = (chosen * chosen).sum(axis=others, keepdims=True)
        fitted = np.divide(above, below, out=self.scales.copy(), where=below > 0)
        # A channel neither dies nor turns its sign.
        self.scales = np.maximum(fitted, 1e-3 * self.scales)

    def _assign(self, weights: Array) -> None:
        self.magnitudes = np.sort(self.magnitudes)
        relative = np.abs(weights) / np.where(self.scales == 0, 1, self.scales)
        between = (self.magnitudes[1:] + self.magnitudes[:-1]) / 2
        self.members = np.searchsorted(between, relative)
        # Each channel's largest weight has the magnitude 1, or the converter finds another scale.
        self.members[relative == channel_scales(relative, self.channels)] = len(self.magnitudes) - 1

    def weights(self, *, final: bool = False) -> Array:
        """Return the weights as float32; ``final``: the palette's values are whole int8 ones."""
        chosen = self.magnitudes
        if final:
            chosen = np.maximum(np.rint(chosen * _MAX_INT8), 1) / _MAX_INT8
        return np.asarray(self.signs * self.scales * chosen[self.members], np.float32)
