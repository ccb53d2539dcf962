# SPDX-License-Identifier: Apache-2.0
"""Wheels of this repository, unpacked into a folder of their own as pip does it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.project_copy import ROOT

MODEL = ROOT / "distributions" / "ethosu-model"
BOARD = ROOT / "distributions" / "open-board"


def install(folder: Path, *projects: Path) -> Path:
    """Build the projects' wheels, install them without dependencies, return the import path."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    subprocess.run([*pip, *build, *map(str, projects)], check=True)
    wheels = [str(path) for path in folder.glob("*.whl")]
    assert len(wheels) == len(projects)
    target = folder / "site"
    packed = ["install", "--no-deps", "--no-index", "--target", str(target), *wheels]
    subprocess.run([*pip, *packed], check=True)
    return target
