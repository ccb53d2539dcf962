# SPDX-License-Identifier: Apache-2.0
"""The NPU takes time, loses registers with its power and keeps to its security level."""

from __future__ import annotations

import pytest

from ethosu_model.memory import ArrayMemory, BusFault
from open_board.board_npu import CMD, PROT, RESET, STATUS, BoardNpu
from open_board.guest_memory import NpuMemory
from open_board.job import RunError
from open_board.realism import FORGIVING, STRICT, USUAL, Realism
from tests.support.board.fake_npu import InterruptingNpu

RUN, CLEAR_IRQ, POWER_OFF, STOP = 1, 2, 0xC, 16
NON_SECURE = 2
RUNNING, IN_RESET = 1, 8
QBASE = 0x10


def _npu(realism: Realism = USUAL) -> BoardNpu:
    return BoardNpu(InterruptingNpu(ArrayMemory()), realism)


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
