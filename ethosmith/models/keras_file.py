# SPDX-License-Identifier: Apache-2.0
"""Load a float Keras network from .h5, .keras or a SavedModel folder."""

from __future__ import annotations

import os
import re
import signal
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from ethosmith.core.bounded_run import bounded_memory, bounded_time
from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import (
    KERAS_SUFFIXES,
    MAX_MODEL_BYTES,
    TFLITE_SUFFIX,
    check_readable,
    read_start,
)
from ethosmith.core.terminal import captured_output
from ethosmith.models.keras_model import (
    GivenInput,
    check_finite,
    load_problem,
    prepared,
    vocabulary,
)
from ethosmith.models.saved_model import GRAPH_FILE, check_saved_model

# What TensorFlow reads when it is imported, and later.
VARIABLES = {
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "",
}
LoadedT = TypeVar("LoadedT")
_SIGNATURE = "serving_default"


# The HDF5 library loops for ever on some damaged files.
READ_LIMIT_S = 120.0


# It also believes a size of gigabytes that a few damaged bytes state. What a sound file of the
# largest size needs, for its own bytes several times over and the threads of TensorFlow:
_MAX_READ_BYTES = 400 << 20
_COPIES = 8
_BYTES_OF_A_PROCESSOR = 32 << 20


@contextmanager
def repeatable_tensorflow() -> Iterator[Callable[[], str]]:
    """Import TensorFlow for the block: silent, on the CPU, the same bytes for the same input.

    Yields:
        A function that returns what it said so far.
    """
    os.environ.update(VARIABLES)
    with captured_output() as said:
        import tensorflow as tf  # noqa: PLC0415 takes seconds

        # Another number of threads sums in another order; the bytes would differ.
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        yield said


@contextmanager
def bounded_reader(path: Path) -> Iterator[None]:
    """Bound the time and memory that the block takes to read ``path``.

    It ends this process by SIGPROF if the block computes for longer than `READ_LIMIT_S`: no
    exception would reach native code that loops, and the parent of an isolated step tells the
    user. Memory beyond the bound is refused to the block.
    """
    limit = _held_bytes() + _MAX_READ_BYTES + _COPIES * _size_bytes(path)
    limit += _BYTES_OF_A_PROCESSOR * (os.cpu_count() or 1)
    with bounded_memory(limit), bounded_time(READ_LIMIT_S):
        yield


def _held_bytes() -> int:
    """Return how much memory of its own this process has reserved; 0 where that is not told."""
    try:
        found = re.search(r"^VmData:\s+(\d+) kB$", _status(), re.MULTILINE)
    except EthosmithError:
        found = None
    return int(found[1]) << 10 if found else 0


def _status() -> str:
    return read_start(Path("/proc/self/status"), 1 << 16).decode("ascii", "replace")


def _size_bytes(path: Path) -> int:
    """Return the size of a file, or of all files of a SavedModel."""
    files = path.rglob("*") if path.is_dir() else [path]
    try:
        return sum(file.stat().st_size for file in files)
    except OSError as error:
        raise EthosmithError(f"{path}: cannot be read: {error.strerror}") from None


def reader_crashed(model: Path, signal_name: str) -> str | None:
    """Say what is wrong with ``model`` when its reader took too long; None: it did not."""
    if signal_name != signal.SIGPROF.name:
        return None
    return f"{model}: cannot be read in {READ_LIMIT_S:g} s of computing; is the file damaged?"


def is_saved_model(path: Path) -> bool:
    """Say whether ``path`` is a SavedModel folder."""
    return (path / GRAPH_FILE).is_file()


def converter_for(path: Path) -> tuple[Any, list[GivenInput]]:
    """Return a ``tf.lite.TFLiteConverter`` for the float model at ``path``, and its inputs.

    The batch is fixed at 1: a microcontroller runs one sample at a time, and a free
    batch would leave operators that compute shapes in the network.

    Raises:
        EthosmithError: the file is of no known kind, or TensorFlow cannot read it.
    """
    if is_saved_model(path):
        return _reading(path, lambda: _from_saved_model(path))
    if path.suffix.lower() in KERAS_SUFFIXES:
        _check_file(path)
        return _reading(path, lambda: _from_keras(path))
    kinds = ", ".join((*KERAS_SUFFIXES, TFLITE_SUFFIX))
    raise EthosmithError(f"{path}: not a model ({kinds} or a SavedModel folder)")


def keras_network(path: Path) -> Any:
    """Return the Keras network of an .h5 or .keras file, in float32, its weights numbers.

    Raises:
        EthosmithError: the file is of another kind, or Keras cannot read it.
    """
    if path.suffix.lower() not in KERAS_SUFFIXES:
        kinds = ", ".join(KERAS_SUFFIXES)
        raise EthosmithError(f"{path}: not a Keras network that can be trained on ({kinds})")
    _check_file(path)
    return _reading(path, lambda: prepared(path, _load_keras(path)))


