# SPDX-License-Identifier: Apache-2.0
"""Read the shape of a network's input, and check that the use case can fill it.

It comes first in a build: a model that does not fit is refused before anything is
made from it, and the pre-processing learns what size to fill. Keras files are read
without TensorFlow where their configuration names the shape.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import (
    MAX_MODEL_BYTES,
    MAX_TEXT_BYTES,
    TFLITE_SUFFIX,
    check_readable,
    parsing,
)
from ethosmith.models.keras_file import bounded_reader, converter_for
from ethosmith.models.tflite_rewrite import given_spec

Shape = tuple[int, ...]
# Layers whose output has as many values as their input.
_SAME_SIZE = frozenset({"Activation", "Dropout", "Flatten", "ReLU", "Softmax"})
ANY = "any"


def fitting_shape(model: Path, pattern: Sequence[int | str], usecase: str) -> Shape:
    """Return the shape of the model's one input, with its batch of 1.

    Args:
        model: .h5, .keras, SavedModel folder or .tflite.
        pattern: the sizes that the pre-processing can fill, without the batch, outermost
            first; `ANY` stands for every size.
        usecase: the descriptor's file, for the message.

    Raises:
        EthosmithError: the model has several inputs or an input of another shape.
    """
    shapes = input_shapes(model)
    check_shapes(model, shapes, pattern, usecase)
    return shapes[0]


def check_shapes(
    model: Path, shapes: Sequence[Shape], pattern: Sequence[int | str], usecase: str
) -> None:
    """Check that the pre-processing can fill a model's inputs; see `fitting_shape`."""
    expected = f"{usecase} fills one input of {_text(pattern)}"
    if len(shapes) != 1:
        raise EthosmithError(f"{model}: has {len(shapes)} inputs; {expected}")
    batch, sizes = shapes[0][0], shapes[0][1:]
    if batch != 1:
        raise EthosmithError(
            f"{model}: takes a batch of {batch}; {usecase} runs one sample at a time: export the"
            " network with a batch of 1"
        )
    fits = len(sizes) == len(pattern) and all(
        want in (ANY, size) for want, size in zip(pattern, sizes, strict=True)
    )
    if not fits and not _is_flat(sizes, pattern):
        raise EthosmithError(f"{model}: its input is {_text(sizes)}; {expected}")


def _is_flat(sizes: Shape, pattern: Sequence[int | str]) -> bool:
    """Whether one dimension holds all elements of ``pattern``: the same bytes in their order."""
    fixed = [size for size in pattern if isinstance(size, int)]
    return len(fixed) == len(pattern) and [size for size in sizes if size > 1] == [prod(fixed)]


def _text(sizes: Sequence[int | str]) -> str:
    return " x ".join(map(str, sizes)) or "no size"


def input_shapes(model: Path) -> list[Shape]:
    """Return the shapes of all inputs, each with a batch of 1.

    Raises:
        EthosmithError: the file cannot be read, or an input has no fixed shape.
    """
    if model.suffix.lower() == TFLITE_SUFFIX:
        return [spec.shape for spec in given_spec(model).inputs]
    shape = _shape_in_configuration(model)
    return [shape] if shape else [one.shape for one in converter_for(model)[1]]


def network_inputs(model: Path) -> list[dict[str, Any]]:
    """Return ``shape`` (with a batch of 1) and ``dtype`` of all inputs of the int8 network.

    A float network's inputs become int8; a .tflite keeps its own types.

    Raises:
        EthosmithError: as in `input_shapes`.
    """
    dtypes: list[str] = []
    if model.suffix.lower() == TFLITE_SUFFIX:
        found = [spec.dtype for spec in given_spec(model).inputs]
        dtypes = ["int8" if dtype == "float32" else dtype for dtype in found]
    shapes = input_shapes(model)
    return [
        {"shape": shape, "dtype": dtype}
        for shape, dtype in zip(shapes, dtypes or ["int8"] * len(shapes), strict=True)
    ]


def _shape_in_configuration(model: Path) -> Shape | None:
    """Return the shape of the only input layer; None if TensorFlow has to tell."""
    if model.is_dir():
        return None
    try:
        with parsing(model, "model"):
            return _shape_of(json.loads(_configuration(model)))
    except EthosmithError:
        # TensorFlow reads it next, and says what is wrong with it.
        return None


def keras_configuration(model: Path) -> tuple[Shape | None, int | None]:
    """Return what a .keras or .h5 file says itself: the input's shape, and the output's size.

    Either is None where TensorFlow has to tell.

    Raises:
        EthosmithError: the file has no such configuration.
    """
    check_readable(model, limit_bytes=MAX_MODEL_BYTES)
    with parsing(model, "model"):
        configuration = json.loads(_configuration(model))
        return _shape_of(configuration), _output_count(configuration["config"]["layers"])


def _output_count(layers: Sequence[Any]) -> int | None:
    """Return the values of the last layer, if it is a Dense one, or keeps the size of one."""
    for layer in reversed(layers):
        if layer["class_name"] == "Dense":
            return int(layer["config"]["units"])
        if layer["class_name"] not in _SAME_SIZE:
            return None
    return None


def _shape_of(configuration: Any) -> Shape | None:
    layers = configuration["config"]["layers"]
    inputs = [layer for layer in layers if layer["class_name"] == "InputLayer"]
    if len(inputs) != 1:
        return None
    keys = inputs[0]["config"]
    # Keras 3 says batch_shape, Keras 2 said batch_input_shape.
    shape = keys.get("batch_shape") or keys.get("batch_input_shape") or []
    if len(shape) < 2 or not all(type(size) is int and size > 0 for size in shape[1:]):
        return None
    return (1, *shape[1:])


def _configuration(model: Path) -> str | bytes:
    check_readable(model, limit_bytes=MAX_MODEL_BYTES)
    if model.suffix.lower() != ".keras":
        return _of_hdf5(model)
    with zipfile.ZipFile(model) as archive, archive.open("config.json") as file:
        # What is cut here is no JSON any more.
        return file.read(MAX_TEXT_BYTES)


def _of_hdf5(model: Path) -> str | bytes:
    import h5py  # noqa: PLC0415 only for this kind

    check_readable(model, limit_bytes=MAX_MODEL_BYTES)
    with bounded_reader(model), h5py.File(model, "r") as file:
        text: str | bytes = file.attrs["model_config"]
        return text
