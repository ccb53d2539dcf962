# SPDX-License-Identifier: Apache-2.0
"""The network: 1-D convolutions over time, a wav2letter in small, with one column and no padding.

Without padding an output depends on its receptive field alone, so a window of the device gives
the very outputs that the whole utterance would give.
"""

from __future__ import annotations

from typing import Any

STRIDE_FRAMES = 2
# Kernel (in frames for the first layer, in output steps for the rest) and channels.
_LAYERS = ((11, 64), (7, 80), (7, 80), (7, 96), (1, 128))
_WIDENING = sum(kernel - 1 for kernel, _ in _LAYERS[1:])
RECEPTIVE_FIELD_FRAMES = _LAYERS[0][0] + STRIDE_FRAMES * _WIDENING
# Output steps of one window on the device, 20 ms each.
WINDOW_STEPS = 64
WINDOW_FRAMES = RECEPTIVE_FIELD_FRAMES + STRIDE_FRAMES * (WINDOW_STEPS - 1)


def logits_network(frames: int | None, channels: int, symbols: int, *, dropout: float = 0.0) -> Any:
    """Return the Keras network from ``frames x 1 x channels`` to ``steps x 1 x symbols``."""
    import keras  # noqa: PLC0415 takes seconds

    inputs = keras.Input((frames, 1, channels), name="features")
    signal = inputs
    for index, (kernel, filters) in enumerate(_LAYERS):
        stride = STRIDE_FRAMES if index == 0 else 1
        signal = keras.layers.Conv2D(
            filters, (kernel, 1), strides=(stride, 1), use_bias=False, name=f"conv{index}"
        )(signal)
        signal = keras.layers.BatchNormalization(momentum=0.95, name=f"norm{index}")(signal)
        signal = keras.layers.ReLU(name=f"relu{index}")(signal)
        if dropout:
            signal = keras.layers.SpatialDropout2D(dropout, name=f"dropout{index}")(signal)
    return keras.Model(inputs, keras.layers.Conv2D(symbols, 1, name="logits")(signal))


def window_network(channels: int, symbols: int) -> Any:
    """Return the network that the device runs: one window, probabilities as output."""
    import keras  # noqa: PLC0415

    logits = logits_network(WINDOW_FRAMES, channels, symbols)
    return keras.Model(logits.inputs[0], keras.layers.Softmax(name="symbols")(logits.outputs[0]))
