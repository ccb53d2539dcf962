# SPDX-License-Identifier: Apache-2.0
"""Every end of a program is told apart, and only EOT with exit code 0 is a pass."""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ethosu_model.config import AcceleratorConfig
from ethosu_model.memory import Memory
from open_board.board import find_board
from open_board.errors import BoardError
from open_board.job import BoardJob, BoardResult, DataFile, Dump, Outcome
from open_board.open_board import OpenBoard
from tests.component.board.conftest import U55, RunProgram
from tests.support.board import programs
from tests.support.board.fake_npu import FakeNpu, remembering


def test_eot_and_code_0_pass(run_program: RunProgram) -> None:
    result = run_program(programs.PASSING)

    assert result.passed
    assert (result.outcome, result.exit_code, result.uart) == (Outcome.EXITED, 0, b"hello\n")


def test_other_exit_codes_do_not_pass(run_program: RunProgram) -> None:
    result = run_program("int program(void) { return 7; }")

    assert (result.outcome, result.exit_code, result.passed) == (Outcome.EXITED, 7, False)


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome != Outcome.EXITED])
def test_no_other_outcome_passes_whatever_the_code(outcome: Outcome) -> None:
    assert not BoardResult(outcome, "any", exit_code=0).passed
    assert not BoardResult(Outcome.EXITED, "any").passed


def test_missing_exit_code_is_a_failure(run_program: RunProgram) -> None:
    result = run_program("int program(void) { put(4); for (;;) {} }")

    assert (result.outcome, result.passed) == (Outcome.NO_EXIT_CODE, False)


def test_hang_ends_at_the_time_limit_and_says_where(run_program: RunProgram) -> None:
    result = run_program(programs.HANGING, time_limit_s=1.0)

    assert result.outcome is Outcome.TIME_LIMIT
    assert result.uart == b"hello\n"
    assert "thread mode" in result.reason
    assert "in program" in result.reason
    assert result.wall_time_s < 8


def test_sleep_for_ever_ends_at_the_time_limit(run_program: RunProgram) -> None:
    body = 'int program(void) { for (;;) __asm volatile("cpsid i\\n wfi"); }'

    assert run_program(body, time_limit_s=1.0).outcome is Outcome.TIME_LIMIT


def test_endless_polling_of_the_npu_ends_at_the_time_limit(run_program: RunProgram) -> None:
    result = run_program("int program(void) { while (!NPU[1]) {} return 0; }", time_limit_s=1.0)

    assert result.outcome is Outcome.TIME_LIMIT
    assert result.wall_time_s < 8


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ('__asm volatile("udf #0");', "undefined instruction"),
        ('__asm volatile("bkpt 0xab");', "breakpoint instruction"),
        ("REG(0xF0000000) = 1;", "bus error"),
        ("(void)REG(0x80000);", "bus error, at address 0x00080000"),  # behind the ITCM
        ("(void)REG(0x49400000);", "bus error, at address 0x49400000"),  # between peripherals
        ("((void (*)(void))0x10)();", "invalid state"),
    ],
)
def test_fault_handler_that_hangs_is_named_long_before_the_time_limit(
    body: str, cause: str, run_program: RunProgram
) -> None:
    result = run_program(f"int program(void) {{ {body} return 0; }}", time_limit_s=30.0)

    assert result.outcome is Outcome.FAULT
    assert "HardFault" in result.reason
    assert cause in result.reason
    assert "hard_fault" in result.reason
    assert result.wall_time_s < 15


def test_fault_handler_that_reports_and_ends_is_heard(run_program: RunProgram) -> None:
    body = """
    void hard_fault(void) { print("fault: HardFault\\n"); end(3); }
    int program(void) { __asm volatile("udf #0"); return 0; }
    """
    result = run_program(body)

    assert (result.outcome, result.exit_code) == (Outcome.EXITED, 3)
    assert result.uart == b"fault: HardFault\n"


