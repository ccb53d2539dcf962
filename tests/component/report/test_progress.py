# SPDX-License-Identifier: Apache-2.0
"""A log gets one line a step, a terminal a line that changes, and neither loses an error."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys

import pytest

from ethosmith.core.terminal import Look
from ethosmith.report.progress import Progress, Running, duration_text, running_text
from tests.support.project_copy import ROOT

_TWO_STEPS = """
import sys, threading
from ethosmith.report.progress import progress_of_this_process

progress = progress_of_this_process()
say = [sys.executable, "-c", "import time; print('said by VELA', flush=True); time.sleep(0.5)"]
fail = [sys.executable, "-c", "import sys; print('error: no such net', file=sys.stderr); exit(3)"]
vela = threading.Thread(target=progress.run, args=("VELA      kws", say, {}))
vela.start()
code = progress.run("QUANTISE  kws", fail, {})
sys.stderr.write(f"scons: *** Error {code}\\n")
vela.join()
"""


def _on_terminal(**variables: str) -> str:
    """Return all bytes that the two steps put on a terminal."""
    ours, theirs = pty.openpty()
    root = ROOT
    given = {"PATH": os.environ["PATH"], "PYTHONPATH": str(root), "TERM": "xterm", **variables}
    process = subprocess.Popen(
        [sys.executable, "-c", _TWO_STEPS], stdout=theirs, stderr=theirs, env=given
    )
    os.close(theirs)
    shown = b""
    try:
        while data := os.read(ours, 4096):
            shown += data
    except OSError:  # how Linux says that the other side has closed
        pass
    os.close(ours)
    assert process.wait() == 0, shown.decode()
    return shown.decode()


def _what_stays(shown: str) -> list[str]:
    """Return the lines that are on the screen at the end."""
    plain = re.sub(r"\x1b\[[0-9]*m", "", shown)
    return [line.rsplit("\r\x1b[K", 1)[-1] for line in plain.split("\r\n")]


def test_terminal_shows_what_runs_and_keeps_whole_lines_only() -> None:
    shown = _on_terminal(CI="")
    assert "2 running: VELA kws 0 s, QUANTISE kws 0 s" in shown
    *lines, last = _what_stays(shown)
    assert last == "", "the changing line is still there at the end"
    assert re.fullmatch(r"VELA      kws  \d\.\d s", sorted(lines)[0])
    assert {"error: no such net", "scons: *** Error 3", "said by VELA"} < set(lines)
    assert len(lines) == 4, "a step that failed has a line of its own, or a line broke"


def test_no_color_takes_the_colour_and_leaves_the_line() -> None:
    shown = _on_terminal(NO_COLOR="1")
    assert not re.search(r"\x1b\[[0-9]+m", shown)
    assert "running: " in shown


@pytest.mark.parametrize("variables", [{"CI": "true"}, {"TERM": "dumb"}])
def test_ci_and_dumb_terminals_get_plain_lines(variables: dict[str, str]) -> None:
    assert "\x1b" not in _on_terminal(**variables)


def test_file_gets_one_plain_line_a_step() -> None:
    stream = io.StringIO()
    progress = Progress(stream, Look.of(stream, {"TERM": "xterm"}))
    assert progress.run("CC        main.o", [sys.executable, "-c", ""], {}) == 0
    assert progress.run("CC        bad.o", [sys.executable, "-c", "exit(1)"], {}) == 1
    assert re.fullmatch(r"CC        main\.o  \d+\.\d s\n", stream.getvalue())


def test_many_running_steps_fit_the_width() -> None:
    running = [Running(f"CC        {'x' * 40}{i}.o", owns_terminal=False) for i in range(4)]
    text = running_text(running, 60)
    assert len(text) == 60
    assert text.startswith("4 running: CC xxx")


def test_durations_change_their_unit() -> None:
    texts = {0.04: "0.0 s", 0.55: "0.6 s", 59.94: "59.9 s", 59.96: "1 min 0 s", 3725: "62 min 5 s"}
    assert {value: duration_text(value) for value in texts} == texts


def test_a_tool_that_a_signal_ends_is_told() -> None:
    stream = io.StringIO()
    code = Progress(stream, Look(live=False, colour=False)).run(
        "VELA      kws", [sys.executable, "-c", "import os; os.abort()"], os.environ
    )
    assert code != 0
    assert stream.getvalue() == "error: VELA kws: ended by SIGABRT\n"


@pytest.mark.parametrize(
    ("elapsed_s", "expected_s", "text"),
    [
        (3, 65, "QUANTISE kws 3 s of about 1 min 5 s"),
        (70, 65, "QUANTISE kws 1 min 10 s"),
        (3, None, "QUANTISE kws 3 s"),
        (0, 0.4, "QUANTISE kws 0 s"),
    ],
)
def test_a_step_shows_how_long_it_took_the_last_time(
    monkeypatch: pytest.MonkeyPatch, elapsed_s: float, expected_s: float | None, text: str
) -> None:
    running = Running("QUANTISE  kws", owns_terminal=False, expected_s=expected_s, started_s=100.0)
    monkeypatch.setattr("time.monotonic", lambda: 100.0 + elapsed_s)
    assert running_text([running], 80) == text
