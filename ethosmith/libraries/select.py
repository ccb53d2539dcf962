# SPDX-License-Identifier: Apache-2.0
"""Choose the files of a repository that a library compiles: globs, exceptions, replacements."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ethosmith.core.errors import EthosmithError
from ethosmith.core.nearest import did_you_mean
from ethosmith.libraries.spec import FileFlags, FileSet

_C = (".c",)
_CXX = (".cc", ".cpp", ".cxx")
_ASSEMBLY = (".S",)
SUFFIXES = (*_C, *_CXX, *_ASSEMBLY)


@dataclass(frozen=True)
class SourceFile:
    """A file to compile, relative to the repository, with flags of its own."""

    path: str
    cflags: tuple[str, ...]

    @property
    def is_cxx(self) -> bool:
        """It is C++."""
        return self.path.endswith(_CXX)


def select(
    sets: Sequence[FileSet], file_flags: Sequence[FileFlags], names: Sequence[str], label: str
) -> list[SourceFile]:
    """Return the files that the sets name, each once, in the order of their paths.

    Args:
        sets: of the descriptor.
        file_flags: further flags for some of them.
        names: all files of the repository.
        label: the descriptor and the folder, for messages.

    Raises:
        EthosmithError: a glob or a folder has no file, two sets name the same, a file is of no
            language that is known.
    """
    chosen: dict[str, SourceFile] = {}
    for one in sets:
        for path in _files_of(one, names, label):
            if path in chosen:
                raise EthosmithError(f"{label}: two sets of 'compile' name {path}")
            chosen[path] = SourceFile(path, (*one.cflags, *_flags_of(path, file_flags)))
    return [chosen[path] for path in sorted(chosen)]


def _files_of(one: FileSet, names: Sequence[str], label: str) -> list[str]:
    found: dict[str, None] = {}
    for pattern in one.files:
        matching = [name for name in names if matches(name, pattern)]
        if not matching:
            raise EthosmithError(f"{label}: no file matches {pattern}{_nearest(pattern, names)}")
        found.update(dict.fromkeys(matching))
    kept = [name for name in found if not any(matches(name, p) for p in one.exclude)]
    if not kept:
        raise EthosmithError(f"{label}: 'exclude' leaves nothing of {', '.join(one.files)}")
    unknown = next((name for name in kept if not name.endswith(SUFFIXES)), None)
    if unknown:
        raise EthosmithError(f"{label}: {unknown} is none of {', '.join(SUFFIXES)}")
    return _replaced(kept, one.replace_with, names, label)


def _replaced(
    kept: Iterable[str], folders: Sequence[str], names: Sequence[str], label: str
) -> list[str]:
    instead: dict[str, str] = {}
    for folder in folders:
        inside = [name for name in names if name.rpartition("/")[0] == folder]
        if not inside:
            raise EthosmithError(f"{label}: no file is in {folder} (replace_with)")
        instead.update({name.rpartition("/")[2]: name for name in inside})
    return [instead.get(name.rpartition("/")[2], name) for name in kept]


def _flags_of(path: str, file_flags: Iterable[FileFlags]) -> list[str]:
    return [
        flag
        for one in file_flags
        if any(matches(path, pattern) for pattern in one.files)
        for flag in one.cflags
    ]


def matches(name: str, pattern: str) -> bool:
    """Tell whether the path ``name`` fits ``pattern``: ``**/`` is any depth, ``**`` all below."""
    return _expression(pattern).fullmatch(name) is not None


@functools.cache
def _expression(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    meaning = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(meaning.get(part, re.escape(part)) for part in parts), re.DOTALL)


def _nearest(pattern: str, names: Sequence[str]) -> str:
    return "" if any(c in pattern for c in "*?") else did_you_mean(pattern, names)