def test_lock_up_is_named(run_program: RunProgram) -> None:
    body = """
    void hard_fault(void) { __asm volatile("udf #0"); }
    int program(void) { print("before\\n"); __asm volatile("udf #0"); return 0; }
    """
    result = run_program(body)

    assert result.outcome is Outcome.LOCK_UP
    assert "locked up" in result.reason
    assert result.uart == b"before\n"


def test_reset_is_named(run_program: RunProgram) -> None:
    result = run_program("int program(void) { REG(0xE000ED0C) = 0x05FA0004; for (;;) {} }")

    assert result.outcome is Outcome.RESET


def test_npu_interrupt_reaches_the_handler_and_can_be_cleared(run_program: RunProgram) -> None:
    body = """
    static volatile u32 count;
    void npu_irq(void) { count++; NPU[0x40] = 0; }
    int program(void) {
        REG(0xE000E104) = 1u << 24;
        NPU[0x40] = 1;
        while (count == 0) {}
        NPU[0x40] = 1;
        while (count == 1) {}
        for (volatile int i = 0; i < 1000; i++) {}
        return count == 2 ? 0 : 1;
    }
    """
    assert run_program(body).passed


def test_npu_shares_memory_with_the_cpu(run_program: RunProgram) -> None:
    """CPU to NPU and back through SRAM, BRAM and DDR, at both aliases, job after job."""

    def copy_around(memory: Memory) -> None:
        word = memory.read(0x21000010, 4)
        for address in (0x31200004, 0x01000FFE, 0x70000000, 0x60000008, 0x31001004):
            memory.write(address, word)

    body = """
    static int check(u32 value) {
        REG(0x31000010) = value; run_npu();
        return REG(0x21200004) == value && REG(0x70000000) == value && REG(0x60000008) == value
            && *(volatile unsigned short *)0x11000ffe == (unsigned short)value
            && *(volatile unsigned short *)0x11001000 == value >> 16
            && REG(0x31001004) == value && REG(0x31001000) == 0x55555555;
    }
    int program(void) {
        REG(0x31001000) = 0x55555555;
        return !(check(0x12345678) && check(0x9abcdef0));
    }
    """
    result = run_program(body, lambda _, memory: FakeNpu(memory, copy_around))

    assert result.passed
    assert result.npu is not None
    assert result.npu.jobs == 2


def test_npu_job_that_takes_too_long_ends_at_the_time_limit(run_program: RunProgram) -> None:
    def read_for_ever(memory: Memory) -> None:
        while True:
            memory.read(0x31000000, 4)

    result = run_program(
        "int program(void) { NPU[2] = 1; return 0; }",
        lambda _, memory: FakeNpu(memory, read_for_ever),
        time_limit_s=1.0,
    )

    assert result.outcome is Outcome.TIME_LIMIT


def test_data_is_there_at_the_start_and_dumps_show_the_end(
    run_program: RunProgram, tmp_path: Path
) -> None:
    data = tmp_path / "in, put.bin"
    data.write_bytes(bytes(range(200)))
    places = (0x90000000, 0x31000003, 0x01000000, 0x20001000)
    body = """
    int program(void) {
        REG(0x90000000) += 1; REG(0x01000000) += 2; REG(0x20001000) += 3;
        return *(u8 *)0x31000005 - 2;
    }
    """
    dumps = tuple(Dump(tmp_path / f"{place:x}", place, 200) for place in places)

    result = run_program(body, data=tuple(DataFile(data, place) for place in places), dumps=dumps)

    assert result.passed
    for added, dump in zip((1, 0, 2, 3), dumps, strict=True):
        expected = bytearray(range(200))
        expected[0] += added
        assert dump.path.read_bytes() == expected


def test_failed_run_writes_no_dump(run_program: RunProgram, tmp_path: Path) -> None:
    dump = Dump(tmp_path / "dump", 0x90000000, 4)

    run_program(programs.HANGING, time_limit_s=0.5, dumps=(dump,))

    assert not dump.path.exists()


