# SPDX-License-Identifier: Apache-2.0
"""Imports go down only: from a package of ethosmith/ to one that stands above it in this list."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from ethosmith import DISTRIBUTION_PATHS
from tests.support.project_copy import ROOT

# Each imports from those above it alone. Modules that lie directly below ethosmith/ belong to the
# first one.
LAYERS = (
    "core",
    "descriptors",
    "environment",
    "obtain",
    "toolchains",
    "models",
    "pytorch",
    "conditioning",
    "lib",
    "images",
    "libraries",
    "verify",
    "accuracy",
    "report",
    "live",
    "steps",
    "graph",
    "scaffold",
    "engine",
    "cli",
)
# What may import what, of the three things that Python finds in this repository.
DISTRIBUTIONS = {
    "ethosu_model": {"ethosu_model"},
    "open_board": {"open_board", "ethosu_model"},
}


def _imports(path: Path) -> Iterator[str]:
    """Yield the names of all modules that a file imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: name the module from the top"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _layer(module: str) -> str:
    """Return the layer of ``ethosmith.LAYER.module`` or of ``ethosmith.module``."""
    parts = module.split(".")
    if parts[1:2] == ["__main__"]:
        return LAYERS[-1]
    below = ROOT.joinpath(*parts[:2])
    named = len(parts) > 1 and (below.is_dir() or parts[1] in LAYERS)
    return parts[1] if named else LAYERS[0]


def _upward(path: Path) -> Iterator[str]:
    own = _layer(".".join(path.relative_to(ROOT).with_suffix("").parts))
    for name in _imports(path):
        if name.split(".")[0] != "ethosmith":
            continue
        other = _layer(name)
        if LAYERS.index(other) > LAYERS.index(own):
            yield f"{path.relative_to(ROOT)} imports {name}: {own} is below {other}"


def test_every_package_has_its_layer() -> None:
    packages = {path.parent.name for path in (ROOT / "ethosmith").glob("*/__init__.py")}
    assert packages <= set(LAYERS), packages - set(LAYERS)


def test_imports_go_down_only() -> None:
    found = [line for path in sorted((ROOT / "ethosmith").rglob("*.py")) for line in _upward(path)]
    assert not found, "\n".join(found)


def test_what_imports_upwards_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("core", "graph"):
        (tmp_path / "ethosmith" / name).mkdir(parents=True)
    module = tmp_path / "ethosmith/core/errors.py"
    module.write_text("def f():\n    from ethosmith.graph import layout\n", "utf-8")
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    assert list(_upward(module)) == [
        "ethosmith/core/errors.py imports ethosmith.graph.layout: core is below graph"
    ]


def test_steps_and_libraries_import_no_scons() -> None:
    for path in sorted((ROOT / "ethosmith").rglob("*.py")):
        names = {name.split(".")[0] for name in _imports(path)}
        # The command starts SCons, and the engine is in its process; nothing here imports them.
        assert "SCons" not in names or path.name == "cli.py" or path.parent.name == "engine", path


@pytest.mark.parametrize("place", DISTRIBUTION_PATHS)
def test_a_distribution_imports_nothing_of_its_users(place: str) -> None:
    paths = sorted(Path(place).rglob("*.py"))
    assert paths
    for path in paths:
        package = path.relative_to(place).parts[0]
        ours = {name.split(".")[0] for name in _imports(path)} & {"ethosmith", *DISTRIBUTIONS}
        assert ours <= DISTRIBUTIONS[package], path
