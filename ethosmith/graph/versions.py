# SPDX-License-Identifier: Apache-2.0
"""Versions of the tools that outputs depend on: a new version makes its outputs anew."""

from __future__ import annotations

import subprocess
from functools import cache
from importlib import metadata

from ethosmith.errors import EthosmithError


@cache
def python_package(*names: str) -> str:
    """Return ``name version`` of the first installed package of ``names``.

    Raises:
        EthosmithError: none is installed.
    """
    for name in names:
        try:
            return f"{name} {metadata.version(name)}"
        except metadata.PackageNotFoundError:
            continue
    raise EthosmithError(f"the Python package {names[0]} is missing: pip install {names[0]}")


@cache
def program(path: str) -> str:
    """Return the first line that ``path --version`` prints.

    Raises:
        EthosmithError: the program does not start.
    """
    try:
        answer = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise EthosmithError(f"{path} --version fails: {error}") from None
    lines = answer.stdout.strip().splitlines()
    return lines[0] if lines else path