def test_raw_images_boot_from_address_0(tmp_path: Path) -> None:
    folder = tmp_path / "a folder, with a comma"
    folder.mkdir()
    image = programs.raw_image(programs.build(folder, programs.PASSING))
    job = BoardJob(U55, images=(DataFile(image, 0), DataFile(image, 0x70000000)))

    assert OpenBoard(make_npu=remembering).run(job).passed


def test_two_runs_give_the_same_clock(run_program: RunProgram) -> None:
    """A program that prints SysTick after some NPU accesses and an interrupt."""
    body = """
    static volatile u32 served;
    void npu_irq(void) { served = 1; NPU[0x40] = 0; }
    int program(void) {
        REG(0xE000E014) = 0xffffff; REG(0xE000E018) = 0; REG(0xE000E010) = 5;
        REG(0xE000E104) = 1u << 24;
        for (volatile int i = 0; i < 5000; i++) {}
        NPU[0x40] = 1;
        while (!served) {}
        u32 now = REG(0xE000E018);
        for (u32 i = 0; i < 8; i++) put("0123456789abcdef"[now >> 4 * i & 15]);
        return 0;
    }
    """
    first, second = run_program(body), run_program(body)

    assert first.passed
    assert first.uart == second.uart
    assert first.uart != b"ffffff00"


def test_missing_program_is_the_callers_error(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match=r"cannot read .*nothing\.axf"):
        OpenBoard().run(BoardJob(U55, tmp_path / "nothing.axf"))


def test_program_that_is_no_elf_is_the_callers_error(tmp_path: Path) -> None:
    text = tmp_path / "text.axf"
    text.write_text("not a program")

    with pytest.raises(BoardError, match="is not an ELF file for Arm"):
        OpenBoard().run(BoardJob(U55, text))


def test_data_outside_of_memory_is_the_callers_error(tmp_path: Path) -> None:
    axf = programs.build(tmp_path, programs.PASSING)
    data = tmp_path / "data"
    data.write_bytes(bytes(32))

    with pytest.raises(BoardError, match="does not fit at 0x313ffff0"):
        OpenBoard().run(BoardJob(U55, axf, data=(DataFile(data, 0x313FFFF0),)))


def _script(folder: Path, text: str) -> Path:
    script = folder / "qemu"
    script.write_text(f"#!/bin/sh\n{text}\n")
    script.chmod(0o755)
    return script


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("echo 'qemu-system-arm: unsupported machine type' >&2; exit 1", "QEMU 7.0.0 or newer"),
        ("echo 'qemu-system-arm: cannot set up guest memory' >&2; exit 1", "cannot set up guest"),
        ("kill -SEGV $$", "signal 11"),
        ("exit 3", "status 3"),
    ],
)
def test_qemu_that_does_not_start_is_named(
    text: str, named: str, run_program: RunProgram, tmp_path: Path
) -> None:
    result = run_program(programs.PASSING, qemu=_script(tmp_path, text))

    assert result.outcome is Outcome.SIMULATOR_FAILED
    assert named in result.reason


_OLD_QEMU = """\
import os, re, sys, time
channel = int(re.search(r"id=qmp,fd=(\\d+)", " ".join(sys.argv))[1])
version = b'{"major": 6, "minor": 2, "micro": 0}'
os.write(channel, b'{"QMP": {"version": {"qemu": %b}}}\\n' % version)
os.read(channel, 100)
os.write(channel, b'{"return": {}}\\n')
time.sleep(100)
"""


def test_old_qemu_is_named(run_program: RunProgram, tmp_path: Path) -> None:
    old = tmp_path / "old.py"
    old.write_text(_OLD_QEMU)
    qemu = _script(tmp_path, f'exec "{sys.executable}" "{old}" "$@"')

    result = run_program(programs.PASSING, qemu=qemu)

    assert result.outcome is Outcome.SIMULATOR_FAILED
    assert "QEMU 6.2.0 is too old; version 7.0.0 or newer" in result.reason


