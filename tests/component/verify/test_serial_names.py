# SPDX-License-Identifier: Apache-2.0
"""Serial ports by their probes: entries as pyserial lists them on Linux and macOS."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from serial.tools.list_ports_common import ListPortInfo

from ethosmith.verify.serial_port import named_ports, names_of


def _port(
    device: str,
    usb: tuple[int, int] | None = None,
    number: str | None = None,
    product: str | None = None,
    description: str = "n/a",
) -> ListPortInfo:
    port = ListPortInfo(device)
    port.description, port.product, port.serial_number = description, product, number
    port.vid, port.pid = usb or (None, None)
    return port


_DAPLINK = _port("/dev/ttyACM1", (0x0D28, 0x0204), "0240000034544e45", "DAPLink CMSIS-DAP")
_JLINK = _port("/dev/ttyACM0", (0x1366, 0x1055), "000801012345", "J-Link")
_OTHER_DAP = _port("/dev/ttyACM2", (0x1209, 0x0001), None, "Maker's CMSIS-DAP v2")
_FTDI = _port("/dev/ttyUSB0", (0x0403, 0x6011), None, "Quad", "Quad RS232-HS")
_BUILT_IN = _port("/dev/ttyS0", description="ttyS0")


def test_each_port_is_named_by_its_probe_or_by_its_maker() -> None:
    assert list(names_of([_DAPLINK, _JLINK, _FTDI, _BUILT_IN, _OTHER_DAP], {})) == [
        "/dev/ttyACM0 (J-Link probe, 000801012345)",
        "/dev/ttyACM1 (DAPLink, CMSIS-DAP probe, 0240000034544e45)",
        "/dev/ttyACM2 (CMSIS-DAP probe)",
        "/dev/ttyS0 (ttyS0)",
        "/dev/ttyUSB0 (Quad RS232-HS)",
    ]


def test_what_a_device_calls_itself_stays_printable_and_short() -> None:
    (shown,) = names_of([_port("/dev/ttyACM0", (0x1366, 1), "\x1b[2J" + "9" * 500)], {})
    assert shown.isprintable()
    assert len(shown) < 120


def _pyocd(folder: Path, output: str) -> None:
    program = folder / "pyocd"
    program.write_text(
        f"#!/bin/sh\n[ \"$*\" = 'json --probes' ] || exit 3\ncat <<'END'\n{output}\nEND\n"
    )
    program.chmod(0o755)


@pytest.mark.parametrize(
    ("output", "known"),
    [
        (
            json.dumps(
                {"boards": [{"unique_id": "0240000034544E45", "info": "Arm MPS3 [mps3_an540]"}]}
            ),
            ", pyOCD: Arm MPS3 [mps3_an540]",
        ),
        ('{"status": 1, "boards": []}', ""),
        ("Traceback (most recent call last)", ""),
        ('["boards"]', ""),
    ],
)
def test_pyocd_where_it_is_installed_names_the_board_behind_the_probe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str, known: str
) -> None:
    _pyocd(tmp_path, output)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: [_DAPLINK])
    expected = f"/dev/ttyACM1 (DAPLink, CMSIS-DAP probe, 0240000034544e45{known})"
    assert named_ports() == expected


def test_without_ports_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serial.tools.list_ports.comports", list)
    assert named_ports() == "none"
