# SPDX-License-Identifier: Apache-2.0
"""What a library is built from and how: one JSON text between the graph and the step.

The step resolves its patterns to the files of a checkout.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ethosmith.core.errors import EthosmithError, did_you_mean

_C = (".c",)
_CXX = (".cc", ".cpp", ".cxx")
_ASSEMBLY = (".S",)
SUFFIXES = (*_C, *_CXX, *_ASSEMBLY)


@dataclass(frozen=True)
class Compilers:
    """The programs and flags of one machine, free of warnings: the sources are not ours.

    Attributes:
        cc: of C, as an argument list; a launcher such as ccache may come first.
        cxx: of C++.
        ar: the archiver, and ``arflags`` its flags.
        flags: of C and C++.
        cflags: of C alone.
        cxxflags: of C++ alone.
        system: CMake's name of the system that the programs are for; empty: this one.
    """

    cc: Sequence[str]
    cxx: Sequence[str]
    ar: Sequence[str]
    arflags: Sequence[str]
    flags: Sequence[str]
    cflags: Sequence[str]
    cxxflags: Sequence[str]
    system: str

    @property
    def processor(self) -> str:
        """The core that ``flags`` name; empty if they name none."""
        prefix = "-mcpu="
        return next((f.removeprefix(prefix) for f in self.flags if f.startswith(prefix)), "")


@dataclass(frozen=True)
class FileSet:
    """A `SourceSet` of the descriptor."""

    files: Sequence[str]
    exclude: Sequence[str]
    replace_with: Sequence[str]
    cflags: Sequence[str]


@dataclass(frozen=True)
class FileFlags:
    """Further flags for some files: a workaround that this compiler needs."""

    files: Sequence[str]
    cflags: Sequence[str]


@dataclass(frozen=True)
class CMakeTarget:
    """A target of the repository's own CMake build.

    In ``options``, a repository's name in braces stands for where its files are.
    """

    target: str
    folder: str
    options: Mapping[str, str]


@dataclass(frozen=True)
class LibrarySpec:
    """One library.

    Attributes:
        name: the library's.
        descriptor: the YAML file, for messages.
        link: the folder of its own repository's files, relative to the project.
        links: that of each repository whose files it is made from, by the repository's name.
        origins: of the repositories whose files it is made from: a commit or a folder.
        states: of those that are folders: a text that changes with their files.
        compilers: programs and flags.
        include_dirs: relative to the project.
        defines: NAME or NAME=VALUE.
        sets: what to compile, if not by ``cmake``.
        cmake: its own build.
        file_flags: for some files.
        precompiled: headers of the repository that its C++ files begin with.
    """

    name: str
    descriptor: str
    link: str
    links: Mapping[str, str]
    origins: Mapping[str, str]
    states: Mapping[str, str]
    compilers: Compilers
    include_dirs: Sequence[str]
    defines: Sequence[str]
    sets: Sequence[FileSet]
    cmake: CMakeTarget | None
    file_flags: Sequence[FileFlags]
    precompiled: Sequence[str] = ()

    def to_json(self) -> str:
        """Return all of it as one line."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> LibrarySpec:
        """Return what `to_json` wrote."""
        return cls.of(json.loads(text))

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> LibrarySpec:
        """Return what ``asdict`` made plain data of."""
        return cls(
            **{
                **data,
                "compilers": Compilers(**data["compilers"]),
                "sets": [FileSet(**item) for item in data["sets"]],
                "cmake": CMakeTarget(**data["cmake"]) if data["cmake"] else None,
                "file_flags": [FileFlags(**item) for item in data["file_flags"]],
            }
        )


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
