# SPDX-License-Identifier: Apache-2.0
"""Versions of the Python packages that outputs depend on: a new one makes its outputs anew."""

from __future__ import annotations

from functools import cache
from importlib import metadata

from ethosmith.core.errors import EthosmithError


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
