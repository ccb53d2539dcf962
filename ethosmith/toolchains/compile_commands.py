# SPDX-License-Identifier: Apache-2.0
"""compile_commands.json: how each source is compiled, for clangd and other tools.

The format is Clang's JSON Compilation Database. The file is for this machine alone, so its paths
are absolute.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_bytes, read_json, write_text

FILE_NAME = "compile_commands.json"


@dataclass(frozen=True)
class CompileCommand:
    """One compilation.

    Attributes:
        directory: where it runs.
        file: the source.
        output: the object, relative to ``directory``.
        arguments: the command, the compiler by its absolute path.
    """

    directory: str
    file: str
    output: str
    arguments: Sequence[str]


def write(path: Path, commands: Iterable[CompileCommand]) -> None:
    """Write the commands, in their order, for sources that exist."""
    _write(path, [asdict(command) for command in commands])


def update(path: Path, commands: Iterable[CompileCommand]) -> None:
    """Put the commands first, before those of other objects that ``path`` has already."""
    new = [asdict(command) for command in commands]
    made = {entry["output"] for entry in new}
    _write(path, [*new, *(entry for entry in _entries(path) if entry["output"] not in made)])


def _write(path: Path, entries: Iterable[dict[str, Any]]) -> None:
    kept = [entry for entry in entries if Path(entry["file"]).is_file()]
    text = json.dumps(kept, indent=1) + "\n"
    if not path.is_file() or read_bytes(path) != text.encode():
        write_text(path, text)


def _entries(path: Path) -> list[dict[str, Any]]:
    """Return what the file has; nothing if it is not one of ours."""
    try:
        entries = read_json(path)
        return [entry for entry in entries if {"file", "output"} <= entry.keys()]
    except (EthosmithError, AttributeError, TypeError):
        return []
