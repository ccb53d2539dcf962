# SPDX-License-Identifier: Apache-2.0
"""Instructions of a call are counted, whatever timers and the NPU do to the board's clock."""

from __future__ import annotations

import pytest

from open_board.errors import BoardError
from open_board.job import Outcome
from tests.component.board.conftest import RunProgram

_WITHIN = 2
# 2 n + 1 and 2 n + 2 instructions; the first begins with a narrow one, the second with a wide one.
_FUNCTIONS = r"""
__attribute__((naked, noinline)) void counted(u32 n) {
    __asm volatile("1: subs r0, #1\n bne 1b\n bx lr");
}
__attribute__((naked, noinline)) void wide(u32 n) {
    __asm volatile("movw r1, #1\n 1: subs r0, r0, r1\n bne 1b\n bx lr");
}
__attribute__((naked, noinline)) u32 asks_the_npu(volatile u32 *npu) {
    __asm volatile("movs r1, #50\n 1: ldr r2, [r0, #4]\n subs r1, #1\n bne 1b\n bx lr");
}
"""
_SYSTICK = "REG(0xE000E014) = 319999; REG(0xE000E018) = 0; REG(0xE000E010) = 5;"


@pytest.mark.parametrize("systick", ["", _SYSTICK], ids=["no timer", "SysTick runs"])
def test_each_call_is_counted(systick: str, run_program: RunProgram) -> None:
    calls = "counted(10); counted(1000); counted(300000);"
    body = f"{_FUNCTIONS} int program(void) {{ {systick} {calls} return 0; }}"
    result = run_program(body, counted_function="counted")
    assert result.passed
    assert result.call_instructions == pytest.approx((21, 2001, 600001), abs=_WITHIN)


def test_a_wide_first_instruction_is_counted(run_program: RunProgram) -> None:
    body = f"{_FUNCTIONS} int program(void) {{ wide(100); return 0; }}"
    result = run_program(body, counted_function="wide")
    assert result.call_instructions == pytest.approx((202,), abs=_WITHIN)


def test_stops_at_the_npu_do_not_spoil_the_count(run_program: RunProgram) -> None:
    body = f"{_FUNCTIONS} int program(void) {{ {_SYSTICK} asks_the_npu(NPU); return 0; }}"
    result = run_program(body, counted_function="asks_the_npu")
    # The bridge carries the loads out, and QEMU does not count them.
    assert result.call_instructions == pytest.approx((102,), abs=_WITHIN)


def test_systick_goes_on_afterwards(run_program: RunProgram) -> None:
    waits = "u32 then = REG(0xE000E018); counted(9); while (REG(0xE000E018) == then) {} return 0;"
    body = f"{_FUNCTIONS} int program(void) {{ {_SYSTICK} {waits} }}"
    assert run_program(body, counted_function="counted").passed


def test_another_timer_that_runs_is_an_error(run_program: RunProgram) -> None:
    timer = "REG(0x4802F008) = 320; REG(0x4802F004) = 320; REG(0x4802F000) = 1;"
    body = f"{_FUNCTIONS} int program(void) {{ {timer} counted(1000); return 0; }}"
    result = run_program(body, counted_function="counted")
    assert result.outcome is Outcome.SIMULATOR_FAILED
    assert "a timer of the board other than SysTick runs" in result.reason


def test_an_unknown_function_is_told_before_the_run(run_program: RunProgram) -> None:
    body = f"{_FUNCTIONS} int program(void) {{ counted(1); return 0; }}"
    with pytest.raises(BoardError, match="no function 'count'; did you mean 'counted'"):
        run_program(body, counted_function="count")
