# SPDX-License-Identifier: Apache-2.0
"""What a step's outputs depend on, as one hash that is the same in every checkout and for anyone.

It holds the command, the names and contents of all inputs, the names of the outputs, and what
no step declares because it is the same for all of them: the kind of machine, the interpreter,
the Python packages, and the compiler's own libraries.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ethosmith.core.bounded_run import run_within
from ethosmith.core.files import sha256_of
from ethosmith.installation import DESCRIPTOR_ROOT, IMPORT_PATH

# To be raised when the same inputs give another kind of entry, or entries may have been wrong.
_SCHEMA = 4
# A distribution renews them without a new version of the compiler.
_COMPILER_FILES = (
    "crt1.o",
    "libc.a",
    "libc_nano.a",
    "libgcc.a",
    "libm.a",
    "libstdc++.a",
    "libstdc++_nano.a",
    "nano.specs",
)
_PROBE_LIMIT_S = 20


class Places(NamedTuple):
    """Names of files that do not tell where the checkout, or Ethosmith, lies.

    Attributes:
        root: the project's folder.
    """

    root: Path

    def name(self, path: str, search_path: str) -> str:
        """Return the name of a file; that of a program on the ``PATH`` is its last part."""
        shown = self.without_places(path)
        program = Path(path).name
        outside = Path(shown).is_absolute()
        return program if outside and shutil.which(program, path=search_path) == path else shown

    def without_places(self, text: str) -> str:
        """Return ``text`` with the names of the folders in place of where they are."""
        # Ethosmith's repository is all three.
        named = {str(IMPORT_PATH): "python", str(DESCRIPTOR_ROOT): "ethosmith", str(self.root): "."}
        for place in sorted(named, key=len, reverse=True):
            text = text.replace(f"{place}/", f"{named[place]}/")
        return text


def step_key(
    command: str,
    targets: Sequence[str],
    inputs: Iterable[tuple[str, str]],
    compiler: Sequence[str] = (),
    archives: Sequence[str] = (),
) -> str:
    """Return the key of a step.

    Args:
        command: what it runs.
        targets: what it writes, in order.
        inputs: the name and content hash of each input, in any order.
        compiler: program and machine flags, of a step that compiles or links.
        archives: libraries that the compiler gets from elsewhere.
    """
    data = {
        "schema": _SCHEMA,
        "machine": [platform.system(), platform.machine(), platform.python_version()],
        "compiler": _compiler_files(tuple(compiler)) if compiler else [],
        "archives": [_sha256_once(Path(archive)) for archive in archives],
        "command": command,
        "targets": list(targets),
        "inputs": sorted(set(inputs)),
    }
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


@cache
def _compiler_files(compiler: tuple[str, ...]) -> list[str]:
    """Return the hashes of what the compiler brings along, its linker included."""
    asked = [f"-print-file-name={name}" for name in _COMPILER_FILES]
    asked += ["-print-prog-name=as", "-print-prog-name=ld"]
    answers = (_answer(compiler, question) for question in asked)
    return [_sha256_once(Path(answer)) if answer else "" for answer in answers]


_sha256_once = cache(sha256_of)


def _answer(compiler: tuple[str, ...], question: str) -> str:
    """Return the absolute path that the compiler names, or nothing."""
    result = run_within([*compiler, question], _PROBE_LIMIT_S)
    named = os.fsdecode(result.stdout.strip())
    found = named if Path(named).is_absolute() else shutil.which(named or "-")
    return found if found and Path(found).is_file() else ""
