# SPDX-License-Identifier: Apache-2.0
"""The code that a step consists of: neither too little nor too much, and what counts in it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ethosmith.graph.code_index import CodeIndex
from tests.support.project_copy import ROOT

# What Python itself loads of ours when the step is imported.
_LOADED = """
import sys, ethosmith, {module}
for name in sorted(sys.modules):
    if name.split(".")[0] in ("ethosmith", "ethosu_model", "open_board"):
        print(name)
"""


def modules(module: str) -> dict[str, str]:
    return CodeIndex().closure(module).modules


@pytest.mark.parametrize(
    "module",
    [
        "ethosmith.steps.generate_labels",
        "ethosmith.steps.generate_linker_script",
        "ethosmith.steps.compile_with_vela",
        "ethosmith.verify.runner",
        "open_board.cli",
    ],
)
def test_everything_that_python_loads_is_found(module: str) -> None:
    code = _LOADED.format(module=module)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = set(done.stdout.splitlines())
    if module.startswith("open_board"):
        loaded = {name for name in loaded if not name.startswith("ethosmith")}
    assert module in loaded
    assert loaded <= modules(module).keys()


def test_a_generator_does_not_depend_on_others() -> None:
    assert modules("ethosmith.steps.generate_labels").keys() == {
        "ethosmith",
        "ethosmith.lib",
        "ethosmith.lib.c_text",
        "ethosmith.core",
        "ethosmith.core.errors",
        "ethosmith.core.files",
        "ethosmith.steps",
        "ethosmith.steps.generate_labels",
        "ethosmith.steps.step",
        "ethosu_model",
        "ethosu_model.errors",
    }


def test_templates_and_imports_inside_functions_count() -> None:
    assert "generate_linker_script.ld.j2" in modules("ethosmith.steps.generate_linker_script")
    assert "ethosu_model.device" in modules("ethosmith.steps.run_board")
    assert "open_board.qemu" in modules("ethosmith.steps.run_prebuilt")


_HELPER = '''"""A helper."""


def double(number: int) -> int:
    """Return it twice."""
    return 2 * number  # cheap
'''


def _digest(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"helper_of_{folder.parent.name}_{folder.name}"
    (folder / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(folder))
    return CodeIndex().closure(name).modules[name]


@pytest.mark.parametrize(
    ("text", "same"),
    [
        (_HELPER.replace("  # cheap", ""), True),
        (_HELPER.replace("Return it twice.", "Return twice the number."), True),
        (_HELPER.replace("2 * number", "(2\n        * number)"), True),
        (_HELPER.replace("2 * number", "3 * number"), False),
        (_HELPER.replace("(number: int)", "(number: int = 1)"), False),
        (_HELPER.replace("double", "twice"), False),
    ],
)
def test_only_what_code_does_counts(
    text: str, same: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    after.mkdir()
    first = _digest(before, _HELPER, monkeypatch)
    assert (_digest(after, text, monkeypatch) == first) is same


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"python": 3}', '{"python": [3, 11]}'])
def test_a_damaged_memory_is_as_none(damage: str, tmp_path: Path) -> None:
    memory = tmp_path / "code.json"
    memory.write_text(damage)
    index = CodeIndex(memory)
    expected = CodeIndex().closure("ethosmith.steps.generate_labels")
    assert index.closure("ethosmith.steps.generate_labels") == expected
    index.save()
    assert CodeIndex(memory).closure("ethosmith.steps.generate_labels") == expected


def _changed(package: Path) -> None:
    (package / "helper.py").write_text("def helper(): return 2\n")


def _module_in_place_of_a_name(package: Path) -> None:
    (package / "tool").mkdir()
    (package / "tool" / "__init__.py").write_text("VALUE = 2\n")


def _template(package: Path) -> None:
    (package / "step.c.j2").write_text("int x;\n")


def _gone(package: Path) -> None:
    (package / "helper.py").unlink()


@pytest.mark.parametrize("change", [_changed, _module_in_place_of_a_name, _template, _gone])
def test_what_is_remembered_is_not_believed_after_a_change(
    change: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"package_{change.__name__}_{tmp_path.parent.name.replace('-', '_')}"
    package = tmp_path / name
    package.mkdir()
    (package / "__init__.py").write_text("tool = 1\n")
    (package / "helper.py").write_text("def helper(): return 1\n")
    (package / "step.py").write_text(f"from {name} import helper, tool\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    memory = tmp_path / "code.json"
    first = CodeIndex(memory)
    before = first.closure(f"{name}.step")
    first.save()
    assert CodeIndex(memory).closure(f"{name}.step") == before
    change(package)
    after = CodeIndex(memory).closure(f"{name}.step")
    assert after != before
    assert after == CodeIndex().closure(f"{name}.step")
    changed = CodeIndex(memory)
    changed.closure(f"{name}.step")
    changed.save()
    kept = json.loads(memory.read_text())["closures"][f"{name}.step"]["modules"]
    assert kept == after.modules
