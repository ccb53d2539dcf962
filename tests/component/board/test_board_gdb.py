# SPDX-License-Identifier: Apache-2.0
"""Debug a program with a raw gdb client while the NPU is served."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from open_board.debugger import DebugPort
from open_board.gdb_packet import PacketReader, frame
from open_board.job import BoardJob, BoardResult, Outcome
from open_board.open_board import MakeNpu, OpenBoard
from tests.component.board.conftest import U55
from tests.support.board import programs
from tests.support.board.fake_npu import FakeNpu, remembering

_PROGRAM = """
__attribute__((noinline)) void marker(u32 value) { REG(0x31000000) = value; }
int program(void) {
    NPU[0x10] = 0x1234;
    marker(NPU[0x10] + 1);
    __asm volatile("nop");
    return REG(0x31000000) == 0x1235 ? 0 : 1;
}
"""


class _Gdb:
    """The user's gdb, as far as packets go."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._reader = PacketReader()

    def send(self, payload: bytes) -> None:
        self._socket.sendall(b"+" + frame(payload))

    def answer(self) -> bytes:
        while (payload := self._reader.next()) is None:
            data = self._socket.recv(4096)
            assert data, "the server closed the connection"
            self._reader.feed(data)
        return payload

    def ask(self, payload: bytes) -> bytes:
        self.send(payload)
        return self.answer()

    def interrupt(self) -> None:
        self._socket.sendall(b"\x03")

    def pc(self) -> int:
        words = bytes.fromhex(self.ask(b"g").decode())
        return int.from_bytes(words[60:64], "little")

    def close(self) -> None:
        self._socket.close()


class _Debugged:
    """A program on the board in another thread, with a debugger connected."""

    def __init__(
        self, axf: Path, time_limit_s: float | None = 20.0, make_npu: MakeNpu = remembering
    ) -> None:
        self._port = DebugPort(0)
        board = OpenBoard(make_npu=make_npu, debug_port=self._port)
        self._results: list[BoardResult] = []
        job = BoardJob(U55, axf, time_limit_s=time_limit_s)
        self._thread = threading.Thread(target=lambda: self._results.append(board.run(job)))
        self._thread.start()
        self.gdb = _Gdb(self._port.port)

    def result(self) -> BoardResult:
        self._thread.join(20)
        return self._results[0]

    def close(self) -> None:
        self.gdb.close()
        self._thread.join(20)
        self._port.close()


@pytest.fixture
def axf(tmp_path: Path) -> Path:
    return programs.build(tmp_path, _PROGRAM)


@pytest.fixture
def debugged(axf: Path) -> Iterator[_Debugged]:
    session = _Debugged(axf)
    yield session
    session.close()


def _symbol(axf: Path, name: str) -> int:
    from ethosmith.images.elf import read_image, read_symbols

    return read_symbols(read_image(axf)).addresses[name]


def test_program_waits_at_reset_and_runs_on_continue(debugged: _Debugged, axf: Path) -> None:
    gdb = debugged.gdb
    assert gdb.ask(b"qSupported:multiprocess+").startswith(b"PacketSize=")
    assert gdb.ask(b"?").startswith(b"T05")
    assert gdb.pc() == _symbol(axf, "reset")

    assert gdb.ask(b"c") == b"W00"

    assert debugged.result().passed


def test_breakpoint_stops_after_the_npu_was_served(debugged: _Debugged, axf: Path) -> None:
    gdb = debugged.gdb
    gdb.ask(b"?")
    gdb.ask(b"qXfer:features:read:target.xml:0,ffb")
    assert gdb.ask(b"Z0,%x,2" % _symbol(axf, "marker")) == b"OK"

    stop = gdb.ask(b"vCont;c")

    assert stop.startswith(b"T05")
    assert gdb.pc() == _symbol(axf, "marker")
    assert gdb.ask(b"g")[:8] == b"35120000"  # r0 holds what the NPU answered, plus one
    assert gdb.ask(b"z0,%x,2" % _symbol(axf, "marker")) == b"OK"
    gdb.send(b"vCont;c")
    assert debugged.result().passed


