# SPDX-License-Identifier: Apache-2.0
"""Write a Keras network as a float32 .tflite, so that LiteRT runs it as it runs the int8 one."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import write_bytes
from ethosmith.core.program import run_step_in_child
from ethosmith.models.keras_file import converter_for, reader_crashed
from ethosmith.models.repeatable_tensorflow import repeatable_tensorflow


def float_network(model: Path) -> bytes:
    """Return the network of ``model`` (.h5, .keras or SavedModel folder), nothing quantised.

    Raises:
        EthosmithError: it cannot be read or converted.
    """
    with repeatable_tensorflow():
        converter, _ = converter_for(model)
        try:
            return bytes(converter.convert())
        except Exception as error:  # noqa: BLE001 the converter raises its own and MLIR's
            first = next(iter(str(error).strip().splitlines()), type(error).__name__)
            raise EthosmithError(f"{model}: has no float .tflite: {first[:300]}") from None


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ethosmith.accuracy.float_network")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> None:
    """Command line of this step."""
    given = _parse(argv)
    write_bytes(given.output, float_network(given.model))


def _crashed(argv: Sequence[str], signal_name: str) -> str:
    model = _parse(argv).model
    return reader_crashed(model, signal_name) or f"{model}: TensorFlow's converter crashed"


if __name__ == "__main__":
    sys.exit(run_step_in_child("ethosmith.accuracy.float_network", main, _crashed))
