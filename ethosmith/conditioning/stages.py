# SPDX-License-Identifier: Apache-2.0
"""The stages of conditioning, on a network of whichever framework, in place.

Where a stage trains, it calls the user's own function: see `FineTuning`.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from ethosmith.conditioning.holds import (
    HeldTraining,
    Hold,
    PalettesHeld,
    SparsityHeld,
    Weights,
    ZerosHeld,
)
from ethosmith.conditioning.tensors import sparsity_at
from ethosmith.core.errors import EthosmithError
from ethosmith.pytorch.places import first_line, place_of_error

FUNCTION = "fine_tune"
PRUNE, CLUSTER, QUANTISATION_AWARE = "prune", "cluster", "quantisation_aware"
ModelT_contra = TypeVar("ModelT_contra", contravariant=True)


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


class Stages(Protocol[ModelT_contra]):
    """The stages of one framework, which read a network and write what became of it."""

    def prune(
        self, model: ModelT_contra, output: Path, sparsity: float, tuning: FineTuning | None
    ) -> None:
        """See `prune`."""

    def cluster(
        self, model: ModelT_contra, output: Path, values: int, kept: Kept, tuning: FineTuning | None
    ) -> None:
        """See `cluster`."""

    def train_rounded(
        self, model: ModelT_contra, output: Path, kept: Kept, tuning: FineTuning
    ) -> None:
        """See `train_rounded`."""


def condition(
    stages: Stages[ModelT_contra],
    model: ModelT_contra,
    output: Path,
    stage: str,
    *,
    sparsity: float,
    values: int,
    kept: Kept,
    tuning: FineTuning | None,
) -> None:
    """Carry out one stage.

    Args:
        stages: a framework's.
        model: the network.
        output: what to write.
        stage: `PRUNE`, `CLUSTER` or `QUANTISATION_AWARE`.
        sparsity: of `prune`.
        values: of `cluster`.
        kept: of earlier stages.
        tuning: how it is trained; None: not at all.

    Raises:
        EthosmithError: there is no such stage, it lacks a script, or as `prune`.
    """
    if stage == PRUNE:
        stages.prune(model, output, sparsity, tuning)
    elif stage == CLUSTER:
        stages.cluster(model, output, values, kept, tuning)
    elif stage != QUANTISATION_AWARE:
        raise EthosmithError(
            f"unknown stage '{stage}' (allowed: {PRUNE}, {CLUSTER}, {QUANTISATION_AWARE})"
        )
    elif tuning is None:
        raise EthosmithError(f"stage {QUANTISATION_AWARE} trains: give it a script")
    else:
        stages.train_rounded(model, output, kept, tuning)


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


@dataclass(frozen=True)
class FineTuning:
    """How a network is trained on.

    Attributes:
        script: a Python file with the function `FUNCTION`, which trains the network that it is
            given, in place.
        epochs: how many, 1 or more.
        seed: of all that is random; set before the function is called, and handed to it.
    """

    script: Path
    epochs: int
    seed: int

    def function(self, signature: str) -> Callable[..., Any]:
        """Return the script's function.

        Args:
            signature: of the function, for messages.

        Raises:
            EthosmithError: the script fails, with its line, or has no such function.
        """
        script = self.script
        spec = importlib.util.spec_from_file_location(script.stem, script)
        loader = spec.loader if spec else None
        if spec is None or loader is None:
            raise EthosmithError(f"{script}: not a Python file; it has to define {signature}")
        module = importlib.util.module_from_spec(spec)
        # Its neighbours are its own modules.
        sys.path.insert(0, str(script.resolve().parent))
        sys.modules[script.stem] = module
        self.called(lambda: loader.exec_module(module))
        function = getattr(module, FUNCTION, None)
        if not callable(function):
            raise EthosmithError(f"{script}: has no function {signature}")
        return function  # type: ignore[no-any-return] # getattr

    def called(self, function: Callable[[], Any]) -> None:
        """Call ``function``, which runs the user's code; what it raises ends in its line."""
        try:
            function()
        except EthosmithError:
            raise
        except Exception as error:  # noqa: BLE001 the user's own code
            place = place_of_error(error) or self.script
            raise EthosmithError(f"{place}: {type(error).__name__}: {first_line(error)}") from None
