# SPDX-License-Identifier: Apache-2.0
"""The stages of conditioning of Keras: each reads a network's file and writes another one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ethosmith.conditioning import stages
from ethosmith.conditioning.keras_network import KerasNetwork, write_keras
from ethosmith.conditioning.keras_rounding import RoundedTwin
from ethosmith.conditioning.script import FineTuning
from ethosmith.conditioning.stages import Kept
from ethosmith.models.keras_file import keras_network
from ethosmith.models.repeatable_tensorflow import repeatable_tensorflow


def prune(model: Path, output: Path, sparsity: float, tuning: FineTuning | None) -> None:
    """Prune a network; see `stages.prune`.

    Args:
        model: .h5 or .keras.
        output: the .keras file to write.
        sparsity: as there.
        tuning: as there.

    Raises:
        EthosmithError: as there, or the file cannot be read.
    """
    _staged(model, output, lambda network: stages.prune(network, sparsity, tuning))


def cluster(model: Path, output: Path, values: int, kept: Kept, tuning: FineTuning | None) -> None:
    """Cluster a network; see `stages.cluster`, for files and errors `prune`."""
    _staged(model, output, lambda network: stages.cluster(network, values, kept, tuning))


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

    def stage(network: KerasNetwork) -> None:
        twin = RoundedTwin(model, network.model)
        stages.train_rounded(KerasNetwork(model, twin.network), kept, tuning)
        twin.give_back()

    _staged(model, output, stage)


def _staged(model: Path, output: Path, stage: Callable[[KerasNetwork], None]) -> None:
    with repeatable_tensorflow():
        network = keras_network(model)
        stage(KerasNetwork(model, network))
        if network.compiled:
            # Without the optimiser's state, which is twice as large.
            trained, network = network, keras_network(model)
            network.set_weights(trained.get_weights())
        write_keras(network, output)
