# SPDX-License-Identifier: Apache-2.0
"""Train a Keras network with the user's own function, its weights held to what conditioning wants.

The function decides data, loss and optimiser. What is held is held by a callback that the
function hands to ``fit``: Keras 3's own means, since TensorFlow Model Optimization takes networks
of Keras 2 alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ethosmith.conditioning.holds import HeldTraining
from ethosmith.conditioning.script import FUNCTION, FineTuning
from ethosmith.core.errors import EthosmithError
from ethosmith.models.keras_file import reader_crashed

_SIGNATURE = f"{FUNCTION}(network, *, epochs, seed, callbacks)"


def fine_tune(tuning: FineTuning, model: Any, held: HeldTraining) -> None:
    """Train ``model`` in place.

    Args:
        tuning: how.
        model: a Keras network, not compiled.
        held: brings its weights back after each batch.

    Raises:
        EthosmithError: the script fails, with its line; has no such function; or did not hand
            the callbacks to ``fit``.
    """
    import keras  # noqa: PLC0415 takes seconds

    function = tuning.function(_SIGNATURE)
    callbacks = [_callback(held)]
    keras.utils.set_random_seed(tuning.seed)
    tuning.called(
        lambda: function(model, epochs=tuning.epochs, seed=tuning.seed, callbacks=callbacks)
    )
    if not held.batches:
        raise EthosmithError(
            f"{tuning.script}: {FUNCTION}() did not train with the callbacks that it was given:"
            " hand them on, as in network.fit(..., callbacks=callbacks)"
        )


def training_crashed(model: Path, script: Path | None, signal_name: str) -> str:
    """Say what to look at when ``signal_name`` ended the reading or training of a network."""
    return reader_crashed(model, signal_name) or (
        f"{script or model}: {signal_name} ended the conditioning of {model}"
    )


def _callback(held: HeldTraining) -> Any:
    import keras  # noqa: PLC0415

    class HoldWeights(keras.callbacks.Callback):  # type: ignore[misc]
        """Calls a `HeldTraining`."""

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            del logs
            held.begin_epoch(epoch)

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            del batch, logs
            held.begin_batch()

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            del batch, logs
            held.end_batch()

    return HoldWeights()
