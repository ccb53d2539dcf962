# SPDX-License-Identifier: Apache-2.0
"""Programs that only a test uses: skip without them, but never in CI."""

from __future__ import annotations

import os
import shutil

import pytest


def program(name: str) -> str:
    """Return the path of the program ``name``; without it the test is skipped, in CI it fails."""
    found = shutil.which(name)
    if found:
        return found
    message = f"'{name}' is not installed (tests/system_packages.txt names its package)"
    if os.environ.get("ETHOSMITH_TEST_ALL"):
        pytest.fail(message)
    pytest.skip(message)
