# SPDX-License-Identifier: Apache-2.0
"""Name the serial ports of this computer by the debug probe that each belongs to."""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

import serial
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from ethosmith.core.errors import EthosmithError, printable
from ethosmith.verify.serial_log import BEGIN, MAX_LOG_BYTES, runs_in

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
Show = Callable[[bytes], None]

_EOT = b"\x04"
_READ_BYTES = 4096
_READ_S = 0.1
_MAX_SHOWN = 60


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


@contextmanager
def opened(port: str, baud: int) -> Iterator[serial.Serial]:
    """Open a port for this program alone.

    Args:
        port: such as ``/dev/ttyACM0``.
        baud: bits a second; 8 data bits, no parity, one stop bit.

    Raises:
        EthosmithError: there is no such port, it is in use, or it is unplugged meanwhile.
    """
    try:
        device = serial.Serial(port, baud, timeout=_READ_S, exclusive=True)
    except (serial.SerialException, ValueError, OSError) as error:
        raise EthosmithError(f"port={port}: {_reason(error)}") from None
    with device:
        yield device


def _reason(error: Exception) -> str:
    number = error.errno if isinstance(error, OSError) else None
    if number in {errno.EAGAIN, errno.EBUSY}:
        return "another program has it open, such as a terminal; close that first"
    if number in {errno.EACCES, errno.EPERM}:
        return "no permission; join its group (on Debian: sudo adduser $USER dialout), log in again"
    if number == errno.ENOENT:
        return f"there is no such port; found: {named_ports()}"
    return f"is not a serial port; found: {named_ports()}"


def read_available(device: serial.Serial) -> bytes:
    """Return what has come, or nothing after a tenth of a second.

    Raises:
        EthosmithError: the port has gone.
    """
    try:
        data: bytes = device.read(_READ_BYTES)
    except (serial.SerialException, OSError):
        raise EthosmithError(f"port={device.port}: gone; was the board unplugged?") from None
    return data


def read_run(device: serial.Serial, silence_s: float, show: Show, note: Show) -> bytes:
    """Return the bytes of one run, its exit code included.

    Args:
        device: the open port.
        silence_s: for how long the board may send nothing, in seconds.
        show: takes what comes, as it comes.
        note: takes lines for the person at the board.

    Raises:
        EthosmithError: the board is silent for too long, sends without end, or the port has gone.
    """
    received = bytearray()
    heard_s = time.monotonic()
    while True:
        data = _read(device, received)
        if data:
            heard_s = time.monotonic()
            received += data
            show(data.translate(None, _EOT + b"\0"))
        elif time.monotonic() - heard_s > silence_s:
            raise EthosmithError(_silent(str(device.port), bytes(received), silence_s))
        end = received.find(_EOT) + 2
        if 2 <= end <= len(received):
            run, received = received[:end], received[end:]
            if BEGIN.encode() in run:
                return bytes(run)
            note(b"That was the end of a run that had begun before; reset the board.\n")
        if len(received) > MAX_LOG_BYTES:
            raise EthosmithError(f"port={device.port}: more than {MAX_LOG_BYTES >> 20} MiB, no end")


def _read(device: serial.Serial, received: bytearray) -> bytes:
    try:
        return read_available(device)
    except EthosmithError as error:
        at = f" after {len(received)} bytes of a run" if received else ""
        raise EthosmithError(f"{error}{at}") from None


def _silent(port: str, received: bytes, silence_s: float) -> str:
    """Say what is known of a board that sends nothing more."""
    silence = f"no byte for {silence_s:g} s"
    if not received:
        return (
            f"port={port}: {silence}; reset the board; is it the program's port? found:"
            f" {named_ports()}"
        )
    if BEGIN.encode() in received:
        last = received.decode("utf-8", "replace").splitlines()[-1][:_MAX_SHOWN]
        return f"port={port}: the run stopped: {silence} after '{printable(last)}'"
    try:
        runs_in(received, f"port={port}")
    except EthosmithError as error:
        return f"{error}; then {silence}"
    return f"port={port}: {silence}"
