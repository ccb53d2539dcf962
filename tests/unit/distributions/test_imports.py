# SPDX-License-Identifier: Apache-2.0
"""The distributions import what they declare, and nothing of Ethosmith."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.wheels import BOARD, MODEL

# The names that a distribution's code imports a dependency by, where they differ.
_IMPORTED_AS = {"pyelftools": "elftools", "ethosu-model": "ethosu_model"}


def _imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, file
            yield node.module or ""


def _declared(distribution: Path) -> set[str]:
    project = tomllib.loads((distribution / "pyproject.toml").read_text("utf-8"))["project"]
    names = (re.split(r"[<>=~! ]", text)[0] for text in project["dependencies"])
    return {_IMPORTED_AS.get(name, name) for name in names}


@pytest.mark.parametrize("distribution", [MODEL, BOARD], ids=lambda path: path.name)
def test_imports_are_the_declared_dependencies(distribution: Path) -> None:
    (package,) = (distribution / "src").iterdir()
    files = list(package.rglob("*.py"))
    assert len(files) > 20
    imported = {name.partition(".")[0] for file in files for name in _imports(file)}
    assert imported - sys.stdlib_module_names - {package.name} == _declared(distribution)


def test_the_model_needs_numpy_alone() -> None:
    assert _declared(MODEL) == {"numpy"}
