# SPDX-License-Identifier: Apache-2.0
"""A board's serial port: open it, and read one run of the device program from it."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import serial

from ethosmith.core.errors import EthosmithError
from ethosmith.verify.serial_log import BEGIN, MAX_LOG_BYTES, runs_in
from ethosmith.verify.serial_names import named_ports
from ethosu_model.errors import printable

Show = Callable[[bytes], None]

_EOT = b"\x04"
_READ_BYTES = 4096
_READ_S = 0.1
_MAX_SHOWN = 60


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
