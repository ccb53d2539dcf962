# SPDX-License-Identifier: Apache-2.0
"""What a program sees of time and memory on the board."""

from __future__ import annotations

from unittest import mock

import pytest

from ethosu_model.config import AcceleratorConfig
from ethosu_model.memory import Memory
from open_board.gdb_client import GdbClient, Stop
from tests.support.board.fake_npu import FakeNpu, InterruptingNpu

from .conftest import RunProgram


def _interrupting(_: AcceleratorConfig, memory: Memory) -> FakeNpu:
    return InterruptingNpu(memory)


_WAITS = {
    "asleep": '__asm volatile("wfi");',
    "awaiting an event": '__asm volatile("wfe");',
    "asleep, wide": '__asm volatile("wfi.w");',
    "busy": "",
}


@pytest.mark.parametrize("wait", _WAITS)
def test_a_job_ends_however_the_program_waits_for_it(wait: str, run_program: RunProgram) -> None:
    """Nothing else wakes the CPU: no timer runs."""
    body = f"""
    static volatile u32 done;
    void npu_irq(void) {{ done = 1; NPU[0x40] = 0; }}
    int program(void) {{
        REG(0xE000E104) = 1u << 24;
        for (int i = 0; i < 3; i++) {{
            done = 0;
            NPU[2] = 1;
            if (done) return 1;
            while (!done) {{ {_WAITS[wait]} }}
        }}
        return 0;
    }}
    """
    result = run_program(body, _interrupting)
    assert result.passed, result.reason
    assert result.npu is not None
    assert result.npu.jobs == 3


_SLEEPER = """
static volatile u32 done, other;
void npu_irq(void) {{ done = 1; NPU[0x40] = 0; }}
int program(void) {{
    REG(0xE000E104) = 1u << 24;
    for (u32 i = 0; i < 5; i++) {{
        done = 0;
        NPU[2] = 1;
        {before}
        while (!done) {{
            __asm volatile("cpsid i");
            if (!done) __asm volatile("dsb\\n wfi");
            __asm volatile("cpsie i\\n isb");
        }}
        if (done != 1) return 1;
    }}
    return other != {others};
}}
"""


@pytest.mark.parametrize(
    ("before", "others"),
    [("", 0), ("for (u32 k = 0; k < 9; k++) other += 1 + done;", 45)],
    ids=["at once", "after other looks at the flag"],
)
def test_the_end_of_a_job_leaves_translated_code(
    before: str, others: int, run_program: RunProgram
) -> None:
    """QEMU translates all code anew after a breakpoint; one tells what is read before a sleep."""
    stopped = GdbClient._stopped
    breakpoints = []

    def note(client: GdbClient, packet: bytes) -> Stop:
        stop = stopped(client, packet)
        breakpoints.extend([stop] if stop.watch_address is None and stop.signal == 5 else [])
        return stop

    with mock.patch.object(GdbClient, "_stopped", note):
        result = run_program(_SLEEPER.format(before=before, others=others), _interrupting)
    assert result.passed, result.reason
    assert result.npu is not None
    assert result.npu.jobs == 5
    assert len(breakpoints) == 1


def test_memory_begins_with_the_fast_models_pattern(run_program: RunProgram) -> None:
    body = """
    static int found(u32 address) {
        return REG(address) == 0xdfdfdfcf && REG(address + 4) == 0xcfdfdfdf;
    }
    int program(void) {
        const u32 places[] = {0x0007fff8, 0x20040000, 0x11000000, 0x111ffff8, 0x31000000,
                              0x313ffff8, 0x60000000, 0x70000000, 0x90000000, 0x92000000,
                              0x93000000};
        for (u32 i = 0; i < sizeof places / 4; i++)
            if (!found(places[i])) return (int)i + 1;
        return 0;
    }
    """
    assert run_program(body).exit_code == 0


def test_timing_adapters_keep_what_is_written(run_program: RunProgram) -> None:
    body = """
    int program(void) {
        volatile u32 *second = (volatile u32 *)0x58103200;
        second[0] = 24; second[14] = 1; second[11] = 5;
        return !(second[0] == 24 && second[14] == 0x1117 && second[11] == 0
                 && REG(0x48103238) == 0x1117 && REG(0x58103000) == 0);
    }
    """
    result = run_program(body)
    assert (result.exit_code, result.timing_adapters) == (0, ("AXI1: MAXR 24",))
