# SPDX-License-Identifier: Apache-2.0
"""The options that the image steps' command lines share."""

from __future__ import annotations

import argparse
from pathlib import Path


def parser(module: str, what: str) -> argparse.ArgumentParser:
    """Return a parser for ``python -m ethosmith.images.<module>``."""
    return argparse.ArgumentParser(prog=f"python -m ethosmith.images.{module}", description=what)


def add_axf(options: argparse.ArgumentParser) -> None:
    """Add ``--axf``."""
    options.add_argument("--axf", type=Path, required=True, help="the linked image")


def add_platform(options: argparse.ArgumentParser) -> None:
    """Add ``--platform``."""
    options.add_argument("--platform", type=Path, required=True, help="the platform.yaml")


def add_output(options: argparse.ArgumentParser, what: str) -> None:
    """Add ``--output``."""
    options.add_argument("--output", type=Path, required=True, help=what)
