# SPDX-License-Identifier: Apache-2.0
"""Float models of every kind that people have are quantised, or refused for the cause."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.models.calibration import RandomData, from_arrays, from_random
from ethosmith.models.int8_check import check_int8, interpreter_of
from ethosmith.models.keras_model import first_sentence
from ethosmith.models.quantise import quantise
from tests.support.one_thread import tensorflow


@pytest.fixture(scope="module")
def keras() -> Any:
    tensorflow()
    return pytest.importorskip("keras")


def _quantised(model: Any, folder: Path) -> Path:
    given, taken = folder / "net.keras", folder / "net.tflite"
    model.save(given)
    quantise(given, taken, lambda inputs: from_random(RandomData(1, 8, -1.0, 1.0), inputs))
    return taken


def test_two_inputs_are_calibrated_by_name(keras: Any, tmp_path: Path) -> None:
    """Keras and the .tflite have the inputs in different orders; the ranges tell them apart."""
    wide, narrow = keras.Input((8, 8, 3), name="wide"), keras.Input((4,), name="narrow")
    layers = keras.layers
    flat = layers.Flatten()(layers.Conv2D(2, 3)(wide))
    joined = layers.Concatenate()([flat, layers.Dense(4)(narrow)])
    model = keras.Model([wide, narrow], layers.Dense(3)(joined))
    given, taken = tmp_path / "net.keras", tmp_path / "net.tflite"
    model.save(given)
    ranges = {"wide": 100.0, "narrow": 1.0}

    random = np.random.default_rng(0)
    arrays: dict[str, Any] = {
        "narrow": random.uniform(0, ranges["narrow"], (8, 4)),
        "wide": random.uniform(0, ranges["wide"], (8, 8, 8, 3)).astype(np.float32),
    }
    np.savez(tmp_path / "calibration.npz", allow_pickle=False, **arrays)
    quantise(given, taken, lambda inputs: from_arrays([tmp_path / "calibration.npz"], inputs))
    scales = {tensor.shape: tensor.scale for tensor in check_int8(taken).inputs}
    assert scales[1, 8, 8, 3] == pytest.approx(100 / 255, rel=0.1)
    assert scales[1, 4] == pytest.approx(1 / 255, rel=0.1)


def test_an_embedding_is_calibrated_with_integers(keras: Any, tmp_path: Path) -> None:
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((10,), dtype="int32"),
            *(layers.Embedding(7, 4), layers.Flatten(), layers.Dense(3)),
        ]
    )
    (tensor,) = check_int8(_quantised(model, tmp_path)).inputs
    assert (tensor.dtype, tensor.shape) == ("int32", (1, 10))


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_a_recurrent_layer_is_unrolled(kind: str, keras: Any, tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [keras.Input((6, 4)), getattr(keras.layers, kind)(5), keras.layers.Dense(3)]
    )
    taken = _quantised(model, tmp_path)
    interpreter = interpreter_of(taken.read_bytes(), "net")
    spec, out = check_int8(taken).inputs[0], check_int8(taken).outputs[0]
    values = np.random.default_rng(2).uniform(-1, 1, (1, 6, 4)).astype(np.float32)
    quantised = np.clip(np.round(values / spec.scale) + spec.zero_point, -128, 127)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], quantised.astype(np.int8))
    interpreter.invoke()
    got = interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).astype(float)
    real = (got - out.zero_point) * out.scale
    assert np.abs(real - model(values).numpy()).max() < 12 * out.scale


def test_a_model_of_mixed_precision_is_taken_in_float32(keras: Any, tmp_path: Path) -> None:
    layers = [keras.layers.Conv2D(2, 3, dtype="mixed_float16"), keras.layers.Flatten()]
    model = keras.Sequential([keras.Input((6, 6, 2)), *layers])
    assert check_int8(_quantised(model, tmp_path)).inputs[0].dtype == "int8"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_named(value: float, keras: Any, tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="last")])
    kernel, bias = model.get_weights()
    kernel[1, 2] = value
    model.set_weights([kernel, bias])
    with pytest.raises(EthosmithError, match=r"1 of 12 weights of 'last/kernel' are NaN or inf"):
        _quantised(model, tmp_path)


def test_a_layer_of_the_users_own_is_named(keras: Any, tmp_path: Path) -> None:
    class Scale(keras.layers.Layer):  # type: ignore[misc]
        def call(self, inputs: Any) -> Any:
            return 2 * inputs

    model = keras.Sequential([keras.Input((4,)), Scale()])
    with pytest.raises(EthosmithError, match="the layer 'Scale' is not Keras's own"):
        _quantised(model, tmp_path)


def test_a_long_message_is_cut_at_a_sentence() -> None:
    text = "The first sentence. " + "words " * 100
    assert first_sentence(text, ValueError()) == "The first sentence."
    assert first_sentence("words " * 100, ValueError()).endswith("words …")
