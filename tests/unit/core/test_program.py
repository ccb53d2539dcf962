# SPDX-License-Identifier: Apache-2.0
"""A library that ends its process leaves a step with one line to say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_STEP = """
import os, sys
from ethosmith.core.program import run_step_in_child
from ethosmith.core.errors import EthosmithError

def step(argv):
    if argv[0] == "abort":
        os.abort()
    raise EthosmithError(f"{argv[0]}: no such network")

if __name__ == "__main__":
    sys.exit(run_step_in_child("some_step", step, lambda argv, name: f"{argv[1]}: {name}!"))
"""


def _run(folder: Path, *argv: str) -> tuple[int, str]:
    (folder / "some_step.py").write_text(_STEP, "utf-8")
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "some_step", *argv],
        env={"PYTHONPATH": f"{folder}:{root}"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def test_a_crash_becomes_the_step_s_own_message(tmp_path: Path) -> None:
    assert _run(tmp_path, "abort", "a.h5") == (1, "error: a.h5: SIGABRT! (SIGABRT)\n")


def test_other_errors_and_codes_pass_through(tmp_path: Path) -> None:
    assert _run(tmp_path, "a.h5") == (1, "error: a.h5: no such network\n")
