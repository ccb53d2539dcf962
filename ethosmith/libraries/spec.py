# SPDX-License-Identifier: Apache-2.0
"""What a library is built from and how, as one JSON text between the graph and the step."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


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