def _check_file(path: Path) -> None:
    check_readable(path, limit_bytes=MAX_MODEL_BYTES)
    if path.suffix.lower() == ".keras" and not zipfile.is_zipfile(path):
        raise EthosmithError(
            f"{path}: not a Keras file, or a damaged one: it has no directory of a zip archive"
            " at its end; is it complete?"
        )


def output_shapes(path: Path) -> list[tuple[int, ...]]:
    """Return the shapes of all outputs, each with a batch of 1; errors as `converter_for`."""
    if is_saved_model(path):
        return _reading(path, lambda: _outputs_of_saved_model(path))
    return _reading(
        path, lambda: [_fixed_shape(path, tensor.shape) for tensor in _load_keras(path).outputs]
    )


def _outputs_of_saved_model(path: Path) -> list[tuple[int, ...]]:
    import tensorflow as tf  # noqa: PLC0415

    check_saved_model(path)
    function = tf.saved_model.load(str(path)).signatures["serving_default"]
    return [_fixed_shape(path, tensor.shape) for tensor in function.outputs]


def _from_keras(path: Path) -> tuple[Any, list[GivenInput]]:
    import keras  # noqa: PLC0415 takes seconds
    import tensorflow as tf  # noqa: PLC0415

    model = prepared(path, _load_keras(path))
    end = vocabulary(model)
    given = [
        GivenInput(
            tensor.name.split(":")[0], _fixed_shape(path, tensor.shape), str(tensor.dtype), end
        )
        for tensor in model.inputs
    ]
    if len(given) == 1:
        return tf.lite.TFLiteConverter.from_concrete_functions([_traced(model, given[0])]), given
    # With several inputs, calibration needs their names, which only a SavedModel's signature has.
    inputs = [keras.Input(batch_shape=one.shape, dtype=one.dtype, name=one.name) for one in given]
    return tf.lite.TFLiteConverter.from_keras_model(keras.Model(inputs, model(inputs))), given


def _traced(model: Any, given: GivenInput) -> Any:
    """Return the model as one function of its input: a fifth of the work of a SavedModel."""
    import tensorflow as tf  # noqa: PLC0415

    spec = tf.TensorSpec(given.shape, given.dtype, name=given.name)
    function = tf.function(lambda values: model(values, training=False), input_signature=[spec])
    return function.get_concrete_function()


def _from_saved_model(path: Path) -> tuple[Any, list[GivenInput]]:
    import tensorflow as tf  # noqa: PLC0415

    check_saved_model(path)
    loaded = tf.saved_model.load(str(path))
    if "serving_default" not in loaded.signatures:
        raise EthosmithError(f"{path}: the SavedModel has no 'serving_default' signature")
    function = loaded.signatures["serving_default"]
    check_finite(path, ((one.name, one.numpy()) for one in function.variables))
    given = []
    for tensor in function.inputs:
        if tensor.dtype != tf.resource:
            shape = _fixed_shape(path, tensor.shape)
            # A signature's tensor is called as its argument, with a prefix.
            name = tensor.name.split(":")[0].removeprefix(f"{_SIGNATURE}_")
            given.append(GivenInput(name, shape, tensor.dtype.name))
            tensor.set_shape(shape)
    return tf.lite.TFLiteConverter.from_concrete_functions([function], loaded), given


def _fixed_shape(path: Path, shape: Any) -> tuple[int, ...]:
    sizes = tuple(shape)[1:]
    if not sizes or any(size is None for size in sizes):
        raise EthosmithError(f"{path}: a tensor has no fixed shape: {tuple(shape)}")
    return (1, *(int(size) for size in sizes))


def _reading(path: Path, load: Callable[[], LoadedT]) -> LoadedT:
    try:
        with bounded_reader(path):
            return load()
    except EthosmithError:
        raise
    except Exception as error:  # noqa: BLE001 TensorFlow raises whatever its file readers raise
        raise EthosmithError(load_problem(path, error)) from None


def _load_keras(path: Path) -> Any:
    import keras  # noqa: PLC0415

    return keras.models.load_model(
        path, custom_objects={"DepthwiseConv2D": _depthwise_of_keras_2()}, compile=False
    )


def _depthwise_of_keras_2() -> type:
    """Return Keras 3's DepthwiseConv2D, able to read what Keras 2 wrote.

    Keras 2 stored ``groups: 1``, which has no meaning for a depthwise convolution
    and which Keras 3 refuses.
    """
    import keras  # noqa: PLC0415

    class DepthwiseConv2D(keras.layers.DepthwiseConv2D):  # type: ignore[misc]
        def __init__(self, *args: Any, groups: int = 1, **kwargs: Any) -> None:
            if groups != 1:
                raise EthosmithError(f"a DepthwiseConv2D with groups={groups} is not known")
            super().__init__(*args, **kwargs)

    return DepthwiseConv2D