def test_steps_pass_over_npu_accesses_one_instruction_at_a_time(
    debugged: _Debugged, axf: Path
) -> None:
    gdb = debugged.gdb
    gdb.ask(b"?")
    gdb.ask(b"Z0,%x,2" % _symbol(axf, "program"))
    gdb.ask(b"c")
    gdb.ask(b"z0,%x,2" % _symbol(axf, "program"))

    seen = [gdb.pc()]
    while seen[-1] != _symbol(axf, "marker"):
        assert gdb.ask(b"s").startswith(b"T05")
        seen.append(gdb.pc())
        assert len(seen) < 30

    assert all(0 < after - before <= 4 for before, after in pairwise(seen[:-1]))
    gdb.send(b"c")
    assert debugged.result().passed


@pytest.mark.parametrize(
    ("kind", "key", "stops"), [(b"2", b"watch", 1), (b"3", b"rwatch", 1), (b"4", b"awatch", 2)]
)
def test_users_own_watchpoint_on_a_register_is_reported(
    kind: bytes, key: bytes, stops: int, debugged: _Debugged
) -> None:
    """The program writes the register once and reads it once."""
    gdb = debugged.gdb
    gdb.ask(b"?")
    assert gdb.ask(b"Z%b,58102040,4" % kind) == b"OK"

    for _ in range(stops):
        assert gdb.ask(b"c") == b"T05thread:01;%b:58102040;" % key
        assert gdb.ask(b"m58102040,4") == b"34120000"  # as the NPU has it
    assert gdb.ask(b"c") == b"W00"


def test_debugger_reads_the_npus_registers(debugged: _Debugged) -> None:
    gdb = debugged.gdb
    gdb.ask(b"?")
    assert gdb.ask(b"m48102040,8") == b"0000000000000000"
    assert gdb.ask(b"X58102040,4:\x01\x02\x03\x04") == b"E01"  # writes are not passed on


def test_interrupt_stops_a_running_program_and_kill_ends_it(tmp_path: Path) -> None:
    session = _Debugged(programs.build(tmp_path, programs.HANGING), time_limit_s=None)
    try:
        gdb = session.gdb
        gdb.ask(b"?")
        gdb.send(b"c")
        gdb.interrupt()
        assert gdb.answer().startswith(b"T02")
        assert gdb.ask(b"m0,4") != b""
        gdb.send(b"k")
        result = session.result()
    finally:
        session.close()

    assert (result.outcome, result.passed) == (Outcome.STOPPED, False)


def _run_for(gdb: _Gdb, time_s: float) -> bytes:
    gdb.send(b"c")
    time.sleep(time_s)
    with contextlib.suppress(OSError):  # the program may have ended meanwhile
        gdb.interrupt()
    return gdb.answer()


def test_interrupts_lose_no_access_of_a_program_that_polls(tmp_path: Path) -> None:
    """Every read answers one more than the last; a read that QEMU makes itself answers 0."""
    body = """
    int program(void) {
        for (u32 last = 0; last < 2500; last++)
            if (NPU[0x10] != last + 1 || NPU[0x11] != last + 1) return 1;
        return 0;
    }
    """

    class Counting(FakeNpu):
        def read_register(self, offset: int) -> int:
            if offset == 0x40:
                self.words[0x44] = self.words.get(0x44, 0) + 1
            return self.words[0x44]

    session = _Debugged(programs.build(tmp_path, body), make_npu=lambda _, memory: Counting(memory))
    try:
        session.gdb.ask(b"?")
        stops = [_run_for(session.gdb, 0.001)]
        while stops[-1] != b"W00":
            stops.append(_run_for(session.gdb, len(stops) % 7 / 1000))
        assert session.result().passed
        assert len(stops) > 10
    finally:
        session.close()


def test_program_runs_on_when_the_debugger_detaches(debugged: _Debugged) -> None:
    debugged.gdb.ask(b"?")
    assert debugged.gdb.ask(b"D") == b"OK"

    assert debugged.result().passed


def test_vanished_debugger_ends_the_run(debugged: _Debugged) -> None:
    debugged.gdb.ask(b"?")
    debugged.gdb.close()

    result = debugged.result()

    assert (result.outcome, result.passed) == (Outcome.STOPPED, False)


def test_debugger_that_never_comes_ends_at_the_time_limit(axf: Path) -> None:
    port = DebugPort(0)
    board = OpenBoard(make_npu=remembering, debug_port=port)

    result = board.run(BoardJob(U55, axf, time_limit_s=0.5))

    assert result.outcome is Outcome.TIME_LIMIT
    port.close()
