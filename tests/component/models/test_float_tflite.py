# SPDX-License-Identifier: Apache-2.0
"""A float, float16 or dynamic-range .tflite becomes the int8 network that it stands for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.models.calibration import RandomData, from_files, from_random
from ethosmith.models.int8_check import check_int8, interpreter_of
from ethosmith.models.keras_model import GivenInput
from ethosmith.models.quantise import quantise
from ethosmith.models.tensor_spec import TensorSpec
from ethosmith.models.tflite_file import parse_model
from tests.support.one_thread import tensorflow

INT32, INT8 = 2, 9  # TFLite's numbers of the types.
KINDS = ("float", "float16", "dynamic-range")
RANGES = {"picture": 100.0, "vector": 1.0}


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One network of two inputs, in each kind; large enough for int8 weights (1024 elements)."""
    tf, folder = tensorflow(), tmp_path_factory.mktemp("float")
    tf.keras.utils.set_random_seed(4)
    layers = tf.keras.layers
    picture, vector = (
        tf.keras.Input((8, 8, 16), 1, name="picture"),
        tf.keras.Input((64,), 1, name="vector"),
    )
    seen = layers.GlobalAveragePooling2D()(layers.Conv2D(24, 3, activation="relu")(picture))
    joined = layers.Concatenate()([seen, layers.Dense(32, activation="relu")(vector)])
    model = tf.keras.Model([picture, vector], layers.Dense(32)(joined))
    for kind in KINDS:
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        if kind != "float":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if kind == "float16":
            converter.target_spec.supported_types = [tf.float16]
        (folder / f"{kind}.tflite").write_bytes(converter.convert())
    return folder


def _data(inputs: Sequence[GivenInput]) -> Callable[[], Iterator[Any]]:
    random = np.random.default_rng(0)
    drawn = [
        {one.name: random.uniform(0, _range(one.name), one.shape).astype("f4") for one in inputs}
        for _ in range(8)
    ]
    return lambda: iter(drawn)


def _range(name: str) -> float:
    return next(limit for part, limit in RANGES.items() if part in name)


def _outputs(content: bytes, values: dict[str, Any]) -> npt.NDArray[Any]:
    interpreter = interpreter_of(content, "net")
    for detail in interpreter.get_input_details():
        part = next(part for part in RANGES if part in detail["name"])
        given = values[part]
        scale, zero = detail["quantization"]
        if scale:
            given = np.clip(np.round(given / scale) + zero, -128, 127)
        interpreter.set_tensor(detail["index"], given.astype(detail["dtype"]))
    interpreter.invoke()
    (detail,) = interpreter.get_output_details()
    scale, zero = detail["quantization"]
    raw: npt.NDArray[Any] = interpreter.get_tensor(detail["index"]).astype(np.float32)
    return (raw - zero) * scale if scale else raw


@pytest.mark.parametrize("kind", KINDS)
def test_the_int8_network_answers_as_the_float_one(kind: str, given: Path, tmp_path: Path) -> None:
    model, taken = given / f"{kind}.tflite", tmp_path / "int8.tflite"
    (note,) = quantise(model, taken, _data)
    assert note.startswith(f"int8 instead of {kind}")
    inputs = {tensor.shape[-1]: tensor for tensor in check_int8(taken).inputs}
    assert inputs[16].scale == pytest.approx(100 / 255, rel=0.1)  # By name: not the other's range.
    assert inputs[64].scale == pytest.approx(1 / 255, rel=0.1)
    assert {tensor.type for tensor in _computed(taken.read_bytes())} == {INT8, INT32}
    random = np.random.default_rng(9)
    errors, size = [], 0.0
    for _ in range(8):
        values = {
            "picture": random.uniform(0, 100, (1, 8, 8, 16)),
            "vector": random.uniform(0, 1, (1, 64)),
        }
        expected = _outputs((given / "float.tflite").read_bytes(), values)
        errors.append(float(np.abs(_outputs(taken.read_bytes(), values) - expected).max()))
        size = max(size, float(np.abs(expected).max()))
    assert max(errors) < 0.03 * size


