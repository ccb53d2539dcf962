# SPDX-License-Identifier: Apache-2.0
"""Compute a sample's features on the host: representative data for quantisation."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ethosmith.cli import run_step
from ethosmith.files import write_bytes
from ethosmith.verify.host_program import features


def main(argv: Sequence[str]) -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(prog="python -m ethosmith.verify.features")
    parser.add_argument("--program", type=Path, required=True, help="the use case's host program")
    parser.add_argument("--index", type=int, required=True, help="of the sample")
    parser.add_argument("--elements", type=int, required=True, help="of the network's input")
    parser.add_argument("--output", type=Path, required=True, help="raw float32 values")
    given = parser.parse_args(argv)
    write_bytes(given.output, features(given.program, given.index, given.elements))


if __name__ == "__main__":
    sys.exit(run_step(main))
