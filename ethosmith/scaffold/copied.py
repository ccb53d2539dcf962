# SPDX-License-Identifier: Apache-2.0
"""Fill a new folder with a copy of another use case, made independent of it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from ethosmith.core.files import write_text
from ethosmith.descriptors.usecase import UseCase

_SCHEMA_LINE = re.compile(r"\A# yaml-language-server: .*\n")
_NAME_LINE = re.compile(r"^name:.*$", re.MULTILINE)
_PATH = re.compile(r"(?:\.\./)+[^\s,\]}\"']+")
_DESCRIPTOR = "usecase.yaml"
_INCLUDED = {".c": "*.h", ".cc": "*.h", ".py": "*.py"}


def copy_usecase(usecase: UseCase, source: Path, name: str, schema_line: str, folder: Path) -> None:
    """Write the folder of a new use case like another one.

    Args:
        usecase: the other's descriptor.
        source: its folder.
        name: the new name.
        schema_line: the line for editors.
        folder: the new folder.
    """
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    text = (source / _DESCRIPTOR).read_text("utf-8-sig")
    text = _NAME_LINE.sub(f"name: {name}", _SCHEMA_LINE.sub("", text), count=1)
    text = _PATH.sub(lambda match: _fetch(source, match[0], folder), text)
    old = f"src/{usecase.name}.cc"
    if old in usecase.sources:
        (folder / old).rename(folder / f"src/{name}.cc")
        text = text.replace(old, f"src/{name}.cc")
    write_text(folder / _DESCRIPTOR, schema_line + text)


def _fetch(source: Path, path: str, folder: Path) -> str:
    """Copy a file of another folder, and what it may include from beside it, into this one."""
    file = source / path
    if not file.is_file():
        return path
    target = folder / file.parent.name
    target.mkdir(exist_ok=True)
    for copied in (file, *file.parent.glob(_INCLUDED.get(file.suffix, file.name))):
        shutil.copyfile(copied, target / copied.name)
    return f"{file.parent.name}/{file.name}"
