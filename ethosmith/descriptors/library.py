# SPDX-License-Identifier: Apache-2.0
"""libraries/NAME.yaml: one library, its sources, and how they are compiled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from ethosmith.descriptors.base import EMPTY, Descriptor, Strict
from ethosmith.descriptors.origin import Member
from ethosmith.descriptors.words import (
    CMAKE_NAME,
    COMPILER_VERSION,
    Limits,
    Line,
    Name,
    RelativePath,
)

Machine = Literal["device", "host"]
Flag = Annotated[str, Limits(pattern=r"^[^\s\x00]+$")]
CMakeName = Annotated[str, Limits(pattern=CMAKE_NAME)]
CompilerVersion = Annotated[str, Limits(pattern=COMPILER_VERSION)]


class LocalSources(Strict):
    """Files of this project.

    Attributes:
        local: paths or globs, relative to the folder that holds libraries/.
    """

    local: Annotated[tuple[RelativePath, ...], Limits(min_length=1)]


class PackageSources(Strict):
    """Files of a pinned package, extracted below build/.

    Attributes:
        package: name of a descriptor in packages/.
        compile: members to compile.
        include: members that those need: headers and included sources.
        include_dirs: folders inside the package, for this library's own compilation.
        cflags: for these files only.
    """

    package: Name
    compile: Annotated[tuple[Member, ...], Limits(min_length=1)]
    include: tuple[Member, ...] = ()
    include_dirs: tuple[RelativePath, ...] = ()
    cflags: tuple[Flag, ...] = ()


class SourceSet(Strict):
    """Files of a repository that are compiled alike; globs, `**` for any depth.

    Attributes:
        files: what to compile; a glob that matches nothing is an error.
        exclude: what of it not to compile.
        replace_with: folders whose file takes the place of one of the same name; the last has
            the last word, and what has no counterpart in ``files`` is left out.
        cflags: for these files only, behind all other flags.
    """

    files: Annotated[tuple[RelativePath, ...], Limits(min_length=1)]
    exclude: tuple[RelativePath, ...] = ()
    replace_with: tuple[RelativePath, ...] = ()
    cflags: tuple[Flag, ...] = ()


class CMakeBuild(Strict):
    """A build by the repository's own CMakeLists.txt, with a toolchain file of this build's flags.

    Attributes:
        target: the static library to build.
        folder: of the CMakeLists.txt, inside the repository.
        options: cache variables; `{NAME_dir}` stands for the folder of the repository NAME,
            `{npu}` for the NPU's configuration such as ethos-u55-128 (with ``configured``).
    """

    target: CMakeName
    folder: RelativePath = "."
    options: Mapping[CMakeName, str] = EMPTY


class Upstream(Strict):
    """The sources of a library that is a git repository of its own; ninja keeps it current.

    Without ``compile`` and ``cmake`` the library is its headers.

    Attributes:
        repository: name of a descriptor in repositories/.
        include_dirs: folders inside the repository that the library and its users include from.
        compile: sets of files to compile.
        precompile: headers inside the repository that most of its C++ files include. They are
            compiled once; files with cflags of their own do without.
        cmake: its own build, in place of ``compile``.
    """

    repository: Name
    include_dirs: tuple[RelativePath, ...] = ()
    compile: tuple[SourceSet, ...] = ()
    precompile: tuple[RelativePath, ...] = ()
    cmake: CMakeBuild | None = None

    def __post_init__(self) -> None:
        if self.precompile and not self.compile:
            raise ValueError("precompile goes with compile")
        if self.compile and self.cmake:
            raise ValueError("give either compile or cmake, not both")

    @property
    def is_headers_only(self) -> bool:
        """There is nothing to compile."""
        return not self.compile and self.cmake is None


class Workaround(Strict):
    """Flags for files of ``upstream`` that a version of a compiler does not compile as they are.

    Attributes:
        compiler: its family.
        first: the first version with the defect.
        below: the first version without it.
        files: globs inside the repository.
        cflags: behind all other flags of these files.
        note: what the defect is, and where that is said.
    """

    compiler: Literal["gcc", "clang"]
    first: CompilerVersion
    below: CompilerVersion
    files: Annotated[tuple[RelativePath, ...], Limits(min_length=1)]
    cflags: Annotated[tuple[Flag, ...], Limits(min_length=1)]
    note: Line


class Library(Descriptor):
    """A static library of the graph; it has either ``sources`` or ``upstream``.

    Attributes:
        licence: SPDX expression.
        machines: which compilers build it: ``device`` (Cortex-M), ``host``, or both.
        sources: files of this project and of packages of a registry.
        upstream: a git repository.
        include_dirs: folders that users of the library (and itself) include from.
        defines: macros for its own compilation: `NAME` or `NAME=VALUE`.
        release_defines: macros for its own compilation with `build_type=release` alone.
        public_defines: macros for its own compilation and that of its users.
        cflags: further flags for its own compilation.
        workarounds: for files of ``upstream`` that a compiler does not compile as they are.
        configured: it includes platform.h or names `{npu}`, so every configuration has its own
            build of it.
        requires: libraries whose headers it includes and which are linked behind it.
    """

    licence: Line
    machines: Annotated[tuple[Machine, ...], Limits(min_length=1)]
    sources: tuple[LocalSources | PackageSources, ...] = ()
    upstream: Upstream | None = None
    include_dirs: tuple[RelativePath, ...] = ()
    defines: tuple[Flag, ...] = ()
    release_defines: tuple[Flag, ...] = ()
    public_defines: tuple[Flag, ...] = ()
    cflags: tuple[Flag, ...] = ()
    workarounds: tuple[Workaround, ...] = ()
    configured: bool = False
    requires: tuple[Name, ...] = ()

    def defines_of(self, build_type: str) -> tuple[str, ...]:
        """Return the macros for its own compilation."""
        return (*self.defines, *(self.release_defines if build_type == "release" else ()))

    def __post_init__(self) -> None:
        if bool(self.sources) == (self.upstream is not None):
            raise ValueError("give either sources (at least one) or upstream")
        if self.upstream is None and self.workarounds:
            raise ValueError("workarounds are for the files of upstream")
