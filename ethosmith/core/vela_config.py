# SPDX-License-Identifier: Apache-2.0
"""The system configs that Vela knows, read from its own file; imported by the graph, so light."""

from __future__ import annotations

import configparser
import importlib.util
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ethosmith.core.errors import EthosmithError, unknown_name

if TYPE_CHECKING:
    from ethosu_model.memory_timing import MemoryTiming, SystemTiming

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


def memory_timing(name: str) -> SystemTiming:
    """Return how quick the memories of the system config ``name`` are, port by port.

    Raises:
        EthosmithError: Vela has no such system config, or is not installed.
    """
    from ethosu_model.memory_timing import SystemTiming  # noqa: PLC0415 steps import it lazily

    check_system_config(name)
    config = configparser.ConfigParser()
    config.read_string(_text())
    section = config[f"System_Config.{name}"]
    return SystemTiming(*(_memory(section, section[f"{port}_port"]) for port in ("axi0", "axi1")))


def _memory(section: configparser.SectionProxy, memory: str) -> MemoryTiming:
    from ethosu_model.memory_timing import MemoryTiming  # noqa: PLC0415

    ports = section.getint(f"{memory}_ports_used", 1)
    return MemoryTiming(
        bandwidth=section.getfloat(f"{memory}_clock_scale", 1.0) * ports,
        burst_bytes=section.getint(f"{memory}_burst_length", 1),
        read_latency=section.getint(f"{memory}_read_latency", 0),
        write_latency=section.getint(f"{memory}_write_latency", 0),
        ports=ports,
        max_reads=section.getint(f"{memory}_max_reads", 0),
        max_writes=section.getint(f"{memory}_max_writes", 0),
    )


@cache
def system_configs() -> tuple[str, ...]:
    """Return the names of all system configs; EthosmithError if Vela is not installed."""
    return tuple(_SYSTEM_CONFIG.findall(_text()))


@cache
def _text() -> str:
    # Vela's packages share the folder `ethosu`, which has no code of its own to import.
    package = importlib.util.find_spec("ethosu")
    for folder in (package.submodule_search_locations or ()) if package else ():
        file = Path(folder, "config_files", CONFIG_FILE)
        if file.is_file():
            return file.read_text("utf-8")
    raise EthosmithError("the Python package ethos-u-vela is missing: pip install ethos-u-vela")
