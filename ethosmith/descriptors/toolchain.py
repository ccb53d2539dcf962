# SPDX-License-Identifier: Apache-2.0
"""toolchains/NAME.yaml: a compiler for the device, its flags, and how to get it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from ethosmith.descriptors.base import (
    COMPILER_VERSION,
    PROGRAM,
    WORD,
    Descriptor,
    Line,
    Strict,
)

CoreName = Literal["cortex-m55", "cortex-m85"]
BuildType = Literal["release", "debug"]
CompilerFamily = Literal["gcc", "clang"]
Flag = Annotated[str, StringConstraints(pattern=WORD)]
Flags = tuple[Flag, ...]
ProgramName = Annotated[str, StringConstraints(pattern=PROGRAM)]
Suffix = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]*$")]
VersionText = Annotated[str, StringConstraints(pattern=COMPILER_VERSION)]


class Programs(Strict):
    """The names of a toolchain's programs.

    Attributes:
        c: Compiler for C.
        cxx: Compiler for C++; it also calls the linker.
        archiver: Makes libraries.
        linker: The linker itself, if its version is not the compiler's; it is only looked for.
    """

    c: ProgramName
    cxx: ProgramName
    archiver: ProgramName
    linker: ProgramName | None = None


class Core(Strict):
    """A processor that the toolchain compiles for.

    Attributes:
        name: As in `cpu.core` of a platform.
        minimum_version: The compiler's first version that knows it; none: any.
        flags: For compiling and linking.
    """

    name: CoreName
    minimum_version: VersionText | None = None
    flags: Annotated[Flags, Field(min_length=1)]


class Optimisation(Strict):
    """The flags of one value of ``build_type=``.

    Attributes:
        build_type: That value.
        flags: For compiling and linking.
    """

    build_type: BuildType
    flags: Flags


class BorrowedLibraries(Strict):
    """The C and C++ library, and the compiler's own, of another compiler.

    Attributes:
        compiler: That compiler: a GCC, which is asked where they lie.
        flags: What it is asked with; choose the variant of the libraries.
        archives: Linked behind everything else, each found by its name.
    """

    compiler: ProgramName
    flags: Flags
    archives: Annotated[tuple[ProgramName, ...], Field(min_length=1)]


class Toolchain(Descriptor):
    """A compiler for the device, with linker and libraries.

    Attributes:
        family: Whose command line and whose defects it has.
        programs: Their names.
        suffixes: What may stand behind the names of compilers and linker, such as ``-19``; the
            first that is installed and new enough counts.
        minimum_version: The oldest version that is taken.
        obtain: How to get it, for the message that says that it is missing.
        flags: For compiling and linking.
        compile_flags: For compiling alone.
        cxx_flags: For compiling C++ alone.
        link_flags: For linking alone.
        cores: The processors.
        optimisations: One for each build type.
        libraries: Whose libraries are linked; none: its own.
    """

    family: CompilerFamily
    programs: Programs
    suffixes: Annotated[tuple[Suffix, ...], Field(min_length=1)] = ("",)
    minimum_version: VersionText
    obtain: Line
    flags: Flags = ()
    compile_flags: Flags = ()
    cxx_flags: Flags = ()
    link_flags: Flags = ()
    cores: Annotated[tuple[Core, ...], Field(min_length=1)]
    optimisations: Annotated[tuple[Optimisation, ...], Field(min_length=1)]
    libraries: BorrowedLibraries | None = None
