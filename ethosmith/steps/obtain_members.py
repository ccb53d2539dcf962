# SPDX-License-Identifier: Apache-2.0
"""Obtain some members of a pinned archive, such as the sources of a package."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ethosmith.steps.step import Outputs, Step, Unsigned, step


@step(
    verb="OBTAIN",
    packages=(
        "packaging",
        "pydantic",
        "pydantic-core",
        "requests",
        "rich",
        "urllib3",
    ),
    owns_terminal=True,
)
class ObtainMembers(Step):
    """Extract members of a pinned archive, fetched and verified by its SHA-256.

    Attributes:
        source: the descriptor's source, with the hash that the archive must have.
        members: their paths in the archive; ``*``, ``?`` and ``[...]`` match within one component.
        strip_prefix: folder to leave out of their paths.
        folder: where they go, each under its path in the archive.
        files: what is extracted.
        offline: take the archive from the cache alone.
    """

    source: Mapping[str, Any]
    members: tuple[str, ...]
    strip_prefix: str = ""
    folder: Path
    files: Outputs
    offline: Unsigned[bool] = False

    def run(self) -> None:
        """Fetch the archive if the cache does not have it, and extract the members."""
        from ethosmith.obtain.obtainer import Obtainer
        from ethosmith.obtain.progress import progress_for
        from ethosmith.obtain.source import parse_source

        obtainer = Obtainer(offline=self.offline, progress=progress_for())
        source = parse_source(json.dumps(self.source))
        obtainer.to_tree(source, Path(), self.members, self.folder, self.strip_prefix)

    @property
    def title(self) -> str:
        """Name and version of the package; of another source, the folder."""
        package, version = self.source.get("package"), self.source.get("version")
        return f"{package} {version}" if package and version else self.folder.as_posix()
