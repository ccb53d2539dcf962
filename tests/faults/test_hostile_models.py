# SPDX-License-Identifier: Apache-2.0
"""A SavedModel whose initializer would write files, read them or call Python is never loaded."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.models.keras_file import converter_for, output_shapes
from ethosmith.models.saved_model import check_saved_model
from tests.support.one_thread import tensorflow

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def _write(tf: Any, path: str) -> None:
    tf.io.write_file(path, "owned")


def _print(tf: Any, path: str) -> None:
    tf.print("owned", output_stream=f"file://{path}")


def _python(tf: Any, path: str) -> None:
    tf.py_function(lambda: Path(path).write_text("owned"), [], [])


def _save(tf: Any, path: str) -> None:
    tf.raw_ops.SaveV2(
        prefix=path, tensor_names=["x"], shape_and_slices=[""], tensors=[tf.constant(1.0)]
    )


def _read(tf: Any, path: str) -> None:
    tf.io.read_file(path)


def _match(tf: Any, path: str) -> None:
    tf.io.matching_files(path)


def _records(tf: Any, path: str) -> None:
    tf.raw_ops.TFRecordDataset(filenames=path, compression_type="", buffer_size=0)


def _hidden(tf: Any, path: str) -> None:
    """In a branch of a loop of a function."""

    @tf.function  # type: ignore[untyped-decorator]
    def inner(value: Any) -> Any:
        tf.io.write_file(path, "owned")
        return value + 1

    tf.while_loop(lambda i: i < 1, lambda i: [inner(i)], [tf.constant(0)])


ACTIONS = {
    "WriteFile": _write,
    "PrintV2": _print,
    "EagerPyFunc": _python,
    "SaveV2": _save,
    "ReadFile": _read,
    "MatchingFiles": _match,
    "TFRecordDataset": _records,
    "WriteFile in a loop": _hidden,
}


def _save_model(folder: Path, act: Callable[[Any, str], None]) -> Path:
    """Save a network with an initializer that calls ``act``; return the file that it is given."""
    tf = tensorflow()
    from tensorflow.python.trackable.resource import TrackableResource

    owned = folder / "owned"

    class Resource(TrackableResource):  # type: ignore[misc]
        def _create_resource(self) -> Any:
            return tf.raw_ops.MutableHashTableV2(key_dtype=tf.string, value_dtype=tf.int64)

        def _initialize(self) -> None:
            act(tf, str(owned))

    class Network(tf.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.weights = tf.Variable(tf.ones((4, 4)))
            self.resource = Resource()

        @tf.function(input_signature=[tf.TensorSpec((1, 4))])  # type: ignore[untyped-decorator]
        def run(self, x: Any) -> Any:
            return tf.matmul(x, self.weights)

    network = Network()
    tf.saved_model.save(network, str(folder / "model"), signatures=network.run)
    owned.unlink(missing_ok=True)
    return owned


@pytest.mark.parametrize("name", ACTIONS)
def test_a_saved_model_that_reaches_out_is_refused_before_it_is_loaded(
    name: str, tmp_path: Path
) -> None:
    owned = _save_model(tmp_path, ACTIONS[name])
    for look in (converter_for, output_shapes):
        with pytest.raises(EthosmithError, match="refused: the operation") as caught:
            look(tmp_path / "model")
        assert name.split(maxsplit=1)[0] in str(caught.value)
        assert len(str(caught.value).splitlines()) == 1
    assert not owned.exists()


def test_the_attack_is_one(tmp_path: Path) -> None:
    """Without the check, the file would be written: the other test can fail."""
    tf = tensorflow()

    owned = _save_model(tmp_path, _write)
    tf.saved_model.load(str(tmp_path / "model"))
    assert owned.exists()


def test_saved_models_of_networks_are_taken(tmp_path: Path) -> None:
    import keras

    tf = tensorflow()

    layers = [
        *(keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3), keras.layers.BatchNormalization()),
        *(keras.layers.Dropout(0.2), keras.layers.Reshape((36, 2)), keras.layers.LSTM(3)),
        keras.layers.Dense(3, activation="softmax"),
    ]
    network = keras.Sequential(layers)
    network.export(str(tmp_path / "exported"), verbose=False)
    tf.saved_model.save(network, str(tmp_path / "saved"))
    for folder in ("exported", "saved"):
        assert [one.shape for one in converter_for(tmp_path / folder)[1]] == [(1, 8, 8, 1)]


def test_a_damaged_or_older_saved_model_is_told_in_one_line(tmp_path: Path) -> None:
    for number, data in enumerate((b"", b"\xff" * 99, b"\x08\x01\x12\x00")):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "saved_model.pb").write_bytes(data)
        with pytest.raises(EthosmithError, match=r"^[^\n]*saved_model\.pb: not a [^\n]*$"):
            check_saved_model(folder)
    (folder / "saved_model.pbtxt").touch()
    with pytest.raises(EthosmithError, match=r"holds saved_model\.pbtxt"):
        check_saved_model(folder)
