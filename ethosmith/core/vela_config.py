# SPDX-License-Identifier: Apache-2.0
"""The system configs that Vela knows, read from its own file; imported by the graph, so light."""

from __future__ import annotations

import importlib.util
import re
from functools import cache
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.nearest import unknown_name

# As Vela's option --config names it: relative to its own folder of configurations.
CONFIG_FILE = "Arm/vela.ini"
_SYSTEM_CONFIG = re.compile(r"^\[System_Config\.(\w+)\]", re.MULTILINE)


def check_system_config(name: str) -> str:
    """Return ``name`` if Vela has a system config of that name.

    Raises:
        EthosmithError: it has none, or Vela is not installed.
    """
    known = system_configs()
    if name not in known:
        raise EthosmithError(unknown_name("system config of Vela", name, known))
    return name


@cache
def system_configs() -> tuple[str, ...]:
    """Return the names of all system configs; EthosmithError if Vela is not installed."""
    # Vela's packages share the folder `ethosu`, which has no code of its own to import.
    package = importlib.util.find_spec("ethosu")
    for folder in (package.submodule_search_locations or ()) if package else ():
        file = Path(folder, "config_files", CONFIG_FILE)
        if file.is_file():
            return tuple(_SYSTEM_CONFIG.findall(file.read_text("utf-8")))
    raise EthosmithError("the Python package ethos-u-vela is missing: pip install ethos-u-vela")
