# SPDX-License-Identifier: Apache-2.0
"""Where the text of a module lies, and whether it is followed or a package's.

What was asked is kept, so that a later build can find out cheaply that the answers are the same.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ethosmith.core.files import read_bytes
from ethosmith.core.identity import Identity

_PARTS = (".j2", ".toml")  # templates, data
_SITE_FOLDERS = {"site-packages", "dist-packages"}
# Ours even where they are installed.
OWN_PACKAGES = ("ethosmith", "ethosu_model", "open_board")


@dataclass(frozen=True)
class Asked:
    """What modules were found by.

    Attributes:
        origins: the folder of each top-level module; empty for one of the standard library, or
            that is not there.
        folders: the names in each folder.
        files: the SHA-256 of each text, template or data file, by path.
    """

    origins: dict[str, str] = field(default_factory=dict)
    folders: dict[str, frozenset[str]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)


class ModuleFiles:
    """Finds the files of modules; remembers what it asked for.

    Args:
        identity: knows the content of files.
    """

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self.asked = Asked()

    def is_as(self, before: Asked) -> bool:
        """Say whether all questions of ``before`` have the same answers now, and ask them."""
        try:
            return (
                all(self.origin(name) == found for name, found in before.origins.items())
                and all(self.names(folder) == names for folder, names in before.folders.items())
                and all(self.sha256(path) == found for path, found in before.files.items())
            )
        except OSError:
            return False

    def sha256(self, path: str) -> str:
        """Return the SHA-256 of a file's content; OSError if it cannot be read."""
        if path not in self.asked.files:
            self.asked.files[path] = self._identity.sha256(path)
        return self.asked.files[path]

    def origin(self, name: str) -> str:
        """Return the folder of the top-level module ``name``, see `Asked`."""
        if name not in self.asked.origins:
            self.asked.origins[name] = _origin(name)
        return self.asked.origins[name]

    def names(self, folder: str) -> frozenset[str]:
        """Return the names in a folder; none if it is no folder that can be read."""
        if folder not in self.asked.folders:
            try:
                names = frozenset(os.listdir(folder))  # noqa: PTH208 names alone
            except OSError:
                names = frozenset()
            # Python makes this one as it goes.
            self.asked.folders[folder] = names - {"__pycache__"}
        return self.asked.folders[folder]

    def is_own(self, name: str) -> bool:
        """Say whether a top-level module's text is followed: it is ours, or the user's."""
        if name in OWN_PACKAGES:
            return True
        origin = self.origin(name)
        return bool(origin) and not _SITE_FOLDERS & set(Path(origin).parts)

    def file_of(self, module: str) -> str | None:
        """Return the file of a module; None if the name is none."""
        *packages, name = module.split(".")
        folder = self.origin(module.partition(".")[0])
        if not folder:
            return None
        for depth, package in enumerate(packages):
            # The first one is there. What else lies beside it must not matter.
            if depth and package not in self.names(folder):
                return None
            folder = os.path.join(folder, package)  # noqa: PTH118 thousands are looked up
        if f"{name}.py" in self.names(folder):
            return os.path.join(folder, f"{name}.py")  # noqa: PTH118
        inner = os.path.join(folder, name)  # noqa: PTH118
        if name in self.names(folder) and "__init__.py" in self.names(inner):
            return os.path.join(inner, "__init__.py")  # noqa: PTH118
        return None

    def parts_of(self, path: str) -> Mapping[str, str]:
        """Return the digests of templates and data beside a module that are named after it."""
        folder, name = os.path.split(path)
        begin = f"{name.removesuffix('.py')}."
        return {
            part: self.sha256(os.path.join(folder, part))[:16]  # noqa: PTH118
            for part in sorted(self.names(folder))
            if part.startswith(begin) and part.endswith(_PARTS)
        }

    def text(self, path: str) -> bytes:
        """Return a module's text, whose hash is that which `sha256` told.

        Raises:
            EthosmithError: it cannot be read.
        """
        data = read_bytes(Path(path))
        self.asked.files[path] = hashlib.sha256(data).hexdigest()
        return data


def _origin(name: str) -> str:
    if name in sys.stdlib_module_names:
        return ""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        spec = None
    if spec is None or not (spec.origin or spec.submodule_search_locations):
        return ""
    if spec.submodule_search_locations:
        return str(Path(next(iter(spec.submodule_search_locations))).parent)
    return str(Path(str(spec.origin)).parent)
