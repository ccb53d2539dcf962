# SPDX-License-Identifier: Apache-2.0
"""platform.h says what platform.yaml says; the NPU's numbers come from one name."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.platform import load_platform
from ethosmith.steps.generate_platform_header import platform_header
from ethosu_model.config import AcceleratorConfig
from ethosu_model.device import NpuDevice
from open_board.job import BoardJob
from open_board.open_board import OpenBoard
from tests.support.board.networks import arms_runner
from tests.support.project_copy import ROOT

HERE = Path(__file__).parent
FVP = ROOT / "platforms" / "fvp" / "platform.yaml"


def _macros(memory_mode: str, accelerator_config: str) -> dict[str, str]:
    header = platform_header(load_platform(FVP), memory_mode, accelerator_config)
    return dict(re.findall(r"^#define (PLATFORM_\w+) (.+)$", header, re.MULTILINE))


@pytest.mark.parametrize(
    ("memory_mode", "accelerator_config", "macs", "scratch_limit"),
    [
        ("Shared_Sram", "ethos-u55-64", "64u", "0u"),
        ("Dedicated_Sram", "ethos-u65-512", "512u", "2u"),
    ],
)
def test_macs_and_axi_limits_follow_the_configuration(
    memory_mode: str, accelerator_config: str, macs: str, scratch_limit: str
) -> None:
    macros = _macros(memory_mode, accelerator_config)
    assert macros["PLATFORM_NPU_CONFIG"] == f'"{accelerator_config}"'
    assert macros["PLATFORM_NPU_MACS"] == macs
    assert macros["PLATFORM_NPU_AXI1_WRITES"] == ("1u" if "u65" in accelerator_config else "0u")
    assert macros["PLATFORM_MEMORY_MODE"] == f'"{memory_mode}"'
    assert macros["PLATFORM_SCRATCH_AXI_LIMIT"] == scratch_limit


@pytest.mark.parametrize("accelerator_config", ["ethos-u55-128", "ethos-u65-256"])
def test_axi_limits_are_those_that_arm_s_driver_sets(
    accelerator_config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Arm's runner has no network here, so it fails; by then its driver has set the limits."""
    written: dict[int, int] = {}
    write = NpuDevice.write_register

    def record(device: NpuDevice, offset: int, value: int) -> None:
        written[offset] = value
        write(device, offset, value)

    monkeypatch.setattr(NpuDevice, "write_register", record)
    accelerator = AcceleratorConfig.parse(accelerator_config)
    OpenBoard().run(BoardJob(accelerator, arms_runner(accelerator.product, tmp_path)))
    macros = _macros("Shared_Sram", accelerator_config)
    reads, writes = (
        int(macros[f"PLATFORM_NPU_MAX_OUTSTANDING_{kind}"].removesuffix("u"))
        for kind in ("READS", "WRITES")
    )
    beats = {"64u": 0, "128u": 1, "256u": 2}[macros["PLATFORM_NPU_MAX_BEATS_BYTES"]]
    for limit in (written[offset] for offset in range(0x40, 0x50, 4)):
        assert (limit & 3, limit >> 16 & 0x3F, limit >> 24 & 0x1F) == (beats, reads - 1, writes - 1)


WRONG = {
    ("Shared_Sram", "ethos-u55-512"): "unknown accelerator config of platform fvp 'ethos-u55-512'",
    ("Shared_Sram", "ethos-u85-256"): (
        "unknown accelerator config of platform fvp 'ethos-u85-256'"
    ),
    ("Shared_Sarm", "ethos-u55-128"): "unknown memory mode of platform fvp 'Shared_Sarm'",
    ("Dedicated_Sram", "ethos-u55-128"): (
        "memory mode Dedicated_Sram is not for ethos-u55-128 on platform fvp"
        " (allowed: Shared_Sram, Sram_Only)"
    ),
}


@pytest.mark.parametrize(("memory_mode", "accelerator_config"), WRONG)
def test_a_combination_that_is_none_is_refused(memory_mode: str, accelerator_config: str) -> None:
    with pytest.raises(EthosmithError) as caught:
        platform_header(load_platform(FVP), memory_mode, accelerator_config)
    assert str(caught.value).startswith(WRONG[memory_mode, accelerator_config])


def test_the_command_line_says_an_error_in_one_line(tmp_path: Path) -> None:
    options = ["--platform", str(FVP), "--memory-mode", "Sram", "--accelerator-config"]
    options += ["ethos-u55-128", "--output", str(tmp_path / "platform.h")]
    module = [sys.executable, "-m", "ethosmith", "step", "generate-platform-header"]
    ran = subprocess.run(
        [*module, *options], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith("error: unknown memory mode of platform fvp 'Sram'")
    assert ran.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def _timing_rows(memory_mode: str, accelerator_config: str, system_config: str) -> list[list[int]]:
    header = platform_header(load_platform(FVP), memory_mode, accelerator_config, system_config)
    table = header.partition("#define PLATFORM_TIMING_ADAPTERS(X)")[2].partition("#endif")[0]
    rows = re.findall(r"X\(([^)]+)\)", table)
    return [[int(word.strip().rstrip("u"), 0) for word in row.split(",")] for row in rows]


def test_timing_follows_system_config_and_memory_mode() -> None:
    u55 = ("ethos-u55-128", "Ethos_U55_High_End_Embedded")
    sram, flash = _timing_rows("Shared_Sram", *u55)
    # Arm's evaluation kit, ta_config_u55_high_end.
    assert sram == [0x58103000, 8, 8, 0, 32, 32, 3999, 1, 4000, 0, 0, 1, 0, 0]
    assert flash == [0x58103200, 2, 0, 0, 64, 0, 320, 80, 50, 0, 0, 1, 0, 0]
    both = _timing_rows("Sram_Only", *u55)
    assert both[0] == sram
    assert both[1] == [0x58103200, *sram[1:]]
    _, dram = _timing_rows("Dedicated_Sram", "ethos-u65-256", "Ethos_U65_High_End")
    # ta_config_u65_high_end.
    assert dram == [0x58103200, 24, 12, 0, 500, 250, 4000, 1000, 1172, 0, 0, 1, 0, 0]


def test_no_timing_is_set_that_nobody_described() -> None:
    assert _timing_rows("Shared_Sram", "ethos-u55-128", "Ethos_U55_Deep_Embedded") == []
    assert _timing_rows("Shared_Sram", "ethos-u55-128", "") == []
