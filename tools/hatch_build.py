# SPDX-License-Identifier: Apache-2.0
"""What wheel and source distribution hold: the files that git tracks, whatever else lies about."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# What another project's build needs beside the package; ethosmith/installation.py finds it.
_SHARED = {
    "SConstruct": "ethosmith/share/SConstruct",
    "site_scons/site_tools": "ethosmith/share/site_tools",
    **{
        name: f"ethosmith/share/{name}"
        for name in (
            *("boards", "firmware", "libraries", "packages", "platforms", "repositories"),
            *("schemas", "templates", "toolchains", "usecases"),
        )
    },
}


class TrackedFiles(BuildHookInterface[Any]):
    """Chooses the files of a build."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add all files but those that pyproject.toml includes itself."""
        del version
        included = build_data["force_include"]
        place = _place_in_wheel if self.target_name == "wheel" else str
        known = {str(Path(self.root, name)) for name in (*included, *self._selected())}
        for name in _source_files(Path(self.root)):
            target, path = place(name), str(Path(self.root, name))
            if target and path not in known:
                included[path] = target

    def _selected(self) -> Iterator[str]:
        yield from self.build_config.only_include


def _place_in_wheel(name: str) -> str:
    if name.startswith("ethosmith/"):
        return name
    for source, target in _SHARED.items():
        if name == source or name.startswith(f"{source}/"):
            return target + name[len(source) :]
    return ""


def _source_files(root: Path) -> list[str]:
    """Return the files of the sources: in a source distribution, all that it holds.

    Raises:
        RuntimeError: there is neither git nor a source distribution to know them by.
    """
    if (root / "PKG-INFO").is_file():
        paths = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
        return sorted(path.as_posix() for path in paths if "__pycache__" not in path.parts)
    top, tracked = _git(root, "rev-parse", "--show-toplevel"), _git(root, "ls-files", "-z")
    if Path(top.rstrip("\n")).resolve() != root.resolve():
        raise RuntimeError(f"{root}: not a git clone; build from one, or from the sdist")
    return [name for name in tracked.split("\0") if name and (root / name).is_file()]


def _git(root: Path, *words: str) -> str:
    command = [shutil.which("git") or "git", *words]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        raise RuntimeError(f"{root}: git cannot list the files of this clone") from None
    return done.stdout
