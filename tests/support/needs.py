# SPDX-License-Identifier: Apache-2.0
"""What only a test uses: skip without it; without a program, fail in CI."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ethosmith.environment.locked import PYTORCH, LockedEnvironment
from ethosmith.installation import PYTHON_PATH
from tests.support.project_copy import ROOT


def program(name: str) -> str:
    """Return the path of the program ``name``; without it the test is skipped, in CI it fails."""
    found = shutil.which(name)
    if found:
        return found
    message = f"'{name}' is not installed (tests/system_packages.txt names its package)"
    if os.environ.get("ETHOSMITH_TEST_ALL"):
        pytest.fail(message)
    pytest.skip(message)


def pytorch() -> str:
    """Return the Python of the PyTorch environment; without it the test is skipped.

    No test installs its 1.4 GB.
    """
    environment = LockedEnvironment(PYTORCH)
    if not environment.is_made:
        pytest.skip("needs PyTorch; install it with: python -m ethosmith environment pytorch")
    return str(environment.python())


def made_by_pytorch(module: str, folder: Path, *words: str) -> Path:
    """Run a module of tests.support.networks in that environment; return ``folder``, now filled."""
    command = [pytorch(), "-m", f"tests.support.networks.{module}", str(folder), *words]
    environment = {**os.environ, "PYTHONPATH": PYTHON_PATH}
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    return folder
