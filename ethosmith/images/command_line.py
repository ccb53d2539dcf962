# SPDX-License-Identifier: Apache-2.0
"""What the image steps' command lines share: errors on one line, exit codes, common options."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from ethosmith.errors import EthosmithError


def run(step: Callable[[], None]) -> int:
    """Call ``step``; return 0, or print ``error: ...`` and return 1."""
    try:
        step()
    except EthosmithError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def parser(module: str, what: str) -> argparse.ArgumentParser:
    """Return a parser for ``python -m ethosmith.images.<module>``."""
    return argparse.ArgumentParser(prog=f"python -m ethosmith.images.{module}", description=what)


def add_axf(options: argparse.ArgumentParser) -> None:
    """Add ``--axf``."""
    options.add_argument("--axf", type=Path, required=True, help="the linked image")


def add_platform(options: argparse.ArgumentParser) -> None:
    """Add ``--platform``."""
    options.add_argument("--platform", type=Path, required=True, help="the platform.yaml")
