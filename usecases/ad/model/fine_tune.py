# SPDX-License-Identifier: Apache-2.0
"""Train the auto-encoder on: what ``optimise:`` of ../../ad_compact/usecase.yaml calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from features import features
from sounds import NORMAL, clip

_MOTORS = 150
_BATCH = 16
_LEARNING_RATE = 5e-4


def fine_tune(network: Any, *, epochs: int, seed: int, callbacks: Sequence[Any]) -> None:
    """Train ``network``, a keras.Model, in place on whole motors of the first training.

    Args:
        network: 5 x 128 x 1 to the same, not compiled.
        epochs: of the training.
        seed: which motors they are.
        callbacks: for ``fit``: they hold the weights to what the stage wants.
    """
    import keras  # noqa: PLC0415 takes seconds

    numbers = np.random.default_rng(seed).choice(1500, _MOTORS, replace=False)
    inputs = np.array([features(clip(NORMAL, int(number))) for number in numbers])
    network.compile(keras.optimizers.Adam(_LEARNING_RATE), "mse")
    network.fit(inputs, inputs, _BATCH, epochs, verbose=0, callbacks=list(callbacks))
