# SPDX-License-Identifier: Apache-2.0
"""`scons -h` stays on one screen and tells everything; docs/command-line.md says the same."""

from __future__ import annotations

from pathlib import Path

from ethosmith.graph.help import help_text, reference
from ethosmith.graph.options import GROUPS, OPTIONS, TARGETS
from ethosmith.graph.project import Project
from tests.support.project_copy import ROOT, ProjectCopy

_LINES, _COLUMNS = 40, 80
# SCons adds an empty line and one about its own options.
_OF_SCONS = 2


def test_help_fits_on_a_screen_and_leaves_nothing_out() -> None:
    project = Project(ROOT)
    text = help_text(project.usecase_names)
    lines = text.splitlines()
    assert len(lines) + _OF_SCONS <= _LINES
    assert max(map(len, lines)) <= _COLUMNS
    for word in (*(f"{option.name}=" for option in OPTIONS), *(t.name for t in TARGETS)):
        assert sum(f" {word}" in line for line in lines) >= 1, word
    assert {option.group for option in OPTIONS} == set(GROUPS)


def test_every_variable_s_default_is_in_the_help() -> None:
    text = help_text(())
    for option in OPTIONS:
        assert f"  {option.name}={option.default}" in text


def test_the_command_line_s_reference_is_current() -> None:
    assert (ROOT / "docs" / "command-line.md").read_text("utf-8") == reference(), (
        "run python -m ethosmith schemas"
    )


def test_list_names_what_the_variables_take(tmp_path: Path) -> None:
    shown = ProjectCopy.fresh(tmp_path / "a project").build("list").stdout
    project = Project(ROOT)
    for name in (*project.usecase_names, *project.platform_names, *project.toolchain_names):
        assert any(line.startswith(f"  {name}  ") for line in shown.splitlines()), name
    for name in project.repository_names:
        assert f"  {name}_dir=" in shown
    assert max(map(len, shown.splitlines())) <= _COLUMNS
