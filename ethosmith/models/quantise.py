# SPDX-License-Identifier: Apache-2.0
"""Quantise a float Keras network to int8 throughout, with representative data.

Post-training full-integer quantisation as TensorFlow documents it: the converter
with `Optimize.DEFAULT`, a representative data set and only `TFLITE_BUILTINS_INT8`.
A .tflite that is quantised already passes through after a check; float around its int8 operators
is taken off. A float one goes to AI Edge Quantizer (`ethosmith.models.edge_quantiser`).
"""

from __future__ import annotations

import re
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import MAX_MODEL_BYTES, TFLITE_SUFFIX, read_bytes, writing_beside
from ethosmith.core.terminal import captured_output
from ethosmith.models.calibration import Representative
from ethosmith.models.edge_quantiser import int8_of
from ethosmith.models.float_tflite import float_kind
from ethosmith.models.int8_check import check_int8
from ethosmith.models.keras_file import converter_for, repeatable_tensorflow
from ethosmith.models.keras_model import first_sentence
from ethosmith.models.tflite_rewrite import Rewritten, rewritten

# MLIR: "error: 'tf.Betainc' op is neither a custom op nor a flex op".
_NO_INT8_FORM = re.compile(r"'(?P<operator>tf\.\w+)' op is neither a custom op nor a flex op")


def quantise(
    model: Path, output: Path, representative: Representative, *, label_count: int = 0
) -> tuple[str, ...]:
    """Write the int8 form of ``model`` to ``output``.

    Args:
        model: .h5, .keras, SavedModel folder (float) or .tflite (float or int8).
        output: the .tflite to write.
        representative: given the inputs, returns the data set's generator.
        label_count: values that the first output must have; 0: it has no labels.

    Returns:
        What was rewritten in a .tflite; see `ethosmith.models.tflite_rewrite`.

    Raises:
        EthosmithError: the model cannot be read, or an operator has no int8 form; or the
            output does not fit the labels.
    """
    notes: tuple[str, ...] = ()
    with writing_beside(output) as beside:
        if model.suffix.lower() == TFLITE_SUFFIX:
            given = _of_tflite(model, representative)
            notes = given.notes
            beside.write_bytes(given.content)
        else:
            beside.write_bytes(_convert(model, representative))
        network = check_int8(beside, name=str(model))
        if label_count:
            check_label_count(model, network.outputs[0].element_count, label_count)
    return notes


def _of_tflite(model: Path, representative: Representative) -> Rewritten:
    """Return the network of a .tflite in int8; a float one is calibrated."""
    content = read_bytes(model, limit_bytes=MAX_MODEL_BYTES)
    kind = float_kind(content, str(model))
    if kind is None:
        return rewritten(content, str(model))
    with captured_output():
        int8 = rewritten(int8_of(content, str(model), representative), str(model))
    return Rewritten(int8.content, (f"int8 instead of {kind}", *int8.notes))


def check_label_count(model: Path, output_count: int, label_count: int) -> None:
    """Raise an `EthosmithError` if the first output has not one value for each label."""
    if output_count != label_count:
        raise EthosmithError(
            f"{model}: its output has {output_count} values for {label_count} labels;"
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
