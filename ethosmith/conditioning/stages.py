# SPDX-License-Identifier: Apache-2.0
"""The stages of conditioning, on a network of whichever framework, in place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ethosmith.conditioning.holds import (
    HeldTraining,
    Hold,
    PalettesHeld,
    SparsityHeld,
    Weights,
    ZerosHeld,
)
from ethosmith.conditioning.script import FineTuning
from ethosmith.conditioning.tensors import sparsity_at
from ethosmith.core.errors import EthosmithError


@dataclass(frozen=True)
class Kept:
    """What earlier stages made of a network, which this one leaves.

    Attributes:
        zeros: weights that are zero stay it.
        values: the most that each layer has; 0: any number.
    """

    zeros: bool = False
    values: int = 0


class Trainable(Protocol):
    """A network that conditioning changes."""

    @property
    def path(self) -> Path:
        """Where it came from, for messages."""

    def weights(self) -> Sequence[Weights]:
        """Return those of all dense and convolutional layers."""

    def fine_tune(self, tuning: FineTuning, held: HeldTraining) -> None:
        """Train it in place; EthosmithError if the script fails."""


def prune(network: Trainable, sparsity: float, tuning: FineTuning | None) -> None:
    """Set the smallest weights of each dense and convolutional layer to zero.

    Args:
        network: changed in place.
        sparsity: the part of each layer's weights that is zero in the end.
        tuning: trains meanwhile, with more zeros from epoch to epoch; None: at once.

    Raises:
        EthosmithError: it has no such layer, or the training fails.
    """
    found = conditioned_weights(network)
    epochs = tuning.epochs if tuning else 1
    before = sum(int((one.values == 0).sum()) for one in found)
    first = min(before / sum(one.values.size for one in found), sparsity)
    schedule = [sparsity_at(epoch, epochs, first, sparsity) for epoch in range(epochs)]
    if tuning:
        network.fine_tune(tuning, HeldTraining([SparsityHeld(found, schedule)]))
    SparsityHeld(found, [sparsity])


def cluster(network: Trainable, values: int, kept: Kept, tuning: FineTuning | None) -> None:
    """Let each dense and convolutional layer have few values.

    Args:
        network: changed in place.
        values: the most int8 values that a layer has.
        kept: of earlier stages.
        tuning: trains meanwhile; the values move, and which weight has which stays.

    Raises:
        EthosmithError: as `prune`.
    """
    palettes = PalettesHeld(conditioned_weights(network), values, keep_zeros=kept.zeros)
    if tuning:
        network.fine_tune(tuning, HeldTraining([palettes]))
    palettes.apply(final=True)


def train_rounded(network: Trainable, kept: Kept, tuning: FineTuning) -> None:
    """Train a network while its weights are rounded as int8 rounds them.

    Args:
        network: changed in place; it rounds its activations itself.
        kept: of earlier stages.
        tuning: how it is trained.

    Raises:
        EthosmithError: as `prune`.
    """
    found = conditioned_weights(network)
    holds: list[Hold] = [ZerosHeld(found)] if kept.zeros else []
    palettes = None
    if kept.values:
        palettes = PalettesHeld(found, kept.values, keep_zeros=kept.zeros)
        holds = [palettes]
    network.fine_tune(tuning, HeldTraining(holds, network.weights()))
    if palettes:
        palettes.apply(final=True)


def conditioned_weights(network: Trainable) -> list[Weights]:
    """Return what is pruned and clustered; EthosmithError if there is nothing."""
    found = [one for one in network.weights() if not one.is_depthwise]
    if not found:
        raise EthosmithError(
            f"{network.path}: has no dense or convolutional layer, and 'optimise' conditions no"
            " others"
        )
    return found
