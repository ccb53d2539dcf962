# SPDX-License-Identifier: Apache-2.0
"""A limit ends programs that compute or wait for ever, and none that a busy machine delays."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from ethosmith.core.bounded_run import Meter, computing, run_within
from ethosmith.core.errors import EthosmithError

_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked at in /proc")


def _python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_large_input_and_output_pass_whole() -> None:
    # More than a pipe holds, taken after the first look at the program.
    code = "import sys, time; time.sleep(1.3); sys.stdout.buffer.write(sys.stdin.buffer.read())"
    given = os.urandom(1 << 20)
    done = run_within(_python(code), 20, given=given)
    assert (done.returncode, done.stdout, done.stderr) == (0, given, b"")


def test_status_and_messages_are_returned(tmp_path: Path) -> None:
    code = "import os, sys; sys.stderr.write(os.getcwd() + os.environ['WHO']); sys.exit(3)"
    done = run_within(_python(code), 20, folder=tmp_path, environment={"WHO": " me"})
    assert (done.returncode, done.stderr.decode()) == (3, f"{tmp_path} me")


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("while True: pass", id="computes"),
        pytest.param("import time; time.sleep(1000)", id="waits"),
        pytest.param("import subprocess; subprocess.run(['sleep', '1234567'])", id="child"),
    ],
)
@_LINUX
def test_a_program_without_end_is_ended(code: str) -> None:
    with pytest.raises(EthosmithError, match=r"no end after 0\.5 s of computing or waiting"):
        run_within(_python(code), 0.5)
    assert b"1234567" not in b"".join(map(_command_line, Path("/proc").glob("[0-9]*")))


def _command_line(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


def test_a_program_that_never_stops_writing_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ethosmith.core.bounded_run._MAX_OUTPUT_BYTES", 1 << 20)
    code = "import sys\nwhile True: sys.{}.write('y' * 4096)"
    for stream in ("stdout", "stderr"):
        with pytest.raises(EthosmithError, match=r": writes more than 1 MiB; stopped$"):
            run_within(_python(code.format(stream)), 60)


@_LINUX
def test_a_program_that_closed_its_output_is_waited_for() -> None:
    code = "import os, time; os.close(1); os.close(2); time.sleep(0.3); os._exit(5)"
    assert run_within(_python(code), 20).returncode == 5
    with pytest.raises(EthosmithError, match=r"no end after 0\.5 s"):
        run_within(_python(code.replace("0.3", "1000")), 0.5)


def test_a_missing_program_is_an_error_of_one_line() -> None:
    with pytest.raises(EthosmithError, match=r"^/no/such: cannot be run: .*No such file"):
        run_within(["/no/such"], 1)


def _used(*looks: tuple[float, float, bool]) -> float:
    """Return what is used after looks of (seconds on the clock, seconds computed, ready)."""
    times = iter([0.0, *(clock_s for clock_s, _, _ in looks)])
    answers = iter([(computed_s, ready) for _, computed_s, ready in looks])
    meter = Meter(1, clock=lambda: next(times), look=lambda _: next(answers))
    return [meter.used_s() for _ in looks][-1]


def test_waiting_for_a_processor_does_not_count() -> None:
    assert _used((1, 0.0, True), (2, 0.01, True), (3, 0.01, True)) == pytest.approx(0.01)


def test_waiting_for_something_else_counts() -> None:
    assert _used((1, 0.0, False), (2, 0.0, False)) == pytest.approx(2)


def test_computing_now_and_then_counts_in_part() -> None:
    assert _used((1, 0.01, False), (2, 0.02, False)) == pytest.approx(0.2)


def test_a_pause_of_this_process_counts_once() -> None:
    assert _used((1000, 0.0, False)) == pytest.approx(5)


def test_without_knowledge_of_processes_the_clock_counts_in_part() -> None:
    times = iter([0.0, 1.0, 2.0])
    meter = Meter(1, clock=lambda: next(times), look=lambda _: None)
    assert [meter.used_s(), meter.used_s()] == pytest.approx([0.1, 0.2])


@_LINUX
def test_a_stopped_program_counts_as_waiting_and_a_busy_one_as_ready() -> None:
    pid = os.fork()
    if pid == 0:
        while True:
            pass
    try:
        time.sleep(0.1)
        before = computing(pid)
        os.kill(pid, signal.SIGSTOP)
        time.sleep(0.1)
        after = computing(pid)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    assert before is not None
    assert after is not None
    assert (before[1], after[1]) == (True, False)
    assert after[0] >= before[0] > 0
    assert computing(pid) is None


@_LINUX
def test_children_of_threads_are_counted() -> None:
    found: list[tuple[float, bool] | None] = []

    def run() -> None:
        with contextlib.suppress(EthosmithError):
            run_within(_python("while True: pass"), 1.2)

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(0.7)
    found.append(computing(os.getpid()))
    thread.join()
    assert found[0] is not None
    assert found[0][1]
