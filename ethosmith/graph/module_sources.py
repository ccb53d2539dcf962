# SPDX-License-Identifier: Apache-2.0
"""Which of our own .py files a step's code is made of, so that editing one re-runs the step."""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

# Ours: this package and the distributions beside it.
_PACKAGE = "(?:ethosmith|ethosu_model|open_board)"
# Imports inside functions count too, hence the indentation.
_IMPORT = re.compile(
    rf"^[ \t]*(?:from[ \t]+({_PACKAGE}\b[\w.]*)[ \t]+import[ \t]+(\([^)]*\)|[^\n]*)"
    rf"|import[ \t]+({_PACKAGE}\b[\w.]*))",
    re.MULTILINE,
)


@cache
def module_sources(module: str) -> tuple[Path, ...]:
    """Return the files of ``module`` and of all modules of ours that it imports, sorted.

    Templates (``*.j2``) beside a module and named after it belong to it; so does the
    ``__main__`` of a package, which ``python -m`` runs.
    """
    found: set[Path] = set()
    waiting = [module, f"{module}.__main__"]
    seen = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        path = _file_of(name)
        if path is not None:
            found.add(path)
            found.update(t for t in _templates(path.parent) if t.name.startswith(f"{path.stem}."))
            waiting.extend(_imports(path))
            waiting.append(name.rpartition(".")[0])
    return tuple(sorted(found))


@cache
def _templates(folder: Path) -> tuple[Path, ...]:
    return tuple(folder.glob("*.j2"))


@cache
def _imports(path: Path) -> tuple[str, ...]:
    names: list[str] = []
    for package, imported, plain in _IMPORT.findall(path.read_text("utf-8")):
        if plain:
            names.append(plain)
            continue
        names.append(package)
        words = re.findall(r"\w+", imported.split("#")[0])
        names.extend(f"{package}.{word}" for word in words)
    return tuple(names)


@cache
def _folder_of(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"no package {package}")
    return Path(spec.origin).resolve().parent


@cache
def _file_of(module: str) -> Path | None:
    if not module:
        return None
    package, *names = module.split(".")
    base = _folder_of(package).joinpath(*names)
    for path in (base.with_name(base.name + ".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None
