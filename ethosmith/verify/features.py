# SPDX-License-Identifier: Apache-2.0
"""Compute a sample's features on the host: representative data for quantisation."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from ethosmith.core.files import write_bytes
from ethosmith.core.program import run_step
from ethosmith.verify.host_program import features


def main(argv: Sequence[str]) -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(prog="python -m ethosmith.verify.features")
    parser.add_argument("--program", type=Path, required=True, help="the use case's host program")
    parser.add_argument("--index", type=int, required=True, help="of the sample")
    parser.add_argument("--shape", type=Path, required=True, help="of ethosmith.models.input_shape")
    parser.add_argument("--output", type=Path, required=True, help="raw float32 values")
    given = parser.parse_args(argv)
    shape = json.loads(given.shape.read_text("utf-8"))
    write_bytes(given.output, features(given.program, given.index, shape))


if __name__ == "__main__":
    sys.exit(run_step(main))
