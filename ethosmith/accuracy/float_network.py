# SPDX-License-Identifier: Apache-2.0
"""Write a Keras network as a float32 .tflite, so that LiteRT runs it as it runs the int8 one."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ethosmith.cli import run_step
from ethosmith.errors import EthosmithError
from ethosmith.files import write_bytes
from ethosmith.models.keras_file import converter_for
from ethosmith.quiet import captured_output


def float_network(model: Path) -> bytes:
    """Return the network of ``model`` (.h5, .keras or SavedModel folder), nothing quantised.

    Raises:
        EthosmithError: it cannot be read or converted.
    """
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    with captured_output():
        converter, _ = converter_for(model)
        try:
            return bytes(converter.convert())
        except Exception as error:  # noqa: BLE001 the converter raises its own and MLIR's
            first = next(iter(str(error).strip().splitlines()), type(error).__name__)
            raise EthosmithError(f"{model}: has no float .tflite: {first[:300]}") from None


def main(argv: Sequence[str]) -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(prog="python -m ethosmith.accuracy.float_network")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    given = parser.parse_args(argv)
    write_bytes(given.output, float_network(given.model))


if __name__ == "__main__":
    sys.exit(run_step(main))
