# SPDX-License-Identifier: Apache-2.0
"""Every step's class: documented, cheap to import, and what docs/steps.md says."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ethosmith.graph.code_index import CodeIndex
from ethosmith.steps.command_line import step_class, step_names
from ethosmith.steps.document import markdown
from ethosmith.steps.step import attribute_helps, fields_of
from tests.support.project_copy import ROOT

_CODE = CodeIndex()
_DOCUMENT = ROOT / "docs" / "steps.md"
# Prints for each module what it imports that nobody before it did.
_IMPORT = """
import importlib, sys
for module in sys.argv[1:]:
    before = set(sys.modules)
    importlib.import_module(module)
    names = {name.split(".")[0] for name in set(sys.modules) - before}
    for name in sorted(names - set(sys.stdlib_module_names) - {"ethosmith", "ethosu_model"}):
        print(module, "imports", name)
"""


def test_page_is_current() -> None:
    wanted = markdown(map(step_class, step_names()))
    assert _DOCUMENT.read_text("utf-8") == wanted, (
        "run python -m ethosmith step --markdown > docs/steps.md"
    )


@pytest.mark.parametrize("name", step_names())
def test_a_step_and_all_its_fields_are_documented(name: str) -> None:
    cls = step_class(name)
    assert cls.__doc__
    assert [one.name for one in fields_of(cls)] == list(attribute_helps(cls))
    # One without outputs is there for what it does.
    assert any(one.kind == "output" for one in fields_of(cls)) or not cls.traits.cacheable


@pytest.mark.parametrize("name", step_names())
def test_declared_packages_are_those_that_the_code_imports(name: str) -> None:
    cls = step_class(name)
    assert cls.traits.packages == _CODE.closure(cls.__module__).distributions


def test_importing_a_step_imports_no_package() -> None:
    modules = [step_class(name).__module__ for name in step_names()]
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT, *modules], check=True, capture_output=True, text=True
    )
    assert done.stdout == ""
