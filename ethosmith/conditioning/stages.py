# SPDX-License-Identifier: Apache-2.0
"""The stages of conditioning: each reads a Keras file and writes another one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethosmith.conditioning.fake_quantisation import RoundedTwin
from ethosmith.conditioning.fine_tuning import FineTuning, fine_tune
from ethosmith.conditioning.keras_output import write_keras
from ethosmith.conditioning.kernels import (
    Hold,
    PalettesHeld,
    SparsityHeld,
    ZerosHeld,
    conditioned_kernels,
    kernels_of,
)
from ethosmith.conditioning.tensors import sparsity_at
from ethosmith.models.keras_file import keras_network
from ethosmith.models.repeatable_tensorflow import repeatable_tensorflow


@dataclass(frozen=True)
class Kept:
    """What earlier stages made of a network, which this one leaves.

    Attributes:
        zeros: weights that are zero stay it.
        values: the most that each kernel has; 0: any number.
    """

    zeros: bool = False
    values: int = 0


def prune(model: Path, output: Path, sparsity: float, tuning: FineTuning | None) -> None:
    """Set the smallest weights of each dense and convolutional layer to zero.

    Args:
        model: .h5 or .keras.
        output: the .keras file to write.
        sparsity: the part of each kernel that is zero in the end.
        tuning: trains meanwhile, with more zeros from epoch to epoch; None: at once.

    Raises:
        EthosmithError: the file cannot be read or has no such layer, or the training fails.
    """

    def stage(network: Any) -> None:
        kernels = conditioned_kernels(model, network)
        epochs = tuning.epochs if tuning else 1
        before = sum(int((one.values == 0).sum()) for one in kernels)
        first = min(before / sum(one.values.size for one in kernels), sparsity)
        schedule = [sparsity_at(epoch, epochs, first, sparsity) for epoch in range(epochs)]
        if tuning:
            fine_tune(tuning, network, [SparsityHeld(kernels, schedule)])
        SparsityHeld(kernels, [sparsity])

    _staged(model, output, stage)


def cluster(model: Path, output: Path, values: int, kept: Kept, tuning: FineTuning | None) -> None:
    """Let each dense and convolutional layer have few values; arguments and errors as `prune`.

    Args:
        model: .h5 or .keras.
        output: the .keras file to write.
        values: the most int8 values that a kernel has.
        kept: of earlier stages.
        tuning: trains meanwhile; the values move, and which weight has which stays.
    """

    def stage(network: Any) -> None:
        palettes = PalettesHeld(conditioned_kernels(model, network), values, keep_zeros=kept.zeros)
        if tuning:
            fine_tune(tuning, network, [palettes])
        palettes.apply(final=True)

    _staged(model, output, stage)


def train_rounded(model: Path, output: Path, kept: Kept, tuning: FineTuning) -> None:
    """Train a network while its weights and activations are rounded as int8 rounds them.

    Args:
        model: .h5 or .keras.
        output: the .keras file to write: the trained weights, as float.
        kept: of earlier stages.
        tuning: how it is trained.

    Raises:
        EthosmithError: as `prune`, or the network is no flat graph of layers.
    """

    def stage(network: Any) -> None:
        twin = RoundedTwin(model, network)
        kernels = conditioned_kernels(model, twin.network)
        holds: list[Hold] = [ZerosHeld(kernels)] if kept.zeros else []
        palettes = None
        if kept.values:
            palettes = PalettesHeld(kernels, kept.values, keep_zeros=kept.zeros)
            holds = [palettes]
        fine_tune(tuning, twin.network, holds, kernels_of(twin.network))
        if palettes:
            palettes.apply(final=True)
        twin.give_back()

    _staged(model, output, stage)


def _staged(model: Path, output: Path, stage: Callable[[Any], None]) -> None:
    with repeatable_tensorflow():
        network = keras_network(model)
        stage(network)
        if network.compiled:
            # Without the optimiser's state, which is twice as large.
            trained, network = network, keras_network(model)
            network.set_weights(trained.get_weights())
        write_keras(network, output)
