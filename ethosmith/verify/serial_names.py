# SPDX-License-Identifier: Apache-2.0
"""Name the serial ports of this computer by the debug probe that each belongs to."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping

from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from ethosu_model.errors import printable

# USB vendor and product; a product of None: every one of the vendor is a probe.
_PROBES: Mapping[tuple[int, int | None], str] = {
    (0x0D28, 0x0204): "DAPLink, CMSIS-DAP",
    (0x04B4, 0xF154): "KitProg3, CMSIS-DAP",
    (0x04B4, 0xF155): "KitProg3, CMSIS-DAP",
    (0x04B4, 0xF166): "KitProg3, CMSIS-DAP",
    (0x1FC9, 0x0090): "LPC-Link2, CMSIS-DAP",
    (0x1FC9, 0x0143): "MCU-Link, CMSIS-DAP",
    (0x2E8A, 0x000C): "Raspberry Pi Debug Probe, CMSIS-DAP",
    (0xC251, 0x2750): "ULINKplus, CMSIS-DAP",
    (0x0483, 0x374A): "ST-Link",
    (0x0483, 0x374B): "ST-Link",
    (0x0483, 0x374E): "ST-Link",
    (0x0483, 0x374F): "ST-Link",
    (0x0483, 0x3752): "ST-Link",
    (0x0483, 0x3753): "ST-Link",
    (0x0483, 0x3754): "ST-Link",
    (0x1366, None): "J-Link",
}
# What probes of other makers call themselves.
_OWN_NAMES = ("CMSIS-DAP", "DAPLink", "J-Link", "ST-Link", "STLink")
_PYOCD = "pyocd"
_PYOCD_S = 10
_MAX_NAME = 60


def named_ports() -> str:
    """Return the serial ports of this computer with their probes or makers' names, on one line."""
    ports = list(list_ports.comports())
    # It asks every probe, which takes a second.
    boards = _boards_of_pyocd() if any(map(probe_of, ports)) else {}
    return ", ".join(names_of(ports, boards)) or "none"


def names_of(ports: Iterable[ListPortInfo], boards: Mapping[str, str]) -> Iterator[str]:
    """Yield each port with its probe, or what its maker calls it.

    Args:
        ports: of pyserial.
        boards: what pyOCD calls the board behind a probe, by the probe's serial number.
    """
    for port in sorted(ports, key=lambda one: one.device):
        probe = probe_of(port)
        if not probe:
            yield f"{port.device} ({_shown(port.description or port.product)})"
            continue
        number = port.serial_number or ""
        board = boards.get(number.upper(), "")
        known = (f"{probe} probe", number, f"pyOCD: {board}" if board else "")
        yield f"{port.device} ({', '.join(_shown(text) for text in known if text)})"


def probe_of(port: ListPortInfo) -> str:
    """Return which kind of debug probe a port belongs to; empty: none that is known."""
    if port.vid is None:
        return ""
    known = _PROBES.get((port.vid, port.pid)) or _PROBES.get((port.vid, None))
    if known:
        return known
    said = f"{port.product or ''} {port.description or ''}".lower()
    return next((name for name in _OWN_NAMES if name.lower() in said), "")


def _shown(text: str | None) -> str:
    return printable(text or "no name")[:_MAX_NAME]


def _boards_of_pyocd() -> dict[str, str]:
    """Return what pyOCD, if it is installed, calls the board behind each probe."""
    program = shutil.which(_PYOCD)
    if program is None:
        return {}
    try:
        done = subprocess.run(
            [program, "json", "--probes"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PYOCD_S,
            check=False,
        )
        boards = json.loads(done.stdout)["boards"]
        return {str(one["unique_id"]).upper(): str(one["info"]) for one in boards}
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError):
        return {}  # It is a help only.
