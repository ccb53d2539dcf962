# SPDX-License-Identifier: Apache-2.0
"""Obtain one pinned file, or the member of an archive that its source names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ethosmith.steps.step import Output, Step, Unsigned, step


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
class ObtainFile(Step):
    """Fetch a pinned file, verified by its SHA-256, or one member of it if it is an archive.

    Attributes:
        source: the descriptor's source, with the hash that the file must have.
        output: the file or its member.
        offline: take it from the cache alone.
    """

    source: Mapping[str, Any]
    output: Output
    offline: Unsigned[bool] = False

    def run(self) -> None:
        """Fetch the file if the cache does not have it, and write it or its member."""
        from ethosmith.obtain.obtainer import Obtainer
        from ethosmith.obtain.progress import progress_for
        from ethosmith.obtain.source import parse_source

        obtainer = Obtainer(offline=self.offline, progress=progress_for())
        obtainer.to_file(parse_source(json.dumps(self.source)), Path(), self.output)

    @property
    def title(self) -> str:
        """The file's name, without the folder."""
        return self.output.name
