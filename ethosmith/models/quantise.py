# SPDX-License-Identifier: Apache-2.0
"""Quantise a float Keras network to int8 throughout, inputs and outputs included.

Post-training full-integer quantisation as TensorFlow documents it: the converter
with `Optimize.DEFAULT`, a representative data set and only `TFLITE_BUILTINS_INT8`.
A .tflite that is int8 already passes through after a check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import writing_beside
from ethosmith.models.int8_check import check_int8
from ethosmith.models.keras_file import TFLITE_SUFFIX, converter_for
from ethosmith.models.repeatable_tensorflow import repeatable_tensorflow
from ethosmith.models.representative import Batch
from ethosmith.models.tensor_spec import TensorSpec

Representative = Callable[[Sequence[tuple[int, ...]]], Callable[[], Iterator[Batch]]]


def quantise(
    model: Path, output: Path, representative: Representative, *, label_count: int = 0
) -> None:
    """Write the int8 form of ``model`` to ``output``.

    Args:
        model: .h5, .keras, SavedModel folder (float) or .tflite (already int8).
        output: the .tflite to write.
        representative: given the input shapes, returns the data set's generator.
        label_count: values that the first output must have; 0: it has no labels.

    Raises:
        EthosmithError: the model cannot be read, an operator has no int8 form, or
            a given .tflite is not int8 throughout; or the output does not fit the labels.
    """
    with writing_beside(output) as beside:
        if model.suffix.lower() == TFLITE_SUFFIX:
            beside.write_bytes(model.read_bytes())
        else:
            beside.write_bytes(_convert(model, representative))
        network = check_int8(beside, name=str(model))
        if label_count:
            _check_labels(model, network.outputs[0], label_count)


def _check_labels(model: Path, output: TensorSpec, label_count: int) -> None:
    if output.element_count != label_count:
        raise EthosmithError(
            f"{model}: its output has {output.element_count} values for {label_count} labels;"
            " give labels=FILE with one line per value"
        )


def _convert(model: Path, representative: Representative) -> bytes:
    with repeatable_tensorflow() as said:
        import tensorflow as tf  # noqa: PLC0415 takes seconds

        converter, shapes = converter_for(model)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.int8
        converter.inference_output_type = tf.int8
        converter.representative_dataset = representative(shapes)
        try:
            return bytes(converter.convert())
        except EthosmithError:
            raise
        except Exception as error:  # noqa: BLE001 the converter raises its own and MLIR's
            raise _not_quantised(model, error, said()) from None


def _not_quantised(model: Path, error: Exception, said: str) -> EthosmithError:
    lines = [line.strip() for line in f"{error}\n{said}".splitlines()]
    telling = [line for line in lines if "tf." in line or "error:" in line or "not support" in line]
    first = next(iter([*telling, *lines]), type(error).__name__)
    return EthosmithError(f"{model}: cannot be quantised to int8: {first[:300]}")
