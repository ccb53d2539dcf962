# SPDX-License-Identifier: Apache-2.0
"""``optimise:`` of a usecase.yaml: how its network is conditioned before it is quantised."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from ethosmith.descriptors.base import Problem, Strict
from ethosmith.descriptors.words import Limits, RelativePath

Epochs = Annotated[int, Limits(ge=0, le=10000)]


class Prune(Strict):
    """Set the smallest weights of each dense and convolutional layer to zero.

    Attributes:
        sparsity: the part of each layer's weights that is zero in the end.
        epochs: of `fine_tune` meanwhile; 0: the network is not trained.
    """

    sparsity: Annotated[float, Limits(gt=0, lt=1)]
    epochs: Epochs = 0


class Cluster(Strict):
    """Let the weights of each dense and convolutional layer have few int8 values.

    Attributes:
        values: the most that a layer has, zero included; Vela's stream has tables of up to 32.
        epochs: of `fine_tune` meanwhile; 0: the network is not trained.
    """

    values: Annotated[int, Limits(ge=4, le=128)]
    epochs: Epochs = 0


class QuantisationAware(Strict):
    """Train on with weights and activations that are rounded as int8 rounds them.

    Attributes:
        epochs: of `fine_tune`.
    """

    epochs: Annotated[int, Limits(ge=1, le=10000)]


class Stage(Strict):
    """One stage: exactly one of its keys.

    Attributes:
        prune: makes weights zero.
        cluster: makes weights equal.
        quantisation_aware: trains for int8.
    """

    prune: Prune | None = None
    cluster: Cluster | None = None
    quantisation_aware: QuantisationAware | None = None

    def __post_init__(self) -> None:
        if sum(one is not None for one in self.__dict__.values()) != 1:
            raise ValueError("give exactly one of: prune, cluster, quantisation_aware")

    @property
    def kind(self) -> str:
        """Its key."""
        return next(name for name, value in self.__dict__.items() if value is not None)

    @property
    def epochs(self) -> int:
        """How long it trains; 0: not at all."""
        return int(getattr(self, self.kind).epochs)


class Optimise(Strict):
    """How a network is conditioned before it is quantised.

    Attributes:
        fine_tune: a Python file with the function
            `fine_tune(network, *, epochs, seed, callbacks)`, which trains the Keras network that
            it is given, in place; for a PyTorch network, `begin_epoch` instead of `callbacks`.
        reads: files and folders that it reads beside the Python files of its own folder; where
            one changes, it trains again.
        seed: of the training.
        stages: in this order: `prune`, `cluster`, `quantisation_aware`, any of them.
    """

    fine_tune: RelativePath | None = None
    reads: tuple[RelativePath, ...] = ()
    seed: Annotated[int, Limits(ge=0, lt=1 << 32)] = 0
    stages: Annotated[tuple[Stage, ...], Limits(min_length=1)]


def stage_problems(optimise: Optimise) -> Iterator[Problem]:
    """Find stages out of order, and a training without a script, or a script without one."""
    order = Stage.key_names()
    places = [order.index(stage.kind) for stage in optimise.stages]
    for index, stage in enumerate(optimise.stages):
        where = ("optimise", "stages", index, stage.kind)
        if index and places[index] <= places[index - 1]:
            before = order[places[index - 1]]
            yield Problem(
                where, f"{stage.kind} cannot follow {before}: the order is {', '.join(order)}"
            )
        if stage.epochs and optimise.fine_tune is None:
            message = (
                f"{stage.epochs} epochs need a training: add 'fine_tune: FILE.py' to optimise, or"
                " leave out epochs"
            )
            yield Problem((*where, "epochs"), message)
    if optimise.fine_tune is not None and not any(stage.epochs for stage in optimise.stages):
        yield Problem(("optimise", "fine_tune"), "no stage trains: give one 'epochs', or remove it")
