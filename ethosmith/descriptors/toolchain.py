# SPDX-License-Identifier: Apache-2.0
"""toolchains/NAME.yaml: a compiler for the device, its flags, and how to get it."""

from __future__ import annotations

from typing import Annotated, Literal

from ethosmith.descriptors.base import Descriptor, Strict
from ethosmith.descriptors.words import COMPILER_VERSION, PROGRAM, WORD, CoreName, Limits, Line

BuildType = Literal["release", "debug"]
CompilerFamily = Literal["gcc", "clang"]
Flag = Annotated[str, Limits(pattern=WORD)]
Flags = tuple[Flag, ...]
ProgramName = Annotated[str, Limits(pattern=PROGRAM)]
Suffix = Annotated[str, Limits(pattern=r"^[A-Za-z0-9.-]*$")]
VersionText = Annotated[str, Limits(pattern=COMPILER_VERSION)]


class Programs(Strict):
    """The names of a toolchain's programs.

    Attributes:
        c: compiler for C.
        cxx: compiler for C++; it also calls the linker.
        archiver: makes libraries.
        linker: the linker itself, if its version is not the compiler's; it is only looked for.
    """

    c: ProgramName
    cxx: ProgramName
    archiver: ProgramName
    linker: ProgramName | None = None


class Core(Strict):
    """A processor that the toolchain compiles for.

    Attributes:
        name: as in `cpu.core` of a platform.
        minimum_version: the compiler's first version that knows it; none: any.
        flags: for compiling and linking.
    """

    name: CoreName
    minimum_version: VersionText | None = None
    flags: Annotated[Flags, Limits(min_length=1)]


class Optimisation(Strict):
    """The flags of one value of ``build_type=``.

    Attributes:
        build_type: that value.
        flags: for compiling and linking.
    """

    build_type: BuildType
    flags: Flags


class BorrowedLibraries(Strict):
    """The C and C++ library, and the compiler's own, of another compiler.

    Attributes:
        compiler: that compiler: a GCC, which is asked where they lie.
        flags: what it is asked with; choose the variant of the libraries.
        archives: linked behind everything else, each found by its name.
    """

    compiler: ProgramName
    flags: Flags
    archives: Annotated[tuple[ProgramName, ...], Limits(min_length=1)]


class Toolchain(Descriptor):
    """A compiler for the device, with linker and libraries.

    Attributes:
        family: whose command line and whose defects it has.
        programs: their names.
        suffixes: what may stand behind the names of compilers and linker, such as ``-19``; the
            first that is installed and new enough counts.
        minimum_version: the oldest version that is taken.
        obtain: how to get it, for the message that says that it is missing.
        flags: for compiling and linking.
        compile_flags: for compiling alone.
        cxx_flags: for compiling C++ alone.
        link_flags: for linking alone.
        cores: the processors.
        optimisations: one for each build type.
        libraries: whose libraries are linked; none: its own.
    """

    family: CompilerFamily
    programs: Programs
    suffixes: Annotated[tuple[Suffix, ...], Limits(min_length=1)] = ("",)
    minimum_version: VersionText
    obtain: Line
    flags: Flags = ()
    compile_flags: Flags = ()
    cxx_flags: Flags = ()
    link_flags: Flags = ()
    cores: Annotated[tuple[Core, ...], Limits(min_length=1)]
    optimisations: Annotated[tuple[Optimisation, ...], Limits(min_length=1)]
    libraries: BorrowedLibraries | None = None