def test_int8_weights_of_a_dynamic_range_network_stay_as_they_are(
    given: Path, tmp_path: Path
) -> None:
    model, taken = given / "dynamic-range.tflite", tmp_path / "int8.tflite"
    quantise(model, taken, _data)
    before, after = _int8_constants(model.read_bytes()), _int8_constants(taken.read_bytes())
    assert len(before) == 3
    assert sorted(before) == sorted(after)


def _computed(content: bytes) -> list[Any]:
    """Return the tensors that an operator reads or writes."""
    graph = parse_model(content, "net").subgraphs[0]
    used = [index for one in graph.operators for index in (*one.inputs, *one.outputs) if index >= 0]
    return [graph.tensors[index] for index in used]


def _tensors(content: bytes) -> list[Any]:
    return list(parse_model(content, "net").subgraphs[0].tensors)


def _int8_constants(content: bytes) -> list[bytes]:
    model = parse_model(content, "net")
    data = [model.buffers[one.buffer].data for one in _tensors(content) if one.type == INT8]
    return [bytes(one) for one in data if one is not None and len(one)]


def test_a_tensor_that_is_always_zero_leaves_its_biases_whole(tmp_path: Path) -> None:
    """With the quantiser's own range for it, 1e-9, a bias of 0.5 became -2^31."""
    tf = tensorflow()
    layers = tf.keras.layers
    model = tf.keras.Sequential(
        [
            tf.keras.Input((8,), 1),
            layers.Dense(8, "relu", bias_initializer=tf.keras.initializers.Constant(-1000.0)),
            layers.Dense(4, bias_initializer=tf.keras.initializers.Constant(0.5)),
        ]
    )
    dead, taken = tmp_path / "dead.tflite", tmp_path / "int8.tflite"
    dead.write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
    quantise(dead, taken, lambda inputs: from_random(RandomData(1, 4, 0.0, 1.0), inputs))
    (output,) = check_int8(taken).outputs
    interpreter = interpreter_of(taken.read_bytes(), "net")
    interpreter.invoke()
    raw = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    assert _real(raw, output) == pytest.approx(0.5, abs=output.scale)


def _real(raw: npt.NDArray[Any], spec: TensorSpec) -> npt.NDArray[Any]:
    return (raw.astype(np.float64) - spec.zero_point) * spec.scale


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_data_and_weights_that_are_no_numbers_are_named(
    value: float, given: Path, tmp_path: Path
) -> None:
    def broken(inputs: Sequence[GivenInput]) -> Callable[[], Iterator[Any]]:
        return lambda: iter([{one.name: np.full(one.shape, value, "f4") for one in inputs}])

    with pytest.raises(EthosmithError, match="is NaN or infinite on the representative data"):
        quantise(given / "float.tflite", tmp_path / "out.tflite", broken)
    content = bytearray((given / "float.tflite").read_bytes())
    model = parse_model(bytes(content), "net")
    largest = max((bytes(b.data) for b in model.buffers if b.data is not None), key=len)
    at = content.index(largest)
    content[at : at + 4] = np.float32(value).tobytes()
    (tmp_path / "weights.tflite").write_bytes(content)
    with pytest.raises(EthosmithError, match=r"1 of \d+ weights of '.*' are NaN or infinite"):
        quantise(tmp_path / "weights.tflite", tmp_path / "out.tflite", _data)
    assert not (tmp_path / "out.tflite").exists()


def test_samples_of_another_size_are_refused_for_a_float_tflite_too(
    networks: Path, tmp_path: Path
) -> None:
    sample = tmp_path / "a.f32"
    sample.write_bytes(np.zeros(5, "<f4").tobytes())
    with pytest.raises(EthosmithError, match="5 values, the network's input 1x8x8x2 wants 128"):
        quantise(
            networks / "float.tflite",
            tmp_path / "out.tflite",
            lambda inputs: from_files([sample], inputs),
        )
