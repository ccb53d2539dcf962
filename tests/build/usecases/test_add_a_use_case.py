# SPDX-License-Identifier: Apache-2.0
"""docs/add-a-use-case.md, followed to the letter."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.support.project_copy import ROOT, ProjectCopy

_DOCUMENT = (ROOT / "docs" / "add-a-use-case.md").read_text("utf-8")
# A path in backquotes and a colon, then the file's text.
_FILE = re.compile(r"^`([^`]+)`:\n\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)
_COMMANDS = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SHOWN = re.compile(r"^```text\n(.*?)^```", re.MULTILINE | re.DOTALL)
_MAX_LINES = 60


def test_it_takes_less_than_sixty_lines() -> None:
    lines = [line for _, text in _FILE.findall(_DOCUMENT) for line in text.splitlines()]
    assert 0 < len([line for line in lines if line.strip()]) < _MAX_LINES


@pytest.mark.slow
def test_a_reader_who_follows_it_sees_what_it_shows(tmp_path: Path) -> None:
    project = ProjectCopy.fresh(tmp_path / "project").cached()
    files = dict(_FILE.findall(_DOCUMENT))
    assert len(files) == 2
    for path, text in files.items():
        assert not (project.root / path).exists()
        project.write(path, text)
    (commands,) = _COMMANDS.findall(_DOCUMENT)
    for command in commands.splitlines():
        program, *words = shlex.split(command)
        assert program == "./scons"
        outcome = project.build(*words)
    for line in "".join(_SHOWN.findall(_DOCUMENT)).splitlines():
        assert line in outcome.stdout, outcome.stdout
