# SPDX-License-Identifier: Apache-2.0
"""Turn a library's descriptor, its checkouts and a compiler into the spec of its build."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ethosmith.core.errors import EthosmithError, unknown_name
from ethosmith.descriptors.library import Library, Workaround
from ethosmith.descriptors.origin import option_of
from ethosmith.libraries.spec import CMakeTarget, Compilers, FileFlags, FileSet, LibrarySpec
from ethosmith.obtain.checkout import Checkout
from ethosmith.toolchains.compiler import Compiler

_NPU = "npu"
_NO_WARNINGS = "-w"
# They begin like warnings, and hand options to other programs.
_PASSED_ON = ("-Wa,", "-Wl,", "-Wp,")


class Uses(NamedTuple):
    """What a library is compiled with besides its own files.

    Attributes:
        include_dirs: of it and of all that it requires, relative to the project.
        defines: NAME or NAME=VALUE.
        npu: the NPU's configuration.
        build_type: release or debug.
    """

    include_dirs: Sequence[str]
    defines: Sequence[str]
    npu: str
    build_type: str


def third_party(compilers: Compilers, further: Iterable[str]) -> Compilers:
    """Return ``compilers`` for sources that are not ours: without warnings.

    Args:
        compilers: those of our own sources.
        further: flags of the library.
    """
    return Compilers(
        cc=compilers.cc,
        cxx=compilers.cxx,
        ar=compilers.ar,
        # `rcs` would let files of one name, in two folders, replace each other.
        arflags=[compilers.arflags[0].replace("r", "q", 1), *compilers.arflags[1:]],
        flags=[*_without_warnings(compilers.flags), _NO_WARNINGS, *further],
        cflags=_without_warnings(compilers.cflags),
        cxxflags=_without_warnings(compilers.cxxflags),
        system=compilers.system,
    )


def _without_warnings(words: Iterable[str]) -> list[str]:
    return [
        word
        for word in words
        if word.startswith(_PASSED_ON) or not word.startswith(("-W", "-pedantic"))
    ]


def library_spec(
    library: Library,
    path: Path,
    checkouts: Sequence[Checkout],
    compilers: Compilers,
    compiler: Compiler,
    uses: Uses,
) -> LibrarySpec:
    """Return the spec of a library with ``upstream``.

    Args:
        library: its descriptor.
        path: the descriptor's file, for messages.
        checkouts: of its own repository, and of those that it requires.
        compilers: programs and flags of this build.
        compiler: what the C compiler is.
        uses: what it is compiled with.

    Raises:
        EthosmithError: an option of CMake has a name in braces that means nothing.
    """
    upstream = library.upstream
    sets = upstream.compile if upstream else ()
    return LibrarySpec(
        name=library.name,
        descriptor=str(path),
        link=checkouts[0].link,
        links={checkout.name: checkout.link for checkout in checkouts},
        origins={checkout.name: checkout.origin for checkout in checkouts},
        states={checkout.name: checkout.state for checkout in checkouts if checkout.state},
        compilers=third_party(compilers, library.cflags),
        include_dirs=list(uses.include_dirs),
        defines=[*uses.defines, *library.defines_of(uses.build_type)],
        sets=[FileSet(one.files, one.exclude, one.replace_with, one.cflags) for one in sets],
        cmake=_cmake(library, path, checkouts, uses.npu),
        file_flags=[
            FileFlags(one.files, one.cflags)
            for one in library.workarounds
            if is_needed(one, compiler)
        ],
        precompiled=upstream.precompile if upstream else (),
    )


def _cmake(
    library: Library, path: Path, checkouts: Iterable[Checkout], npu: str
) -> CMakeTarget | None:
    cmake = library.upstream.cmake if library.upstream else None
    if cmake is None:
        return None
    # The places of repositories are filled in later: they are no part of the signature.
    values = {option_of(one.name): f"{{{one.name}}}" for one in checkouts}
    if library.configured:
        values[_NPU] = npu
    options = {key: _filled(value, values, path) for key, value in cmake.options.items()}
    return CMakeTarget(cmake.target, cmake.folder, options)


def _filled(text: str, values: Mapping[str, str], path: Path) -> str:
    def value_of(match: re.Match[str]) -> str:
        if match[1] not in values:
            name = unknown_name("name in braces", match[1], values)
            raise EthosmithError(f"{path}: cmake.options: {name}")
        return values[match[1]]

    return re.sub(r"\{(\w+)\}", value_of, text)


def is_needed(workaround: Workaround, compiler: Compiler) -> bool:
    """Tell whether the compiler has the defect."""
    return (
        compiler.family == workaround.compiler
        and not compiler.is_older_than(workaround.first)
        and compiler.is_older_than(workaround.below)
    )
