# SPDX-License-Identifier: Apache-2.0
"""On the board every way to go wrong ends in a named failure, EOT and a non-zero code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ethosmith.descriptors.platform import load_platform
from tests.support.firmware.compile import HERE
from tests.support.firmware.device import Firmware, compile_firmware, run_on_board
from tests.support.project_copy import ROOT


def _run(firmware: Firmware, folder: Path, fault: str) -> tuple[int, list[str]]:
    hal = firmware.only("hal", "support")
    return run_on_board(hal.image(folder, [HERE / "faulty.c"], [f"-DFAULT={fault}"]))


ENDS = {
    "RETURN": [],
    "SLEEP": ["slept"],
    # Time goes on for a caller that has masked interrupts, and they stay masked for it alone.
    "MASKED_SLEEP": ["slept", "slept", "restored"],
    "MASKED_CLOCK": ["monotonic", "in step"],
    "CLOCK": ["monotonic", "in step"],
}


@pytest.mark.parametrize("end", ENDS)
def test_a_program_that_returns_passes(firmware: Firmware, tmp_path: Path, end: str) -> None:
    assert _run(firmware, tmp_path, end) == (0, ["ready", *ENDS[end], "end"])


def test_a_probe_survives_its_own_bus_fault_only(firmware: Firmware, tmp_path: Path) -> None:
    code, lines = _run(firmware, tmp_path, "PROBE")
    assert code == 2
    assert lines[:4] == ["ready", "absent", "present", "fault: BusFault (precise data bus error)"]


FAULTS = {
    "BUS": ("BusFault", "precise data bus error"),
    "UNDEFINED": ("UsageFault", "undefined instruction"),
    "STACK": ("UsageFault", "stack overflow"),
    "BAD_JUMP": ("UsageFault", "invalid state"),
    "NULL_WRITE": ("MemManage", "data access violation"),
    "CONSTANT_WRITE": ("MemManage", "data access violation"),
    "CONSTANT_CALL": ("MemManage", "instruction access violation"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_prints_its_name_and_registers(
    firmware: Firmware, tmp_path: Path, fault: str
) -> None:
    code, lines = _run(firmware, tmp_path, fault)
    name, cause = FAULTS[fault]
    assert code == 2
    assert lines[:2] == ["ready", f"fault: {name} ({cause})"]
    assert re.fullmatch(r"cfsr=0x\w{8} hfsr=0x\w{8} mmfar=0x\w{8} bfar=0x\w{8}", lines[-3])
    # After a stack overflow nothing was stacked, so there is no place to tell.
    stacked = fault != "STACK"
    assert ("pc=0x" in "".join(lines)) == stacked
    place = r" at 0x[0-9a-f]{8}" if stacked else ""
    assert re.fullmatch(f"fail: {name}{place}", lines[-1])


def test_an_interrupt_that_nobody_handles_is_a_fault(firmware: Firmware, tmp_path: Path) -> None:
    code, lines = _run(firmware, tmp_path, "SILENT_IRQ")
    assert code == 2
    assert lines[1] == "fault: unexpected exception 19"


def test_a_failed_assertion_says_which(firmware: Firmware, tmp_path: Path) -> None:
    code, lines = _run(firmware, tmp_path, "ASSERT")
    assert code == 1
    assert re.fullmatch(
        r"fail: assertion hal_stack_used_bytes\(\) == 0 in fault, line \d+", lines[-1]
    )


def test_a_handler_by_its_cmsis_name_takes_the_place_of_the_default(
    firmware: Firmware, tmp_path: Path
) -> None:
    handler = tmp_path / "handler.c"
    handler.write_text(
        '#include "hal.h"\nvoid UsageFault_Handler(void);\n'
        'void UsageFault_Handler(void) { hal_console_write("own\\n"); hal_exit(HAL_EXIT_PASS); }\n',
        "utf-8",
    )
    hal = firmware.only("hal", "support")
    image = hal.image(tmp_path, [HERE / "faulty.c", handler], ["-DFAULT=UNDEFINED"])
    assert run_on_board(image) == (0, ["ready", "own"])


def test_a_real_uart_gets_carriage_returns(tmp_path: Path) -> None:
    platform = load_platform(ROOT / "platforms" / "mps3" / "platform.yaml")
    firmware = compile_firmware(tmp_path, ["hal", "support"], platform)
    image = firmware.image(tmp_path, [HERE / "faulty.c"], ["-DFAULT=RETURN"])
    captured = tmp_path / "uart"
    code, _ = run_on_board(image, "-C", f"mps3_board.uart0.out_file={captured}")
    assert (code, captured.read_bytes()) == (0, b"ready\r\nend\r\n")
