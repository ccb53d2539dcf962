# SPDX-License-Identifier: Apache-2.0
"""On the board every way to go wrong ends in a named failure, EOT and a non-zero code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ethosmith.codegen.linker_script import linker_script
from ethosmith.codegen.platform_header import platform_header
from ethosmith.descriptors.platform import load_platform

from .compile import FIRMWARE, HERE, ROOT

_CPU = ("-mcpu=cortex-m55", "-mthumb", "-mfloat-abi=hard")
_FLAGS = ("-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-ffunction-sections")
_LINK = ("--specs=nano.specs", "-nostartfiles", "-Wl,--gc-sections", "-Wl,--no-warn-rwx-segments")


def _image(folder: Path, fault: str) -> Path:
    platform = load_platform(ROOT / "platforms" / "fvp" / "platform.yaml")
    header = platform_header(platform, "Shared_Sram", "ethos-u55-128")
    (folder / "platform.h").write_text(header, encoding="utf-8")
    script = folder / "memory.ld"
    script.write_text(linker_script(platform, "Shared_Sram"), encoding="utf-8")
    sources = [
        HERE / "faulty.c",
        *sorted((FIRMWARE / "hal").glob("*.c")),
        FIRMWARE / "support" / "text.c",
    ]
    include = [f"-I{folder}", f"-I{FIRMWARE / 'hal'}", f"-I{FIRMWARE / 'support'}"]
    axf = folder / "faulty.axf"
    command = ["arm-none-eabi-gcc", *_CPU, *_FLAGS, f"-DFAULT={fault}", *include, *_LINK]
    command += ["-T", str(script), "-o", str(axf), *map(str, sources)]
    subprocess.run(command, check=True, timeout=60)
    return axf


def _run(folder: Path, fault: str) -> tuple[int, list[str]]:
    axf = _image(folder, fault)
    board = [sys.executable, "-m", "ethosmith.board", "--simulator", "open", "-a", str(axf)]
    ran = subprocess.run(
        [*board, "--timelimit", "20"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return ran.returncode, ran.stdout.splitlines()


@pytest.mark.parametrize(("end", "lines"), [("RETURN", ["end"]), ("SLEEP", ["slept", "end"])])
def test_a_program_that_returns_passes(tmp_path: Path, end: str, lines: list[str]) -> None:
    assert _run(tmp_path, end) == (0, ["ready", *lines])


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
def test_a_fault_prints_its_name_and_registers(tmp_path: Path, fault: str) -> None:
    code, lines = _run(tmp_path, fault)
    name, cause = FAULTS[fault]
    assert code == 2
    assert lines[:2] == ["ready", f"fault: {name} ({cause})"]
    assert re.fullmatch(r"cfsr=0x\w{8} hfsr=0x\w{8} mmfar=0x\w{8} bfar=0x\w{8}", lines[-3])
    # After a stack overflow nothing was stacked, so there is no place to tell.
    stacked = fault != "STACK"
    assert ("pc=0x" in "".join(lines)) == stacked
    place = r" at 0x[0-9a-f]{8}" if stacked else ""
    assert re.fullmatch(f"fail: {name}{place}", lines[-1])


def test_an_interrupt_that_nobody_handles_is_a_fault(tmp_path: Path) -> None:
    code, lines = _run(tmp_path, "SILENT_IRQ")
    assert code == 2
    assert lines[1] == "fault: unexpected exception 19"


def test_a_failed_assertion_says_which(tmp_path: Path) -> None:
    code, lines = _run(tmp_path, "ASSERT")
    assert code == 1
    assert re.fullmatch(
        r"fail: assertion hal_stack_used_bytes\(\) == 0 in fault, line \d+", lines[-1]
    )
