# SPDX-License-Identifier: Apache-2.0
"""compile_commands.json is there without a build, and each of its commands works."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ethosmith.toolchains.compile_commands import CompileCommand, update, write
from tests.support.project_copy import ProjectCopy


def _entries(path: Path) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))
    return entries


def _check(entry: dict[str, Any]) -> None:
    command = [*entry["arguments"], "-fsyntax-only"]
    done = subprocess.run(
        command, cwd=entry["directory"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"{entry['file']}: {done.stderr}"


@pytest.mark.long
def test_every_command_works_though_nothing_was_compiled(tmp_path: Path) -> None:
    project = ProjectCopy.fresh(tmp_path / "a project")
    project.build("usecase=kws", "compile_commands")
    assert not list((project.root / "build").rglob("*.o"))
    entries = _entries(project.root / "compile_commands.json")
    named = [Path(entry["file"]).relative_to(project.root).as_posix() for entry in entries]
    machines = [Path(entry["arguments"][0]).name for entry in entries]
    # An editor takes the first entry of a file: the device's.
    assert machines[named.index("usecases/kws/src/kws.cc")] == "arm-none-eabi-g++"
    assert machines[named.index("firmware/host/host_main.c")] == "cc"
    for name in ("usecases/kws/src/kws.cc", "firmware/hal/clock.c", "firmware/frontend/port.c"):
        _check(entries[named.index(name)])
    _check(next(entry for entry in entries if "build/packages/" in entry["file"]))
    project.build("usecase=kws", "build/host/lib/libsupport.a", "verbose=1")
    assert _entries(project.root / "compile_commands.json") == entries


def _command(folder: Path, name: str, option: str) -> CompileCommand:
    (folder / f"{name}.c").touch()
    return CompileCommand(str(folder), str(folder / f"{name}.c"), f"{name}.o", ["/bin/cc", option])


def test_a_build_of_something_else_keeps_the_other_entries(tmp_path: Path) -> None:
    path = tmp_path / "compile_commands.json"
    one, other, gone = (_command(tmp_path, name, "-O1") for name in ("one", "other", "gone"))
    write(path, [one, other, gone])
    (tmp_path / "gone.c").unlink()
    update(path, [_command(tmp_path, "one", "-O2")])
    found = [(entry["output"], entry["arguments"][1]) for entry in _entries(path)]
    assert found == [("one.o", "-O2"), ("other.o", "-O1")]


def test_a_file_of_another_tool_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "compile_commands.json"
    path.write_text("{}")
    update(path, [_command(tmp_path, "one", "-O2")])
    assert [entry["output"] for entry in _entries(path)] == ["one.o"]
