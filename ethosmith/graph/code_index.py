# SPDX-License-Identifier: Apache-2.0
"""Which code a step consists of: its own module, all it imports, and what that code does.

A module counts by its syntax tree without docstrings, so that a comment, a docstring or another
layout of the text reruns nothing. Imports inside functions count like those at the top; those
for type checkers do not.
"""

from __future__ import annotations

import ast
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_json, write_text
from ethosmith.core.identity import Identity
from ethosmith.graph.module_files import Asked, ModuleFiles

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


class Closure(NamedTuple):
    """The code of one step.

    Attributes:
        modules: hash of what the code does, by the name of each module; templates and data by
            their file.
        distributions: the installed distributions that it imports, sorted.
    """

    modules: dict[str, str]
    distributions: tuple[str, ...]


class _Source(NamedTuple):
    """What is known of one file's text."""

    code: str
    imports: tuple[str, ...]


class _Module(NamedTuple):
    """What one module adds to the code of a step: its own, and names that it imports."""

    code: Mapping[str, str] = MappingProxyType({})
    imports: frozenset[str] = frozenset()
    distributions: frozenset[str] = frozenset()


class _Known(NamedTuple):
    """What an earlier build found."""

    sources: Mapping[str, _Source]
    asked: Asked
    closures: Mapping[str, Closure]


class CodeIndex:
    """Knows the code of modules; what it found it keeps for the next build.

    Args:
        memory: the file for that, or None. It holds nothing that runs, and may be damaged.
        identity: knows the content of files.
    """

    def __init__(self, memory: Path | None = None, identity: Identity | None = None) -> None:
        self._memory = memory
        identity = identity or Identity()
        self._files = ModuleFiles(identity)
        self._known = _read(memory)
        if not self._files.is_as(self._known.asked):
            self._files = ModuleFiles(identity)
            self._known = self._known._replace(closures={})
        self._used: dict[str, _Source] = {}
        self._modules: dict[str, _Module] = {}
        self._closures = dict(self._known.closures)

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
        if not self._files.is_own(name.partition(".")[0]):
            return _Module(distributions=_distribution(name))
        path = self._files.file_of(name)
        package = {name.rpartition(".")[0]} - {""}
        if path is None:
            return _Module(imports=frozenset(package))
        source = self._parsed(path, name)
        return _Module(
            {name: source.code, **self._files.parts_of(path)},
            frozenset({*source.imports, *package}),
        )

    def _parsed(self, path: str, module: str) -> _Source:
        # The same text imports others from another package.
        package = module if path.endswith("__init__.py") else module.rpartition(".")[0]
        source = self._known.sources.get(f"{package} {self._files.sha256(path)}")
        if source is None:
            source = _parse(self._files.text(path), package)
        self._used[f"{package} {self._files.sha256(path)}"] = source
        return source

    def save(self) -> None:
        """Keep what was found; without a place for it, the next build looks again."""
        if self._memory is None or self._closures.keys() <= self._known.closures.keys():
            return
        texts = set(self._files.asked.files.values())
        kept = {
            "python": _python(),
            "sources": {
                key: [one.code, *one.imports]
                for key, one in sorted({**self._known.sources, **self._used}.items())
                if key.rpartition(" ")[2] in texts
            },
            "asked": asdict(self._files.asked),
            "closures": {name: one._asdict() for name, one in sorted(self._closures.items())},
        }
        with suppress(OSError):
            write_text(self._memory, json.dumps(kept, default=sorted))


def _python() -> list[int]:
    # Another Python has other syntax trees.
    return list(sys.version_info[:2])


def _read(memory: Path | None) -> _Known:
    try:
        kept: Any = read_json(memory) if memory else {}
        if kept.get("python") != _python():
            return _Known({}, Asked(), {})
        sources = {
            str(key): _Source(str(code), tuple(map(str, imports)))
            for key, (code, *imports) in kept["sources"].items()
        }
        folders = {str(at): frozenset(map(str, x)) for at, x in kept["asked"]["folders"].items()}
        asked = Asked(_texts(kept["asked"]["origins"]), folders, _texts(kept["asked"]["files"]))
        closures = {
            str(name): Closure(_texts(one["modules"]), tuple(map(str, one["distributions"])))
            for name, one in kept["closures"].items()
        }
        return _Known(sources, asked, closures)
    except (EthosmithError, ValueError, KeyError, TypeError, AttributeError):
        return _Known({}, Asked(), {})


def _texts(items: Any) -> dict[str, str]:
    return {str(name): str(text) for name, text in items.items()}


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


def _distribution(module: str) -> frozenset[str]:
    name = module.partition(".")[0]
    if not name or name in sys.stdlib_module_names:
        return frozenset()
    return frozenset({_DISTRIBUTIONS.get(name, name.lower().replace("_", "-"))})
