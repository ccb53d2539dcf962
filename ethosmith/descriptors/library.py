# SPDX-License-Identifier: Apache-2.0
"""libraries/NAME.yaml: one library, its sources, and how they are compiled."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ethosmith.descriptors.base import Descriptor, Line, Name, RelativePath, Strict
from ethosmith.descriptors.origin import Member

Machine = Literal["device", "host"]
Flag = Annotated[str, Field(pattern=r"^[^\s\x00]+$")]


class LocalSources(Strict):
    """Files of this project.

    Attributes:
        local: paths or globs, relative to the folder that holds libraries/.
    """

    local: Annotated[tuple[RelativePath, ...], Field(min_length=1)]


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
    compile: Annotated[tuple[Member, ...], Field(min_length=1)]
    include: tuple[Member, ...] = ()
    include_dirs: tuple[RelativePath, ...] = ()
    cflags: tuple[Flag, ...] = ()


class Library(Descriptor):
    """A static library of the graph.

    Attributes:
        licence: SPDX expression.
        machines: which compilers build it: ``device`` (Cortex-M), ``host``, or both.
        sources: what is compiled into it.
        include_dirs: folders that users of the library (and itself) include from.
        defines: macros for its own compilation: `NAME` or `NAME=VALUE`.
        cflags: further flags for its own compilation.
        configured: it includes platform.h, so every configuration has its own build of it.
        requires: libraries whose headers it includes and which are linked behind it.
    """

    licence: Line
    machines: Annotated[tuple[Machine, ...], Field(min_length=1)]
    sources: Annotated[tuple[LocalSources | PackageSources, ...], Field(min_length=1)]
    include_dirs: tuple[RelativePath, ...] = ()
    defines: tuple[Flag, ...] = ()
    cflags: tuple[Flag, ...] = ()
    configured: bool = False
    requires: tuple[Name, ...] = ()
