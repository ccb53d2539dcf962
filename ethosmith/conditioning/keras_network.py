# SPDX-License-Identifier: Apache-2.0
"""A Keras network while it is conditioned: its weights, its training, its file.

The user's own function trains it: it decides data, loss and optimiser. Weights are held to what
conditioning wants by a callback that the function hands to ``fit``: Keras 3's own means, since
TensorFlow Model Optimization takes networks of Keras 2 alone.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ethosmith.conditioning import stages
from ethosmith.conditioning.holds import HeldTraining
from ethosmith.conditioning.keras_rounding import RoundedTwin
from ethosmith.conditioning.stages import FUNCTION, FineTuning, Kept
from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import writing_beside
from ethosmith.models.keras_file import keras_network, reader_crashed, repeatable_tensorflow

Array = npt.NDArray[Any]
_SIGNATURE = f"{FUNCTION}(network, *, epochs, seed, callbacks)"
_METADATA = "metadata.json"
_SAVED_AT = "date_saved"
# The first day that a zip archive can name.
_NO_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class KerasNetwork:
    """A Keras network as `ethosmith.conditioning.stages` takes it.

    Attributes:
        path: where it came from.
        model: a keras.Model, not compiled.
    """

    path: Path
    model: Any

    def weights(self) -> list[Kernel]:
        """Return the kernels of all layers that have any."""
        return list(_kernels(self.model))

    def fine_tune(self, tuning: FineTuning, held: HeldTraining) -> None:
        """Train it in place.

        Args:
            tuning: how.
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
            lambda: function(
                self.model, epochs=tuning.epochs, seed=tuning.seed, callbacks=callbacks
            )
        )
        if not held.batches:
            raise EthosmithError(
                f"{tuning.script}: {FUNCTION}() did not train with the callbacks that it was given:"
                " hand them on, as in network.fit(..., callbacks=callbacks)"
            )


@dataclass(frozen=True)
class Kernel:
    """The weights of one layer.

    Attributes:
        name: of the layer.
        variable: Keras's; float32.
        channels: the axes of its output channels; negative.
        is_depthwise: it has few weights, and a network misses each of them.
    """

    name: str
    variable: Any
    channels: tuple[int, ...]
    is_depthwise: bool = False

    @property
    def values(self) -> Array:
        """The weights, a copy."""
        return np.array(self.variable.numpy())

    def assign(self, values: Array) -> None:
        """Give the layer other weights."""
        self.variable.assign(values)


def _kernels(model: Any) -> Iterator[Kernel]:
    import keras  # noqa: PLC0415 takes seconds

    layers = keras.layers
    transposed = (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
    plain = (layers.Dense, layers.Conv1D, layers.Conv2D, layers.Conv3D)
    depthwise = (layers.DepthwiseConv1D, layers.DepthwiseConv2D)
    separable = (layers.SeparableConv1D, layers.SeparableConv2D)
    for layer in model._flatten_layers():  # nothing public lists inner layers
        if isinstance(layer, transposed):
            yield Kernel(layer.name, layer.kernel, (-2,))
        elif isinstance(layer, plain):
            yield Kernel(layer.name, layer.kernel, (-1,))
        elif isinstance(layer, depthwise):
            yield Kernel(layer.name, layer.kernel, (-2, -1), is_depthwise=True)
        elif isinstance(layer, separable):
            yield Kernel(layer.name, layer.depthwise_kernel, (-2, -1), is_depthwise=True)
            yield Kernel(layer.name, layer.pointwise_kernel, (-1,))


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


def write_keras(model: Any, output: Path) -> None:
    """Write ``model`` to ``output``, whole or not at all, and without the time of writing."""
    with tempfile.TemporaryDirectory(prefix="keras-") as folder, writing_beside(output) as beside:
        saved = Path(folder) / "network.keras"
        model.save(saved)
        with zipfile.ZipFile(saved) as given, zipfile.ZipFile(beside, "w") as made:
            for name in sorted(given.namelist()):
                content = given.read(name)
                if name == _METADATA:
                    content = _without_date(content)
                member = zipfile.ZipInfo(name, _NO_DATE)
                member.external_attr = 0o644 << 16
                # Weights hardly shrink, and another zlib would give other bytes.
                made.writestr(member, content, zipfile.ZIP_STORED)


def _without_date(content: bytes) -> bytes:
    metadata = json.loads(content)
    metadata.pop(_SAVED_AT, None)
    return json.dumps(metadata, sort_keys=True).encode()


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