def test_qemu_that_says_nothing_fails_within_the_time_limit(
    run_program: RunProgram, tmp_path: Path
) -> None:
    result = run_program(
        programs.PASSING, qemu=_script(tmp_path, "exec sleep 100"), time_limit_s=1.0
    )

    assert result.outcome is Outcome.SIMULATOR_FAILED
    assert "did not answer" in result.reason
    assert result.wall_time_s < 8


def test_missing_qemu_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    axf = programs.build(tmp_path, programs.PASSING)
    monkeypatch.setenv("PATH", str(tmp_path))

    result = OpenBoard().run(BoardJob(U55, axf))

    assert result.outcome is Outcome.SIMULATOR_FAILED
    assert "qemu-system-arm is not on PATH" in result.reason


@pytest.mark.parametrize("moment", ["while the CPU runs", "within an NPU access"])
def test_qemu_killed_in_mid_run_is_named(
    moment: str, run_program: RunProgram, tmp_path: Path
) -> None:
    pid_file = tmp_path / "pid"
    qemu = _script(tmp_path, f'echo $$ >"{pid_file}"; exec qemu-system-arm "$@"')

    def kill(memory: Memory) -> None:
        os.kill(int(pid_file.read_text()), signal.SIGKILL)
        if moment == "while the CPU runs":
            time.sleep(0.2)
        else:
            memory.read(0x31000000, 4)

    def make_npu(_: AcceleratorConfig, memory: Memory) -> FakeNpu:
        return FakeNpu(memory, kill)

    result = run_program(
        'int program(void) { print("started"); NPU[2] = 1; for (;;) {} }', make_npu, qemu
    )

    assert result.outcome is Outcome.SIMULATOR_FAILED
    assert "signal 9" in result.reason
    assert result.uart == b"started"


def test_frozen_qemu_fails_within_the_time_limit(run_program: RunProgram, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    qemu = _script(tmp_path, f'echo $$ >"{pid_file}"; exec qemu-system-arm "$@"')

    def freeze(_: Memory) -> None:
        os.kill(int(pid_file.read_text()), signal.SIGSTOP)

    result = run_program(
        "int program(void) { NPU[2] = 1; return 0; }",
        lambda _, memory: FakeNpu(memory, freeze),
        qemu,
        time_limit_s=1.5,
    )

    assert result.outcome is Outcome.SIMULATOR_FAILED
    assert "did not answer" in result.reason
    assert result.wall_time_s < 15


def test_memory_is_shared_where_there_is_no_memfd(
    run_program: RunProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on macOS, where DDR is a file without a name."""
    monkeypatch.delattr(os, "memfd_create", raising=False)

    def add_one(memory: Memory) -> None:
        word = int.from_bytes(memory.read(0x70000000, 4), "little") + 1
        memory.write(0x70000000, word.to_bytes(4, "little"))

    result = run_program(
        "int program(void) { REG(0x70000000) = 41; run_npu(); return REG(0x70000000) != 42; }",
        lambda _, memory: FakeNpu(memory, add_one),
    )

    assert result.passed


def test_a_boards_constants_are_read_in_place_of_what_qemu_has(run_program: RunProgram) -> None:
    """CPUID and two registers of the SCC block, one of them as a half-word; writes do nothing."""
    board = replace(find_board(), cpu_midr=0x411FD230, constants={0x49300010: 25_000_000})
    result = run_program(
        """
        int program(void) {
            if (REG(0xE000ED00) != 0x411fd230) return 1;
            REG(0x49300010) = 1;
            if (REG(0x49300010) != 25000000) return 2;
            if (*(volatile unsigned short *)0x49300012 != 25000000 >> 16) return 3;
            return 0;
        }
        """,
        board=board,
    )
    assert result.exit_code == 0, result.reason
