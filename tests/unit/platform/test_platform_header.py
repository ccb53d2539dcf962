# SPDX-License-Identifier: Apache-2.0
"""platform.h says what platform.yaml says; the NPU's numbers come from one name."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ethosmith.codegen.platform_header import platform_header
from ethosmith.descriptors.platform import load_platform
from ethosmith.errors import EthosmithError

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
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
    assert macros["PLATFORM_MEMORY_MODE"] == f'"{memory_mode}"'
    assert macros["PLATFORM_SCRATCH_AXI_LIMIT"] == scratch_limit


WRONG = {
    ("Shared_Sram", "ethos-u55-512"): "unknown NPU configuration of platform fvp 'ethos-u55-512'",
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
    module = [sys.executable, "-m", "ethosmith.codegen.platform_header"]
    ran = subprocess.run(
        [*module, *options], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith("error: unknown memory mode of platform fvp 'Sram'")
    assert ran.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
