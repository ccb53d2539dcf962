# SPDX-License-Identifier: Apache-2.0
"""Bring a loaded Keras model to a form that TensorFlow's converter takes, or say why it cannot be.

Faults are looked for here, before the conversion, where their cause can still be named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError

# The longest sequence whose steps are written one after another.
MAX_UNROLLED_STEPS = 128
_RECURRENT = frozenset({"LSTM", "GRU", "SimpleRNN"})
_MIXED = re.compile(r"mixed_(?:float16|bfloat16)|float16|bfloat16")
_FOREIGN = re.compile(r"Could not locate (?:class|function) '(?P<name>[^']+)'")
_UNKNOWN_LAYER = re.compile(r"Unknown layer:? '?(?P<name>[A-Za-z_]\w*)")
_WITHOUT_A_VOCABULARY = 2


@dataclass(frozen=True)
class GivenInput:
    """One input of a float model.

    Attributes:
        name: in the model.
        shape: with a batch of 1.
        dtype: of its elements, as NumPy names it.
        end: integers of it are from 0 to below this.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str = "float32"
    end: int = _WITHOUT_A_VOCABULARY

    @property
    def is_integer(self) -> bool:
        """Whether it takes integers, such as the indices of an Embedding."""
        return self.dtype.startswith(("int", "uint"))


def prepared(path: Path, model: Any) -> Any:
    """Return ``model`` in float32, its recurrent layers unrolled, once its weights are numbers.

    Raises:
        EthosmithError: a weight is NaN or infinite, or a sequence too long to unroll.
    """
    check_finite(path, ((one.path, one.numpy()) for one in model.weights))
    model = _in_float32(model)
    _unroll(path, model)
    return model


def check_finite(path: Path, weights: Iterator[tuple[str, Any]]) -> None:
    """Raise an `EthosmithError` for the first of the named ``weights`` that is no number."""
    import numpy as np  # noqa: PLC0415 slow, and only where a model is loaded

    for name, values in weights:
        if not np.issubdtype(values.dtype, np.floating):
            continue
        wrong = int(np.count_nonzero(~np.isfinite(values.astype(np.float32))))
        if wrong:
            raise EthosmithError(
                f"{path}: {wrong} of {values.size} weights of '{name}' are NaN or infinite; the"
                " training diverged: train again, or take an earlier checkpoint"
            )


def _in_float32(model: Any) -> Any:
    """Return the model with mixed precision taken off; its weights are float32 already."""
    configuration = model.get_config()
    changed = _without_mixed(configuration)
    if changed == configuration:
        return model
    whole = type(model).from_config(changed)
    whole.set_weights(model.get_weights())
    return whole


def _without_mixed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _policy(key, one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_without_mixed(one) for one in value)
    return value


def _policy(key: str, value: Any) -> Any:
    if key == "dtype" and isinstance(value, str) and _MIXED.fullmatch(value):
        return "float32"
    if key == "dtype" and isinstance(value, Mapping):
        name = value.get("config", {}).get("name", "")
        return "float32" if _MIXED.fullmatch(str(name)) else value
    return _without_mixed(value)


def _unroll(path: Path, model: Any) -> None:
    """Write the steps of recurrent layers one after another: int8 has no loop."""
    for layer in _layers(model):
        if type(layer).__name__ not in _RECURRENT or layer.unroll:
            continue
        steps = _steps(layer)
        if steps is None or steps > MAX_UNROLLED_STEPS:
            raise EthosmithError(
                f"{path}: the {type(layer).__name__} '{layer.name}' has"
                f" {'any number of' if steps is None else steps} steps; at most"
                f" {MAX_UNROLLED_STEPS} can be unrolled, and TensorFlow has no int8 form of a loop:"
                " train it for fewer steps"
            )
        layer.unroll = True


def _steps(layer: Any) -> int | None:
    spec = layer.input_spec[0] if isinstance(layer.input_spec, list) else layer.input_spec
    shape = getattr(spec, "shape", None)
    found = getattr(layer, "_build_shapes_dict", None) or {}
    shapes = [shape, *found.values()]
    sizes = [one[1] for one in shapes if one is not None and len(one) == 3]
    return next((int(size) for size in sizes if size is not None), None)


def _layers(model: Any) -> Iterator[Any]:
    yield from model._flatten_layers()  # nothing public lists inner layers


def vocabulary(model: Any) -> int:
    """Return what integers that the model takes are below: the smallest Embedding's size."""
    sizes = [
        int(layer.input_dim) for layer in _layers(model) if type(layer).__name__ == "Embedding"
    ]
    return min(sizes, default=_WITHOUT_A_VOCABULARY)


def load_problem(path: Path, error: Exception) -> str:
    """Say why Keras could not load ``path``: a class that the file only names, or its own words."""
    text = str(error)
    match = _FOREIGN.search(text) or _UNKNOWN_LAYER.search(text)
    if match is not None:
        return (
            f"{path}: the layer '{match['name']}' is not Keras's own, and the file does not hold"
            " its code; where the code is, call model.export('folder') and give model=folder"
        )
    return f"{path}: TensorFlow cannot load this model: {first_sentence(text, error)}"


def first_sentence(text: str, error: Exception, limit: int = 300) -> str:
    """Return the first line of ``text``, cut at the end of a sentence or of a word."""
    line = next(iter(text.strip().splitlines()), "").strip() or type(error).__name__
    if len(line) <= limit:
        return line
    cut = line[:limit]
    end = cut.rfind(". ")
    return cut[: end + 1] if end > 0 else f"{cut[: cut.rfind(' ')]} …"
