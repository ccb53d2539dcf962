# SPDX-License-Identifier: Apache-2.0
"""The NPU takes time, loses registers with its power and keeps to its security level."""

from __future__ import annotations

import pytest

from ethosu_model.config import AcceleratorConfig
from ethosu_model.memory import ArrayMemory, BusFault, Memory
from open_board.board_npu import CMD, PROT, RESET, STATUS, BoardNpu
from open_board.guest_memory import NpuMemory
from open_board.job import RunError
from open_board.realism import FORGIVING, STRICT, USUAL, Realism

from .conftest import RunProgram
from .fake_npu import FakeNpu

RUN, CLEAR_IRQ, POWER_OFF, STOP = 1, 2, 0xC, 16
NON_SECURE = 2
RUNNING, IN_RESET = 1, 8
QBASE, IRQ_WORD = 0x10, 0x100


class _Interrupting(FakeNpu):
    """Raises its line at the end of a job; a reset clears all words and takes the level."""

    def __init__(self, memory: Memory) -> None:
        super().__init__(memory, lambda _: self.words.update({IRQ_WORD: 1}))

    def write_register(self, offset: int, value: int) -> None:
        if offset == RESET:
            self.words.clear()
            self.words[PROT] = value
        else:
            super().write_register(offset, value)


def _npu(realism: Realism = USUAL) -> BoardNpu:
    return BoardNpu(_Interrupting(ArrayMemory()), realism)


def _reset(npu: BoardNpu, level: int = 0) -> None:
    npu.write(RESET, level)
    while npu.read(STATUS) & IN_RESET:
        pass


def test_a_job_runs_until_it_is_ended_and_then_interrupts() -> None:
    npu = _npu()
    assert npu.write(CMD, RUN)
    assert (npu.read(STATUS) & RUNNING, npu.irq) == (RUNNING, False)
    npu.finish()
    assert (npu.read(STATUS) & RUNNING, npu.irq) == (0, True)


@pytest.mark.parametrize("realism", [USUAL, FORGIVING])
def test_a_job_ends_for_a_driver_that_only_polls(realism: Realism) -> None:
    npu = _npu(realism)
    npu.write(CMD, RUN)
    reads = [npu.read(STATUS) & RUNNING for _ in range(5)]
    assert reads == ([1, 1, 1, 0, 0] if realism.npu_time else [0] * 5)


def test_stop_and_reset_end_a_job_at_once() -> None:
    npu = _npu()
    npu.write(CMD, RUN)
    npu.write(CMD, STOP)
    assert npu.irq
    _reset(npu)
    npu.write(CMD, RUN)
    _reset(npu)
    assert (npu.running, npu.irq) == (False, False)


def test_a_reset_lasts_and_takes_no_writes() -> None:
    npu = _npu()
    npu.write(RESET, 0)
    npu.write(QBASE, 16)
    assert [npu.read(STATUS) for _ in range(3)] == [IN_RESET, IN_RESET, 0]
    assert npu.read(QBASE) == 0


def test_registers_go_with_the_power_that_cmd_lets_go() -> None:
    npu = _npu()
    _reset(npu, 1)
    npu.write(QBASE, 16)  # a reset NPU stays powered until CMD is written
    assert (npu.read(QBASE), npu.read(PROT)) == (16, 1)
    npu.write(CMD, POWER_OFF)
    npu.write(QBASE, 32)
    assert (npu.read(QBASE), npu.read(PROT)) == (0, 0)
    npu.write(CMD, 0)
    npu.write(QBASE, 48)
    assert npu.read(QBASE) == 48


def test_the_non_secure_page_resets_to_non_secure_only() -> None:
    npu = _npu()
    npu.write(RESET, 1, secure=False)
    while npu.read(STATUS) & IN_RESET:
        pass
    assert npu.read(PROT) == NON_SECURE | 1


REFUSED = {
    "a register while a job runs": ([(CMD, RUN), (QBASE, 0)], "0x010 of the NPU is written while"),
    "a second job": ([(CMD, RUN), (CMD, RUN)], "a job is started while another one runs"),
    "a register in reset": ([(RESET, 0), (QBASE, 0)], "while its reset goes on"),
    "a register without power": ([(CMD, POWER_OFF), (QBASE, 0)], "written to while CMD allows"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_strict_mode_refuses_writes_that_hardware_may_lose(what: str) -> None:
    writes, reason = REFUSED[what]
    npu, usual = _npu(STRICT), _npu()
    for offset, value in writes[:-1]:
        npu.write(offset, value)
        usual.write(offset, value)
    with pytest.raises(RunError, match=reason):
        npu.write(*writes[-1])
    usual.write(*writes[-1])


def test_a_non_secure_npu_reaches_no_secure_alias() -> None:
    ram = ArrayMemory()
    ram.add(0x70000000, 64)
    ram.add(0x60000000, 64)
    memory = NpuMemory(ram, ram)
    memory.write(0x70000000, b"data")
    memory.set_non_secure(True)
    with pytest.raises(BusFault):
        memory.read(0x70000000, 4)
    with pytest.raises(BusFault):
        memory.write(0x31000000, b"data")
    assert memory.read(0x60000000, 4) == bytes(4)


def _interrupting(_: AcceleratorConfig, memory: Memory) -> FakeNpu:
    return _Interrupting(memory)


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
