# SPDX-License-Identifier: Apache-2.0
"""SCons's nodes for files, by paths that are taken literally."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.graph.scons_types import Environment, Folder, Node


class Nodes:
    """SCons's nodes for files: a path is taken as it is, whatever characters it has.

    Args:
        env: the construction environment.
        root: the project's folder.
    """

    def __init__(self, env: Environment, root: Path) -> None:
        self._fs, self._root = env.fs, root
        self._files: dict[Path, Node] = {}

    def file(self, path: Path) -> Node:
        """Return the node of a file; EthosmithError if a folder is there."""
        if path not in self._files:
            try:
                # SCons would read a name that begins with `#` in its own way.
                self._files[path] = self._fs.File(str(self._root / path))
            except TypeError:
                raise EthosmithError(f"{path}: a folder, expected a file") from None
        return self._files[path]

    def files(self, paths: Iterable[Path]) -> list[Node]:
        """Return the nodes of several files."""
        return [self.file(path) for path in paths]

    def entry(self, path: Path) -> Node:
        """Return the node of a file or a folder."""
        return self._fs.Entry(str(self._root / path))

    def folder(self, path: Path) -> Folder:
        """Return the node of a folder."""
        return self._fs.Dir(str(self._root / path))
