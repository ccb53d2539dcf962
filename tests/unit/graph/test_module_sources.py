# SPDX-License-Identifier: Apache-2.0
"""The files that a step's code is made of: neither too few nor too many."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ethosmith.graph.module_sources import module_sources

from ...project_copy import ROOT

# What Python itself loads of ours when the step is imported.
_LOADED = """
import runpy, sys, {module}
for name in sorted(sys.modules):
    file = getattr(sys.modules[name], "__file__", None)
    if name.split(".")[0] in ("ethosmith", "ethosu_model", "open_board") and file:
        print(file)
"""


@pytest.mark.parametrize(
    "module",
    [
        "ethosmith.codegen.labels",
        "ethosmith.codegen.linker_script",
        "ethosmith.models.vela",
        "ethosmith.obtain.__main__",
        "open_board.__main__",
        "ethosmith.run.runner",
        "ethosmith.verify.compare",
    ],
)
def test_everything_that_python_loads_is_found(module: str) -> None:
    code = _LOADED.format(module=module)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    found = {str(path) for path in module_sources(module.removesuffix(".__main__"))}
    assert set(done.stdout.splitlines()) <= found


def names(module: str) -> set[str]:
    return {path.relative_to(ROOT).as_posix() for path in module_sources(module)}


def test_a_generator_does_not_depend_on_others() -> None:
    assert names("ethosmith.codegen.labels") == {
        "ethosmith/__init__.py",
        "ethosmith/codegen/__init__.py",
        "ethosmith/codegen/c_text.py",
        "ethosmith/codegen/labels.py",
        "ethosmith/core/__init__.py",
        "ethosmith/core/errors.py",
        "ethosmith/core/files.py",
        "ethosmith/core/program.py",
    }


def test_templates_and_imports_inside_functions_count() -> None:
    assert "ethosmith/codegen/linker_script.ld.j2" in names("ethosmith.codegen.linker_script")
    assert "distributions/ethosu-model/src/ethosu_model/device.py" in names("open_board")
    assert "ethosmith/obtain/__main__.py" in names("ethosmith.obtain")
