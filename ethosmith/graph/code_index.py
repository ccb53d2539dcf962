# SPDX-License-Identifier: Apache-2.0
"""Which code a step consists of: its own module, all it imports, and what that code does.

A module counts by its syntax tree without docstrings, so that a comment, a docstring or another
layout of the text reruns nothing. Imports inside functions count like those at the top; those
for type checkers do not.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_bytes, read_json, write_text
from ethosmith.core.identity import Identity

_PARTS = (".j2", ".toml")  # templates, data
_SITE_FOLDERS = {"site-packages", "dist-packages"}
# Ours even where they are installed.
OWN_PACKAGES = ("ethosmith", "ethosu_model", "open_board")
# Import names that are not the distribution's name; all others are, with `_` for `-`.
_DISTRIBUTIONS = {
    "PIL": "pillow",
    "ai_edge_litert": "ai-edge-litert",
    "elftools": "pyelftools",
    "ethosu": "ethos-u-vela",
    "google": "protobuf",
    "serial": "pyserial",
    "tosa_reference_model": "tosa-tools",
    "yaml": "pyyaml",
}


@dataclass(frozen=True)
class Closure:
    """The code of one step.

    Attributes:
        modules: hash of what the code does, by the name of each module; templates and data by
            their file.
        distributions: the installed distributions that it imports, sorted.
    """

    modules: dict[str, str]
    distributions: tuple[str, ...]


@dataclass(frozen=True)
class _Source:
    """What is known of one file's text."""

    code: str
    imports: tuple[str, ...]


@dataclass(frozen=True)
class _Module:
    """What one module adds to the code of a step: its own, and names that it imports."""

    code: Mapping[str, str] = field(default_factory=dict)
    imports: frozenset[str] = frozenset()
    distributions: frozenset[str] = frozenset()


class CodeIndex:
    """Knows the code of modules; what it parsed it keeps for the next build.

    Args:
        memory: the file for that, or None. It holds nothing that runs, and may be damaged.
        identity: knows the content of files.
    """

    def __init__(self, memory: Path | None = None, identity: Identity | None = None) -> None:
        self._memory = memory
        self._identity = identity or Identity()
        self._known = _read(memory)
        self._used: dict[str, _Source] = {}
        self._modules: dict[str, _Module] = {}
        self._closures: dict[str, Closure] = {}

    def closure(self, module: str) -> Closure:
        """Return the code of ``module`` with all that it imports."""
        if module not in self._closures:
            self._closures[module] = self._find(module)
        return self._closures[module]

    def _find(self, module: str) -> Closure:
        modules: dict[str, str] = {}
        distributions: set[str] = set()
        waiting, seen = [module], {module}
        while waiting:
            one = self._module(waiting.pop())
            modules.update(one.code)
            distributions |= one.distributions
            waiting += one.imports - seen
            seen |= one.imports
        return Closure(dict(sorted(modules.items())), tuple(sorted(distributions)))

    def _module(self, name: str) -> _Module:
        """Return what is known of a name that is imported, which need be no module."""
        if name not in self._modules:
            self._modules[name] = self._look_at(name)
        return self._modules[name]

    def _look_at(self, name: str) -> _Module:
        if not _is_own(name.partition(".")[0]):
            return _Module(distributions=_distribution(name))
        path = _file_of(name)
        package = {name.rpartition(".")[0]} - {""}
        if path is None:
            return _Module(imports=frozenset(package))
        source = self._parsed(path, name)
        return _Module(
            {name: source.code, **_templates_of(path)}, frozenset({*source.imports, *package})
        )

    def _parsed(self, path: Path, module: str) -> _Source:
        # The same text imports others from another package.
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        key = f"{package} {self._identity.sha256(path)}"
        source = self._known.get(key) or _parse(read_bytes(path), package)
        self._used[key] = source
        return source

    def save(self) -> None:
        """Keep what was parsed; without a place for it, the next build parses again."""
        if self._memory is None or self._used.keys() <= self._known.keys():
            return
        kept = {key: [one.code, *one.imports] for key, one in sorted(self._used.items())}
        with suppress(OSError):
            write_text(self._memory, json.dumps({"python": _python(), "sources": kept}))


def _python() -> list[int]:
    # Another Python has other syntax trees.
    return list(sys.version_info[:2])


def _read(memory: Path | None) -> dict[str, _Source]:
    try:
        kept: Any = read_json(memory) if memory else {}
        if kept.get("python") != _python():
            return {}
        return {
            str(key): _Source(str(code), tuple(map(str, imports)))
            for key, (code, *imports) in kept["sources"].items()
        }
    except (EthosmithError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _parse(data: bytes, package: str) -> _Source:
    tree = ast.parse(data)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            _remove_docstring(node, body)
    text = ast.dump(tree, annotate_fields=False)
    imports = dict.fromkeys(_imports(tree, package))
    return _Source(hashlib.sha256(text.encode()).hexdigest()[:16], tuple(imports))


def _remove_docstring(node: ast.AST, body: list[ast.stmt]) -> None:
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
        del body[0]


def _imports(node: ast.AST, package: str) -> Iterator[str]:
    """Yield the modules that may be imported; a name of ``from`` may be a module or not."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            yield from (name for one in child.orelse for name in _imports(one, package))
        elif isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            base = _base(child, package)
            yield base
            yield from (f"{base}.{alias.name}" for alias in child.names)
        else:
            yield from _imports(child, package)


def _base(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    words = package.split(".")
    parent = ".".join(words[: len(words) - node.level + 1])
    return f"{parent}.{node.module}" if node.module else parent


@cache
def _origin(name: str) -> Path | None:
    """Return the folder of the top-level module ``name``; None if it is of the standard library."""
    if name in sys.stdlib_module_names:
        return None
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        spec = None
    if spec is None or not (spec.origin or spec.submodule_search_locations):
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations))).parent
    return Path(str(spec.origin)).parent


@cache
def _is_own(name: str) -> bool:
    """Say whether the module's text is followed: it is ours, or of the user's project."""
    if name in OWN_PACKAGES:
        return True
    origin = _origin(name)
    return origin is not None and not _SITE_FOLDERS & set(origin.parts)


def _distribution(module: str) -> frozenset[str]:
    name = module.partition(".")[0]
    if not name or name in sys.stdlib_module_names:
        return frozenset()
    return frozenset({_DISTRIBUTIONS.get(name, name.lower().replace("_", "-"))})


@cache
def _file_of(module: str) -> Path | None:
    top = module.partition(".")[0]
    origin = _origin(top)
    if origin is None:
        return None
    *packages, name = module.split(".")
    folder = os.path.join(origin, *packages)  # noqa: PTH118 thousands of names are looked up
    if f"{name}.py" in _names(folder):
        return Path(folder, f"{name}.py")
    if name in _names(folder) and "__init__.py" in _names(os.path.join(folder, name)):  # noqa: PTH118
        return Path(folder, name, "__init__.py")
    return None


@cache
def _names(folder: str) -> frozenset[str]:
    """Return the names in a folder; none if it is no folder that can be read."""
    try:
        return frozenset(os.listdir(folder))  # noqa: PTH208 names alone
    except OSError:
        return frozenset()


@cache
def _templates_of(path: Path) -> dict[str, str]:
    """Return the hashes of the templates beside a module that are named after it."""
    return {
        name: hashlib.sha256(read_bytes(path.parent / name)).hexdigest()[:16]
        for name in sorted(_names(str(path.parent)))
        if name.startswith(f"{path.stem}.") and name.endswith(_PARTS)
    }
