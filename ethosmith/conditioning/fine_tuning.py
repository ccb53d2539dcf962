# SPDX-License-Identifier: Apache-2.0
"""Train a network with the user's own function, its weights held to what conditioning wants.

The function decides data, loss and optimiser. What is held is held by a callback that the
function hands to ``fit``: Keras 3's own means, since TensorFlow Model Optimization takes networks
of Keras 2 alone.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethosmith.conditioning.kernels import Hold, Kernel
from ethosmith.conditioning.tensors import rounded_to_int8
from ethosmith.core.errors import EthosmithError
from ethosmith.models.keras_file import reader_crashed
from ethosmith.pytorch.places import first_line, place_of_error

FUNCTION = "fine_tune"
_SIGNATURE = f"{FUNCTION}(network, *, epochs, seed, callbacks)"


@dataclass(frozen=True)
class FineTuning:
    """How a network is trained on.

    Attributes:
        script: a Python file with the function `FUNCTION`, which trains the Keras network that
            it is given, in place.
        epochs: how many, 1 or more.
        seed: of all that is random; set before the function is called, and handed to it.
    """

    script: Path
    epochs: int
    seed: int


def fine_tune(
    tuning: FineTuning,
    model: Any,
    holds: Sequence[Hold],
    rounded: Sequence[Kernel] = (),
) -> None:
    """Train ``model`` in place.

    Args:
        tuning: how.
        model: a Keras network, not compiled.
        holds: what its weights are brought back to after each batch, in this order.
        rounded: kernels that are rounded to int8 while gradients are computed.

    Raises:
        EthosmithError: the script fails, with its line; has no such function; or did not hand
            the callbacks to ``fit``.
    """
    import keras  # noqa: PLC0415 takes seconds

    function = _function(tuning.script)
    callback = _callback(holds, rounded)
    keras.utils.set_random_seed(tuning.seed)
    _called(
        tuning.script,
        lambda: function(model, epochs=tuning.epochs, seed=tuning.seed, callbacks=[callback]),
    )
    if not callback.batches:
        raise EthosmithError(
            f"{tuning.script}: {FUNCTION}() did not train with the callbacks that it was given:"
            " hand them on, as in network.fit(..., callbacks=callbacks)"
        )


def training_crashed(model: Path, script: Path | None, signal_name: str) -> str:
    """Say what to look at when ``signal_name`` ended the reading or training of a network."""
    return reader_crashed(model, signal_name) or (
        f"{script or model}: {signal_name} ended the conditioning of {model}"
    )


def _callback(holds: Sequence[Hold], rounded: Sequence[Kernel]) -> Any:
    import keras  # noqa: PLC0415

    class HoldWeights(keras.callbacks.Callback):  # type: ignore[misc]
        """Brings weights back after each batch; see `fine_tune`."""

        def __init__(self) -> None:
            super().__init__()
            self.batches = 0
            self._exact: list[tuple[Any, Any]] = []

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            del logs
            for hold in holds:
                hold.begin_epoch(epoch)

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            del batch, logs
            self._exact = []
            for kernel in rounded:
                exact = kernel.values
                used = rounded_to_int8(exact, kernel.channels)
                kernel.assign(used)
                self._exact.append((exact, used))

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            del batch, logs
            self.batches += 1
            # The gradient passes the rounding as if it were not there.
            for kernel, (exact, used) in zip(rounded, self._exact, strict=True):
                kernel.assign(exact + (kernel.values - used))
            for hold in holds:
                hold.apply()

    return HoldWeights()


def _function(script: Path) -> Callable[..., Any]:
    spec = importlib.util.spec_from_file_location(script.stem, script)
    loader = spec.loader if spec else None
    if spec is None or loader is None:
        raise EthosmithError(f"{script}: not a Python file; it has to define {_SIGNATURE}")
    module = importlib.util.module_from_spec(spec)
    # Its neighbours are its own modules.
    sys.path.insert(0, str(script.resolve().parent))
    sys.modules[script.stem] = module
    _called(script, lambda: loader.exec_module(module))
    function = getattr(module, FUNCTION, None)
    if not callable(function):
        raise EthosmithError(f"{script}: has no function {_SIGNATURE}")
    return function  # type: ignore[no-any-return] # getattr


def _called(script: Path, function: Callable[[], Any]) -> None:
    try:
        function()
    except EthosmithError:
        raise
    except Exception as error:  # noqa: BLE001 the user's own code
        place = place_of_error(error) or script
        raise EthosmithError(f"{place}: {type(error).__name__}: {first_line(error)}") from None
