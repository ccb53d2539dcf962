# SPDX-License-Identifier: Apache-2.0
"""What the float and the int8 network hear, window by window as the device runs them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ethosmith.models.int8_check import load_interpreter

# One window in, best symbol of each output step out.
Network = Callable[[npt.NDArray[np.float32]], Sequence[int]]


def greedy_text(best: Sequence[int], alphabet: str) -> str:
    """Return the text of the best symbols of all steps; the blank is behind the alphabet."""
    changes = [
        symbol for index, symbol in enumerate(best) if index == 0 or symbol != best[index - 1]
    ]
    letters = (alphabet[symbol] for symbol in changes if symbol < len(alphabet))
    return " ".join("".join(letters).split())


def transcribed(network: Network, windows: npt.NDArray[np.float16], alphabet: str) -> str:
    """Return what ``network`` makes of a clip's windows."""
    best = [symbol for window in windows for symbol in network(window.astype(np.float32))]
    return greedy_text(best, alphabet)


def float_network(network: Any) -> Network:
    """Return a Keras network of one window as a `Network`."""

    def run(window: npt.NDArray[np.float32]) -> Sequence[int]:
        return _best(np.asarray(network(window[np.newaxis], training=False)))

    return run


def int8_network(path: Path) -> Network:
    """Return an int8 .tflite of one window as a `Network`, on LiteRT's reference kernels."""
    interpreter = load_interpreter(path)
    given, made = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    scale, zero_point = given["quantization"]

    def run(window: npt.NDArray[np.float32]) -> Sequence[int]:
        # Rounded half away from zero, as the device does it.
        scaled = window[np.newaxis] / np.float32(scale)
        rounded = np.copysign(np.floor(np.abs(scaled) + 0.5), scaled) + zero_point
        interpreter.set_tensor(given["index"], np.clip(rounded, -128, 127).astype(np.int8))
        interpreter.invoke()
        return _best(interpreter.get_tensor(made["index"]))

    return run


def _best(output: npt.NDArray[Any]) -> list[int]:
    return [int(symbol) for symbol in output.reshape(-1, output.shape[-1]).argmax(axis=-1)]
