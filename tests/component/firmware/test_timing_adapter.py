# SPDX-License-Identifier: Apache-2.0
"""The start-up code sets the timing adapters that are there, in their registers' order."""

from __future__ import annotations

from pathlib import Path

from ethosmith.descriptors.npu import TimingAdapter, TimingAdapters, TimingPreset
from ethosmith.descriptors.platform import load_platform
from tests.support.firmware.compile import HERE
from tests.support.firmware.device import Firmware, compile_firmware, run_on_board
from tests.support.project_copy import ROOT

# In the on-chip SRAM, where the program plays the adapters.
_AXI0, _AXI1 = 0x31001000, 0x31001200
_UNMAPPED = 0xF0000000
# Each register has its own value: the offsets are those of Arm's timing_adapter.h.
_SETTINGS = {
    "maxr": 1,
    "maxw": 2,
    "maxrw": 3,
    "rlatency": 4,
    "wlatency": 5,
    "pulse_on": 6,
    "pulse_off": 7,
    "bwcap": 8,
    "perfctrl": 9,
    "perfcnt": 10,
    "mode": 11,
    "histbin": 12,
    "histcnt": 13,
}


def _firmware(folder: Path, axi0: int, axi1: int) -> Firmware:
    adapter = TimingAdapter(**_SETTINGS)
    preset = TimingPreset(system_config="Any", axi0=adapter, axi1=adapter)
    adapters = TimingAdapters(axi0_address=axi0, axi1_address=axi1, presets=(preset,))
    platform = load_platform(ROOT / "platforms" / "fvp" / "platform.yaml")
    return compile_firmware(
        folder, ["hal", "support"], platform.replace(timing_adapters=adapters), "Any"
    )


def test_one_that_answers_is_set_and_another_is_left_alone(tmp_path: Path) -> None:
    firmware = _firmware(tmp_path, _AXI0, _AXI1)
    defines = [f"-DAXI0={_AXI0:#x}u", f"-DAXI1={_AXI1:#x}u"]
    code, lines = run_on_board(firmware.image(tmp_path, [HERE / "timing_program.c"], defines))
    assert code == 0
    # 99 is where nothing was written: MAXPENDING, read-only, and all of the second one.
    assert lines == [
        "1 2 3 4 5 6 7 8 9 10 11 99 12 13 4375",
        " ".join(["99"] * 15),
    ]


def test_one_whose_address_is_a_bus_fault_is_skipped(tmp_path: Path) -> None:
    firmware = _firmware(tmp_path, _UNMAPPED, _UNMAPPED + 0x200)
    image = firmware.image(tmp_path, [HERE / "faulty.c"], ["-DFAULT=RETURN"])
    assert run_on_board(image) == (0, ["ready", "end"])
