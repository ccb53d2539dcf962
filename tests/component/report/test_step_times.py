# SPDX-License-Identifier: Apache-2.0
"""A step's time is that of its own latest run, and nothing breaks for want of it."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ethosmith.core.terminal import Look
from ethosmith.report.progress import Progress
from ethosmith.report.step_runs import AnnouncedSteps, StepTimes


def test_a_later_build_replaces_what_it_ran_and_keeps_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "build" / "step_times.json"
    for noted in ({"a.o": 1.234, "b.o": 2.0}, {"b.o": 0.5}):
        times = StepTimes(path)
        for output, duration_s in noted.items():
            times.note(output, duration_s)
    assert json.loads(path.read_text()) == {"a.o": 1.23, "b.o": 0.5}


@pytest.mark.parametrize("content", ["", "[1]", '{"a.o": "soon"}', "\udcff"])
def test_a_file_that_is_none_holds_no_times(tmp_path: Path, content: str) -> None:
    path = tmp_path / "step_times.json"
    path.write_bytes(content.encode(errors="surrogateescape"))
    times = StepTimes(path)
    assert times.all() == {}
    times.note("a.o", 1.0)
    assert times.all() == {"a.o": 1.0}


def test_only_a_step_that_was_announced_and_succeeded_is_noted(tmp_path: Path) -> None:
    times = StepTimes(tmp_path / "step_times.json")
    progress = Progress(io.StringIO(), Look(live=False, colour=False))
    steps = AnnouncedSteps(progress, times, at_once=False)
    env = SimpleNamespace(GetOption=lambda name: False)  # noqa: ARG005
    for output, code in (("good.o", 0), ("bad.o", 1)):
        steps.announce(f"CC        {output}", [output], [], env)
        steps.run([sys.executable, "-c", f"exit({code})"], os.environ)
    steps.run([sys.executable, "-c", ""], os.environ)
    assert set(times.all()) == {"good.o"}
