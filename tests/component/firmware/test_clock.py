# SPDX-License-Identifier: Apache-2.0
"""The clock around a tick: SysTick raises its interrupt when it reaches 0, then reloads.

QEMU's counter cannot be stopped there, so the test sets it.
"""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tests.support.firmware.compile import FIRMWARE, HERE, program, say

_TICK_CYCLES = 1000
NOTHING, HANDLED, PENDING = 0, 1, 2


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clock")
    header = f"#define PLATFORM_CLOCK_HZ {1000 * _TICK_CYCLES}u\n"
    (folder / "platform.h").write_text(header, "utf-8")
    defines = [f"-I{folder}", f"-I{FIRMWARE / 'hal'}", f"-I{HERE}"]
    defines.append('-DCMSIS_device_header="clock_core.h"')
    return program(folder / "clock", "clock_harness.c", ["hal/clock.c"], defines)


@pytest.mark.parametrize("tick", [HANDLED, PENDING])
def test_time_goes_on_by_a_cycle_at_each_step_over_a_tick(clock: Path, tick: int) -> None:
    steps = [(0, NOTHING), (999, NOTHING), (1, NOTHING), (0, tick), (999, NOTHING), (1, NOTHING)]
    lines = say(clock, b"".join(struct.pack("<II", *step) for step in steps))
    assert lines == ["0 0", "1 0", "999 0", "1000 1", "1001 1", "1999 1"]


def test_time_stands_still_where_a_tick_was_lost(clock: Path) -> None:
    steps = [(200, NOTHING), (900, NOTHING), (300, HANDLED)]
    lines = say(clock, b"".join(struct.pack("<II", *step) for step in steps))
    assert lines == ["800 0", "800 0", "1700 1"]
