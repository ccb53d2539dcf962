# SPDX-License-Identifier: Apache-2.0
"""Quantise a float Keras network to int8 throughout, with representative data.

Post-training full-integer quantisation as TensorFlow documents it: the converter
with `Optimize.DEFAULT`, a representative data set and only `TFLITE_BUILTINS_INT8`.
A .tflite that is quantised already passes through after a check; float around its int8 operators
is taken off.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import writing_beside
from ethosmith.models.int8_check import check_int8
from ethosmith.models.keras_file import TFLITE_SUFFIX, converter_for
from ethosmith.models.keras_model import GivenInput, first_sentence
from ethosmith.models.repeatable_tensorflow import repeatable_tensorflow
from ethosmith.models.tensor_spec import TensorSpec
from ethosmith.models.tflite_rewrite import rewritten

# MLIR: "error: 'tf.Betainc' op is neither a custom op nor a flex op".
_NO_INT8_FORM = re.compile(r"'(?P<operator>tf\.\w+)' op is neither a custom op nor a flex op")
Array = npt.NDArray[Any]
# By the inputs' names, since a .tflite has them in another order than the model; one alone is
# a list.
Batch = list[Array] | dict[str, Array]


@dataclass(frozen=True)
class RandomData:
    """Uniform random inputs in ``[low, high)``, the same for the same seed."""

    seed: int
    count: int
    low: float
    high: float


def from_files(
    files: Sequence[Path], inputs: Sequence[GivenInput]
) -> Callable[[], Iterator[Batch]]:
    """Return a generator over raw float32 files, little endian.

    Args:
        files: one file per sample, as the host's pre-processing wrote it: one input tensor
            for each of the sample's windows.
        inputs: the network's; exactly one.

    Raises:
        EthosmithError: the network has several inputs, or a file has another size.
    """
    if len(inputs) != 1:
        raise EthosmithError(
            f"the network has {len(inputs)} inputs; samples can stand for one only:"
            " use 'representative: {seed: 0}'"
        )
    shape = inputs[0].shape
    tensors = [tensor for file in files for tensor in _read(file, shape)]
    return lambda: ([tensor] for tensor in tensors)


def _read(file: Path, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Return the windows of one sample; each has the network's shape."""
    values = np.frombuffer(file.read_bytes(), dtype="<f4")
    wanted = int(np.prod(shape))
    if values.size == 0 or values.size % wanted:
        raise EthosmithError(
            f"{file}: pre-processing gives {values.size} values, the network's input"
            f" {'x'.join(map(str, shape))} wants {wanted}"
        )
    return values.reshape(-1, *shape)


def from_random(data: RandomData, inputs: Sequence[GivenInput]) -> Callable[[], Iterator[Batch]]:
    """Return a generator over ``data.count`` batches of seeded uniform random inputs."""

    def batches() -> Iterator[Batch]:
        random = np.random.default_rng(data.seed)
        for _ in range(data.count):
            drawn = [_drawn(random, data, one) for one in inputs]
            if len(inputs) == 1:
                yield drawn
            else:
                yield dict(zip((one.name for one in inputs), drawn, strict=True))

    return batches


def _drawn(random: np.random.Generator, data: RandomData, given: GivenInput) -> Array:
    if given.is_integer:
        return random.integers(0, given.end, given.shape).astype(given.dtype)
    return random.uniform(data.low, data.high, given.shape).astype(given.dtype)


Representative = Callable[[Sequence[GivenInput]], Callable[[], Iterator[Batch]]]


def quantise(
    model: Path, output: Path, representative: Representative, *, label_count: int = 0
) -> tuple[str, ...]:
    """Write the int8 form of ``model`` to ``output``.

    Args:
        model: .h5, .keras, SavedModel folder (float) or .tflite (already int8).
        output: the .tflite to write.
        representative: given the inputs, returns the data set's generator.
        label_count: values that the first output must have; 0: it has no labels.

    Returns:
        What was rewritten in a .tflite; see `ethosmith.models.tflite_rewrite`.

    Raises:
        EthosmithError: the model cannot be read, an operator has no int8 form, or
            a given .tflite is not quantised; or the output does not fit the labels.
    """
    notes: tuple[str, ...] = ()
    with writing_beside(output) as beside:
        if model.suffix.lower() == TFLITE_SUFFIX:
            given = rewritten(model.read_bytes(), str(model))
            notes = given.notes
            beside.write_bytes(given.content)
        else:
            beside.write_bytes(_convert(model, representative))
        network = check_int8(beside, name=str(model))
        if label_count:
            _check_labels(model, network.outputs[0], label_count)
    return notes


def _check_labels(model: Path, output: TensorSpec, label_count: int) -> None:
    if output.element_count != label_count:
        raise EthosmithError(
            f"{model}: its output has {output.element_count} values for {label_count} labels;"
            " give labels=FILE with one line per value"
        )


def _convert(model: Path, representative: Representative) -> bytes:
    with repeatable_tensorflow() as said:
        import tensorflow as tf  # noqa: PLC0415 takes seconds

        converter, inputs = converter_for(model)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.int8
        converter.inference_output_type = tf.int8
        converter.representative_dataset = representative(inputs)
        try:
            return bytes(converter.convert())
        except EthosmithError:
            raise
        except Exception as error:  # noqa: BLE001 the converter raises its own and MLIR's
            raise _not_quantised(model, error, said()) from None


def _not_quantised(model: Path, error: Exception, said: str) -> EthosmithError:
    """Return the converter's own error; MLIR's diagnostics name the operator it could not lower."""
    match = _NO_INT8_FORM.search(f"{error}\n{said}")
    if match is not None:
        return EthosmithError(
            f"{model}: cannot be quantised to int8: TensorFlow Lite has no operator for"
            f" {match['operator']}; replace that layer"
        )
    reason = first_sentence(str(error), error)
    return EthosmithError(f"{model}: cannot be quantised to int8: {reason}")
