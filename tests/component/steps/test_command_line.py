# SPDX-License-Identifier: Apache-2.0
"""A step's process: specifications from JSON and options, errors in one line, crashes told."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.steps.command_line import step_class
from tests.support.project_copy import ROOT

# A step of a project of the user's: the library that it calls may end the process.
_STEP = """
import os
import tempfile
from ethosmith.core.bounded_run import max_memory_bytes
from ethosmith.core.errors import EthosmithError
from ethosmith.steps.step import Output, Step, step

@step(verb="TEST", isolated=True)
class SomeStep(Step):
    model: str
    output: Output

    def run(self):
        if self.model.isdecimal():
            os.kill(os.getpid(), int(self.model))
        if self.model == "abort":
            tempfile.mkdtemp()
            os.abort()
        if self.model == "memory":
            bytearray(max_memory_bytes())
        if self.model == "wrong":
            raise EthosmithError("no such network")
        self.output.write_text(self.model)

    def crashed(self, signal):
        return f"{self.model}: {signal}!"
"""


def _run(folder: Path, *words: str, given: str = "") -> tuple[int, str]:
    (folder / "some_step.py").write_text(_STEP, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "ethosmith", "step", *words],
        env={"PYTHONPATH": f"{folder}:{ROOT}", "TMPDIR": str(folder)},
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def test_json_and_options_mean_the_same(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    spec = {"model": "net", "output": str(one)}
    assert _run(tmp_path, "some_step", "-", given=json.dumps(spec)) == (0, "")
    assert one.read_text() == "net"
    assert _run(tmp_path, "some_step", "--model", "net", "--output", str(two)) == (0, "")
    assert two.read_text() == "net"
    one.unlink()
    assert _run(tmp_path, "some_step", json.dumps(spec)) == (0, "")
    assert one.read_text() == "net"


def test_a_crash_becomes_the_step_s_own_message(tmp_path: Path) -> None:
    spec = json.dumps({"model": "abort", "output": "out"})
    code, said = _run(tmp_path, "some_step", "-", given=spec)
    assert code == 1
    assert said.endswith("error: abort: SIGABRT! (SIGABRT)\n")
    left = {one.name for one in tmp_path.iterdir()}
    assert left <= {"some_step.py", "__pycache__"}


def test_a_signal_of_others_does_not_blame_the_input(tmp_path: Path) -> None:
    killed, terminated = (
        _run(tmp_path, "some_step", json.dumps({"model": str(int(number)), "output": "out"}))
        for number in (signal.SIGKILL, signal.SIGTERM)
    )
    assert killed[0] == terminated[0] == 1
    held = r"ended by SIGKILL when it held up to 0\.\d GiB; a system does so when its memory"
    assert re.search(rf"error: some_step .*: {held} runs out\n$", killed[1])
    assert terminated[1].endswith(": another process ended it (SIGTERM)\n")


@pytest.mark.skipif(sys.platform != "linux", reason="macOS does not count this limit")
def test_memory_is_refused_beyond_half_of_the_machine_s(tmp_path: Path) -> None:
    spec = json.dumps({"model": "memory", "output": "out"})
    code, said = _run(tmp_path, "some_step", "-", given=spec)
    wanted = "more memory was wanted than half of this machine's"
    assert (code, said.startswith(f"error: {wanted}; ")) == (1, True), said


def test_an_error_of_the_child_is_one_line(tmp_path: Path) -> None:
    spec = json.dumps({"model": "wrong", "output": "out"})
    assert _run(tmp_path, "some_step", "-", given=spec) == (1, "error: no such network\n")


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ('{"model": "a"}', "some_step needs 'output'"),
        ('{"model": 1, "output": "b"}', "'model' is 1, expected str"),
        ('{"model": "a", "output": "b", "x": 1}', "some_step has no 'x' (it has model, output)"),
        ("[]", "-: a step's specification is a JSON object"),
        ("{", "-: not JSON: "),
    ],
)
def test_a_wrong_specification_is_one_line(tmp_path: Path, spec: str, complaint: str) -> None:
    code, said = _run(tmp_path, "some_step", "-", given=spec)
    assert code == 1
    assert said.startswith(f"error: {complaint}")
    assert said.count("\n") == 1


def test_a_step_that_is_not_there_is_an_error() -> None:
    with pytest.raises(EthosmithError, match="unknown step 'quantize-network'; did you mean"):
        step_class("quantize-network")
