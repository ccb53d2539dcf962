# SPDX-License-Identifier: Apache-2.0
"""A twin of a Keras network whose activations are rounded as int8 while it is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError

# What the converter makes one operator with the layer before it.
_FUSED = frozenset({"BatchNormalization", "ReLU"})
_FUSED_ACTIVATIONS = frozenset({"linear", "relu", "relu6"})
# Their outputs are values of their inputs.
_MOVING = frozenset({"Dropout", "Flatten", "InputLayer", "MaxPooling2D", "Reshape"})
# How fast a range follows the batches.
_MOMENTUM = 0.9


class RoundedTwin:
    """The same layers as a network's, with int8's rounding behind each operator of them."""

    def __init__(self, path: Path, model: Any) -> None:
        """Build it.

        Raises:
            EthosmithError: the network at ``path`` is no graph of layers, or has others inside.
        """
        import keras  # noqa: PLC0415 takes seconds

        self._model = model
        whole = keras.Model(model.inputs, model.outputs) if _is_sequential(model) else model
        inner = [layer.name for layer in whole.layers if isinstance(layer, keras.Model)]
        if not isinstance(whole, keras.src.models.Functional) or inner:
            raise EthosmithError(
                f"{path}: quantisation-aware training takes a Sequential or Functional network"
                f" without others inside it{f'; {inner[0]} is one' if inner else ''}: leave out"
                " 'quantisation_aware', or flatten the network"
            )
        outputs = {tensor._keras_history.operation for tensor in whole.outputs}

        def called(layer: Any, *args: Any, **kwargs: Any) -> Any:
            made = layer(*args, **kwargs)
            if layer.name in kept or not hasattr(made, "shape"):
                return made
            return _rounding()(made)

        kept = {layer.name for layer in whole.layers if layer in outputs or _is_exact(layer)}
        self.network = keras.models.clone_model(whole, call_function=called)
        self._copy(whole, self.network)
        self._whole = whole

    def give_back(self) -> None:
        """Give the network the twin's weights."""
        self._copy(self.network, self._whole)

    def _copy(self, source: Any, target: Any) -> None:
        for layer in self._model.layers:
            target.get_layer(layer.name).set_weights(source.get_layer(layer.name).get_weights())


def _is_sequential(model: Any) -> bool:
    return type(model).__name__ == "Sequential"


def _is_exact(layer: Any) -> bool:
    """Say whether int8 rounds nothing behind the layer: it moves values, or is fused on."""
    if type(layer).__name__ in _MOVING:
        return True
    consumers = [node.operation for node in layer._outbound_nodes]
    return len(consumers) == 1 and _is_fused(consumers[0])


def _is_fused(layer: Any) -> bool:
    kind = type(layer).__name__
    if kind == "Activation":
        return getattr(layer.activation, "__name__", "") in _FUSED_ACTIVATIONS
    return kind in _FUSED


def _rounding() -> Any:
    import keras  # noqa: PLC0415
    import tensorflow as tf  # noqa: PLC0415

    class RoundToInt8(keras.layers.Layer):  # type: ignore[misc]
        """Rounds to 256 values between limits that follow the batches seen in training."""

        def build(self, shape: Any) -> None:
            del shape
            self.low = self.add_weight(shape=(), initializer="zeros", trainable=False)
            self.high = self.add_weight(shape=(), initializer="zeros", trainable=False)

        def call(self, values: Any, training: bool = False) -> Any:
            low, high = tf.convert_to_tensor(self.low), tf.convert_to_tensor(self.high)
            if training:
                # Zero is one of the values that int8 has.
                seen = tf.minimum(tf.reduce_min(values), 0.0), tf.maximum(tf.reduce_max(values), 0)
                is_first = tf.equal(low, high)
                low = tf.where(is_first, seen[0], _MOMENTUM * low + (1 - _MOMENTUM) * seen[0])
                high = tf.where(is_first, seen[1], _MOMENTUM * high + (1 - _MOMENTUM) * seen[1])
                self.low.assign(low)
                self.high.assign(high)
            return tf.quantization.fake_quant_with_min_max_vars(values, low, high, num_bits=8)

    return RoundToInt8()
