# SPDX-License-Identifier: Apache-2.0
"""Every module is named by a test: imported by one, or by its own package's tested modules."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

from tests.support.project_copy import ROOT

_SOURCES = (
    (ROOT, "ethosmith"),
    (ROOT, "site_scons"),
    (ROOT / "distributions/ethosu-model/src", "ethosu_model"),
    (ROOT / "distributions/open-board/src", "open_board"),
)
# Only a process of their own imports these: the test that runs them. A package stands for all in
# it that no test imports.
_RUN_BY = {
    "ethosmith.accuracy.generator": "tests/component/accuracy/test_evaluation_set.py",
    "ethosmith.cli": "tests/build/rebuild/test_asked.py",
    "ethosmith.core.program": "tests/component/steps/test_command_line.py",
    "ethosmith.descriptors.words": "tests/build/bad_input/test_command_line.py",
    "ethosmith.engine": "tests/build/rebuild/test_rebuild.py",
    "ethosmith.engine.reasons": "tests/build/rebuild/test_why.py",
    "ethosmith.graph": "tests/build/rebuild/test_rebuild.py",
    "ethosmith.graph.accuracy": "tests/build/usecases/test_accuracy.py",
    "ethosmith.graph.commands": "tests/build/bad_input/test_command_line.py",
    "ethosmith.graph.reports": "tests/build/rebuild/test_report.py",
    "ethosmith.graph.repository_targets": "tests/build/libraries/test_graph.py",
    "ethosmith.installation": "tests/build/plugin/test_plugin.py",
    "ethosmith.lib.model_source": "tests/build/rebuild/test_rebuild.py",
    "ethosmith.lib.templates": "tests/build/rebuild/test_rebuild.py",
    "ethosmith.lib.web_page": "tests/build/rebuild/test_report.py",
    "ethosmith.libraries.native_builds": "tests/component/libraries/test_build.py",
    "ethosmith.libraries.spec": "tests/component/libraries/test_build.py",
    "ethosmith.models.compiled": "tests/build/rebuild/test_rebuild.py",
    "ethosmith.models.vela": "tests/build/runtimes/test_prebuilt.py",
    "ethosmith.obtain.checkout": "tests/component/libraries/test_patches.py",
    "ethosmith.report.bill_of_materials": "tests/build/runtimes/test_prebuilt.py",
    "ethosmith.steps": "tests/build/rebuild/test_rebuild.py",
    "ethosmith.steps.answer_on_host": "tests/build/usecases/test_accuracy.py",
    "ethosmith.steps.collect_shard": "tests/build/usecases/test_accuracy.py",
    "ethosmith.steps.collect_evaluation_set": "tests/build/usecases/test_accuracy.py",
    "ethosmith.steps.convert_float_network": "tests/build/usecases/test_accuracy.py",
    "ethosmith.steps.compare_newest": "tests/build/libraries/test_graph.py",
    "ethosmith.steps.fetch_repositories": "tests/build/libraries/test_graph.py",
    "ethosmith.steps.generate_tflite_model": "tests/build/tflm/test_images.py",
    "ethosmith.steps.read_network_inputs": "tests/build/runtimes/test_inference_runner.py",
    "ethosmith.steps.run_prebuilt": "tests/build/runtimes/test_prebuilt.py",
    "ethosmith.steps.write_inputs": "tests/build/runtimes/test_inference_runner.py",
    "ethosmith.steps.write_pipeline": "tests/build/rebuild/test_report.py",
    "ethosmith.steps.write_report_index": "tests/build/rebuild/test_report.py",
    "ethosmith.steps.write_report_page": "tests/build/rebuild/test_report.py",
    "ethosmith.verify": "tests/build/rebuild/test_rebuild.py",
    "site_scons.site_tools": "tests/build/rebuild/test_rebuild.py",
    "site_scons.site_tools.build_cache": "tests/build/rebuild/test_cache.py",
    "site_scons.site_tools.compilers": "tests/build/rebuild/test_clang.py",
    "site_scons.site_tools.signatures": "tests/build/rebuild/test_content.py",
}


def _modules() -> dict[str, Path]:
    """Return the file of each module by its dotted name; packages' own files only list names."""
    return {
        ".".join(path.relative_to(base).with_suffix("").parts): path
        for base, package in _SOURCES
        for path in sorted((base / package).rglob("*.py"))
        if not path.name.startswith("__")
    }


def _imported(path: Path) -> set[str]:
    """Return what a file imports, inside functions too: modules, and names within modules."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def _reached(modules: Mapping[str, Path]) -> set[str]:
    """Return what tests import, and what that imports of its own package, and so on."""
    tests = (ROOT / "tests").rglob("*.py")
    todo = set().union(*(_imported(path) for path in tests)) & modules.keys()
    reached: set[str] = set()
    while todo:
        name = todo.pop()
        reached.add(name)
        of_it = {other for other in modules if _package(other) == _package(name)}
        todo |= (_imported(modules[name]) & of_it) - reached
    return reached


def _package(module: str) -> str:
    """Return ``ethosmith.graph`` and the like; a distribution is one package."""
    top, _, below = module.partition(".")
    return f"{top}.{below.partition('.')[0]}" if top == "ethosmith" else top


def _test_that_runs(module: str) -> str:
    names = (module, module.rpartition(".")[0])
    return next((_RUN_BY[name] for name in names if name in _RUN_BY), "")


def test_every_module_is_named_by_a_test() -> None:
    modules = _modules()
    assert len(modules) > 150
    rest = sorted(modules.keys() - _reached(modules))
    assert [name for name in rest if not _test_that_runs(name)] == [], "write tests of these"


def test_every_template_is_named_after_a_module() -> None:
    # It then is part of the code of each step that imports the module.
    modules = _modules().values()
    found = [path for base, package in _SOURCES for path in (base / package).rglob("*.j2")]
    assert found
    assert [
        path
        for path in found
        if not any(
            path.parent == one.parent and path.name.startswith(f"{one.stem}.") for one in modules
        )
    ] == []


def test_the_list_of_what_runs_others_is_true() -> None:
    modules = _modules()
    known = {*modules, *(name.rpartition(".")[0] for name in modules)}
    assert sorted(_RUN_BY.keys() - known) == [], "there are no such modules"
    assert [test for test in _RUN_BY.values() if not (ROOT / test).is_file()] == []
