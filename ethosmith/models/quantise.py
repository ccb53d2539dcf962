# SPDX-License-Identifier: Apache-2.0
"""Quantise a float Keras network to int8 throughout, inputs and outputs included.

Post-training full-integer quantisation as TensorFlow documents it: the converter
with `Optimize.DEFAULT`, a representative data set and only `TFLITE_BUILTINS_INT8`.
A .tflite that is int8 already passes through after a check.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import writing_beside
from ethosmith.core.program import run_step_in_child
from ethosmith.models.int8_check import TensorSpec, check_int8
from ethosmith.models.keras_file import TFLITE_SUFFIX, converter_for, reader_crashed
from ethosmith.models.repeatable_tensorflow import repeatable_tensorflow
from ethosmith.models.representative import Batch, RandomData, from_files, from_random

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


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m ethosmith.models.quantise", description=__doc__
    )
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument(
        "--representative", type=Path, nargs="*", default=[], help="raw float32 input tensors"
    )
    parser.add_argument("--label-count", type=int, default=0, help="0: the output has no labels")
    parser.add_argument("--random-seed", type=int, help="seeded random data instead of files")
    parser.add_argument("--random-count", type=int, default=100)
    parser.add_argument("--random-low", type=float, default=0.0)
    parser.add_argument("--random-high", type=float, default=1.0)
    return parser.parse_args(argv)


def _representative(options: argparse.Namespace) -> Representative:
    if options.random_seed is not None:
        data = RandomData(
            options.random_seed, options.random_count, options.random_low, options.random_high
        )
        return lambda shapes: from_random(data, shapes)
    files = list(options.representative)
    if not files and options.model.suffix.lower() != TFLITE_SUFFIX:
        raise EthosmithError(
            f"{options.model}: quantising needs representative data: give the use case samples or"
            " 'representative: {seed: 0}'"
        )
    return lambda shapes: from_files(files, shapes)


def main(argv: Sequence[str]) -> None:
    """Command line of this step."""
    options = _parse(argv)
    quantise(
        options.model,
        options.output,
        _representative(options),
        label_count=options.label_count,
    )


def _crashed(argv: Sequence[str], signal_name: str) -> str:
    model = _parse(argv).model
    return reader_crashed(model, signal_name) or (
        f"{model}: TensorFlow's converter crashed; it does so when values inside the"
        " network overflow or vanish: run the float network on its representative data and look"
        " (an untrained network does it)"
    )


if __name__ == "__main__":
    sys.exit(run_step_in_child("ethosmith.models.quantise", main, _crashed))
