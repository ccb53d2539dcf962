# SPDX-License-Identifier: Apache-2.0
"""What a stage makes of a network is there in the int8 network, and shrinks Vela's stream."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ethosmith.conditioning.keras_network import cluster, prune, train_rounded, write_keras
from ethosmith.conditioning.stages import FineTuning, Kept
from ethosmith.core.errors import EthosmithError
from ethosmith.models.calibration import RandomData, from_random
from ethosmith.models.int8_check import load_interpreter
from ethosmith.models.keras_file import repeatable_tensorflow
from ethosmith.models.quantise import quantise
from tests.support.vela_weights import stream_bytes

_SPARSITY, _VALUES = 0.7, 16
_RANDOM = RandomData(seed=1, count=4, low=-1.0, high=1.0)
_SCRIPT = """
import numpy as np


def fine_tune(network, *, epochs, seed, callbacks):
    inputs = np.random.default_rng(seed).standard_normal((64, 8, 8, 8))
    network.compile("adam", "mse")
    network.fit(inputs, np.tanh(inputs[:, 0, 0, :4]), 16, epochs, 0, callbacks)
"""


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two convolutions, with batch normalisations that turn signs, and a dense layer."""
    path = tmp_path_factory.mktemp("plain") / "plain.keras"
    with repeatable_tensorflow():
        import keras

        keras.utils.set_random_seed(1)
        given = keras.Input((8, 8, 8))
        values = given
        for index in range(2):
            values = keras.layers.Conv2D(64, 3, padding="same", use_bias=False)(values)
            normal = keras.layers.BatchNormalization(name=f"normal_{index}")
            values = keras.layers.ReLU()(normal(values))
        values = keras.layers.GlobalAveragePooling2D()(values)
        network = keras.Model(given, keras.layers.Dense(4)(values))
        random = np.random.default_rng(1)
        for index in range(2):
            gamma = network.get_layer(f"normal_{index}").gamma
            gamma.assign(random.normal(0, 1, 64))
        write_keras(network, path)
    return path


@pytest.fixture(scope="module")
def conditioned(plain: Path) -> Path:
    """All three stages, the last two with a training."""
    script = plain.with_name("tune.py")
    script.write_text(_SCRIPT, "utf-8")
    tuning = FineTuning(script, epochs=2, seed=3)
    pruned, clustered = plain.with_name("pruned.keras"), plain.with_name("clustered.keras")
    prune(plain, pruned, _SPARSITY, None)
    cluster(pruned, clustered, _VALUES, Kept(zeros=True), tuning)
    train_rounded(
        clustered, plain.with_name("trained.keras"), Kept(zeros=True, values=_VALUES), tuning
    )
    return plain.with_name("trained.keras")


def int8_kernels(network: Path) -> list[np.ndarray[Any, Any]]:
    """Return the convolutions' int8 weights."""
    interpreter = load_interpreter(network)
    details = [one for one in interpreter.get_tensor_details() if len(one["shape"]) == 4]
    found = [one for one in details if len(one["quantization_parameters"]["scales"]) > 1]
    return [interpreter.get_tensor(one["index"]) for one in found]


def int8_of(model: Path) -> Path:
    output = model.with_suffix(".tflite")
    quantise(model, output, lambda shapes: from_random(_RANDOM, shapes))
    return output


@pytest.mark.long
def test_zeros_and_values_reach_the_int8_network_and_velas_stream(
    plain: Path, conditioned: Path
) -> None:
    network = int8_of(conditioned)
    kernels = int8_kernels(network)
    assert len(kernels) == 2
    for kernel in kernels:
        assert float((kernel == 0).mean()) == pytest.approx(_SPARSITY, abs=1 / kernel.size)
        assert np.unique(kernel).size <= _VALUES
    assert 0 < stream_bytes(network) < stream_bytes(int8_of(plain)) / 2


def test_a_training_moves_weights_and_keeps_what_was_made(conditioned: Path) -> None:
    with repeatable_tensorflow():
        import keras

        before = keras.models.load_model(conditioned.with_name("clustered.keras"))
        after = keras.models.load_model(conditioned)
        moved = [
            (one.numpy(), other.numpy())
            for one, other in zip(before.trainable_weights, after.trainable_weights, strict=True)
        ]
    assert all((one != other).any() for one, other in moved)
    assert not after.compiled
    kernels = [(one, other) for one, other in moved if one.ndim > 1]
    assert all(((one == 0) == (other == 0)).all() for one, other in kernels)


def test_the_same_network_gives_the_same_bytes(plain: Path, tmp_path: Path) -> None:
    for name in ("one.keras", "other.keras"):
        prune(plain, tmp_path / name, 0.5, None)
    assert (tmp_path / "one.keras").read_bytes() == (tmp_path / "other.keras").read_bytes()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\n", "has no function fine_tune(network, *, epochs, seed, callbacks)"),
        (
            "def fine_tune(network, *, epochs, seed, callbacks):\n    pass\n",
            "fine_tune() did not train with the callbacks that it was given",
        ),
        (
            "def fine_tune(network, *, epochs, seed, callbacks):\n    raise OSError('no data')\n",
            "bad.py:2: OSError: no data",
        ),
    ],
)
def test_a_script_that_does_not_train_is_named(
    text: str, message: str, plain: Path, tmp_path: Path
) -> None:
    script = tmp_path / "bad.py"
    script.write_text(text, "utf-8")
    with pytest.raises(EthosmithError) as caught:
        prune(plain, tmp_path / "out.keras", 0.5, FineTuning(script, 1, 0))
    assert message in str(caught.value)
    assert not (tmp_path / "out.keras").exists()
