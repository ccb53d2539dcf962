# SPDX-License-Identifier: Apache-2.0
"""Find a toolchain's programs on this machine, and put together the flags of one build."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NamedTuple

from ethosmith.core.bounded_run import run_within
from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.toolchain import BorrowedLibraries, Core, Toolchain
from ethosmith.environment.tools import program_version
from ethosmith.toolchains.compiler import Compiler, SystemLibraries, borrowed, identify

_PROBE_LIMIT_S = 20


class InstalledToolchain(NamedTuple):
    """A toolchain for one processor and build type.

    Attributes:
        name: of its descriptor.
        compiler: what its C compiler is: what a workaround of a defect asks for.
        c: its C compiler; ``cxx`` and ``archiver`` accordingly.
        flags: for compiling and linking.
        compile_flags: for compiling alone.
        cxx_flags: for compiling C++ alone.
        link_flags: for linking alone.
        libraries: borrowed ones; empty if it has its own.
        tools: name and version of everything that an image depends on, a line each.
        search_path: ``PATH`` of the build, its folder first.
    """

    name: str
    compiler: Compiler
    c: Path
    cxx: Path
    archiver: Path
    flags: tuple[str, ...]
    compile_flags: tuple[str, ...]
    cxx_flags: tuple[str, ...]
    link_flags: tuple[str, ...]
    libraries: SystemLibraries
    tools: tuple[str, ...]
    search_path: str

    @property
    def signature(self) -> str:
        """One line that is another one for every other compiler, linker or library."""
        return "; ".join(self.tools)


class _Found(NamedTuple):
    """The programs under one of the suffixes."""

    c: Path
    compiler: Compiler
    suffix: str


def find_toolchain(
    toolchain: Toolchain, core: str, build_type: str, folder: str, search_path: str
) -> InstalledToolchain:
    """Return the toolchain as it is installed here.

    Args:
        toolchain: its descriptor.
        core: the processor, as in a platform's ``cpu.core``.
        build_type: release or debug.
        folder: where the user says that it is, or an empty string for ``search_path``.
        search_path: ``PATH``.

    Raises:
        EthosmithError: it is missing, too old, or does not know the processor.
    """
    places = _places(toolchain, folder, search_path)
    found = _compiler(toolchain, places)
    known = _core(toolchain, core, found)
    libraries, library_tools = _libraries(toolchain, search_path)
    flags = (*known.flags, *toolchain.flags, *_optimisation(toolchain, build_type))
    if not toolchain.libraries and toolchain.family == "clang":
        _check_own_library(found.c, flags, toolchain)
    return InstalledToolchain(
        name=toolchain.name,
        compiler=found.compiler,
        c=found.c,
        cxx=_sibling(toolchain, toolchain.programs.cxx + found.suffix, places),
        archiver=_sibling(toolchain, toolchain.programs.archiver, search_path, places),
        flags=flags,
        compile_flags=toolchain.compile_flags,
        cxx_flags=toolchain.cxx_flags,
        link_flags=toolchain.link_flags,
        libraries=libraries,
        tools=(
            f"{toolchain.family} {found.compiler.line}",
            *_linker(toolchain, found, places, search_path),
            *library_tools,
        ),
        search_path=places if places == search_path else f"{places}{os.pathsep}{search_path}",
    )


def _places(toolchain: Toolchain, folder: str, search_path: str) -> str:
    """Return where to look: the user's folder or its bin/, and then nowhere else."""
    if not folder:
        return search_path
    given = Path(folder).expanduser().absolute()
    for place in (given, given / "bin"):
        if _candidates(toolchain, str(place)):
            return str(place)
    raise EthosmithError(
        f"{folder}: no {toolchain.programs.c} there, nor in its bin/; let toolchain_path= or"
        f" ETHOSMITH_TOOLCHAIN_PATH name the folder of the toolchain {toolchain.name}"
    )


def _candidates(toolchain: Toolchain, places: str) -> list[tuple[str, Path]]:
    names = ((suffix, toolchain.programs.c + suffix) for suffix in toolchain.suffixes)
    found = ((suffix, shutil.which(name, path=places)) for suffix, name in names)
    return [(suffix, Path(path).absolute()) for suffix, path in found if path]


def _compiler(toolchain: Toolchain, places: str) -> _Found:
    refused = []
    for suffix, path in _candidates(toolchain, places):
        compiler = identify(path)
        if compiler.family != toolchain.family:
            refused.append(f"{path} is {compiler.family} {compiler.version_text}")
        elif compiler.is_older_than(toolchain.minimum_version):
            refused.append(f"{path} is {compiler.version_text}")
        else:
            return _Found(path, compiler, suffix)
    needed = f"toolchain {toolchain.name} needs {toolchain.family} {toolchain.minimum_version}"
    why = f": {', '.join(refused)}" if refused else f": {toolchain.programs.c} was not found"
    raise EthosmithError(f"{needed} or newer{why}; get it with: {toolchain.obtain}")


def _core(toolchain: Toolchain, name: str, found: _Found) -> Core:
    for core in toolchain.cores:
        if core.name == name:
            if core.minimum_version and found.compiler.is_older_than(core.minimum_version):
                raise EthosmithError(
                    f"{found.c} is {found.compiler.version_text}, and {name} needs"
                    f" {toolchain.family} {core.minimum_version} or newer; get it with:"
                    f" {toolchain.obtain}; or use another toolchain="
                )
            return core
    known = ", ".join(core.name for core in toolchain.cores)
    raise EthosmithError(f"toolchain {toolchain.name} has no {name} (it has {known})")


def _optimisation(toolchain: Toolchain, build_type: str) -> tuple[str, ...]:
    for item in toolchain.optimisations:
        if item.build_type == build_type:
            return item.flags
    raise EthosmithError(f"toolchain {toolchain.name} has no flags for build_type={build_type}")


def _sibling(toolchain: Toolchain, name: str, *places: str) -> Path:
    found = next((path for place in places if (path := shutil.which(name, path=place))), None)
    if found is None:
        raise EthosmithError(
            f"{name} of the toolchain {toolchain.name} was not found; get it with:"
            f" {toolchain.obtain}"
        )
    return Path(found).absolute()


def _linker(toolchain: Toolchain, found: _Found, *places: str) -> list[str]:
    if toolchain.programs.linker is None:
        return []
    name = toolchain.programs.linker + found.suffix
    return [f"linker {program_version(_sibling(toolchain, name, *places))}"]


def _libraries(toolchain: Toolchain, search_path: str) -> tuple[SystemLibraries, list[str]]:
    wanted = toolchain.libraries
    if wanted is None:
        return SystemLibraries(), []
    owner = _owner(toolchain, wanted, search_path)
    return (
        borrowed(owner, wanted.flags, wanted.archives),
        [f"libraries {program_version(owner)}"],
    )


def _owner(toolchain: Toolchain, wanted: BorrowedLibraries, search_path: str) -> Path:
    found = shutil.which(wanted.compiler, path=search_path)
    if found is None:
        raise EthosmithError(
            f"toolchain {toolchain.name} uses the libraries of {wanted.compiler}, which was not"
            f" found; get it with: {toolchain.obtain}"
        )
    return Path(found).absolute()


def _check_own_library(c: Path, flags: tuple[str, ...], toolchain: Toolchain) -> None:
    command: list[str | Path] = [c, *flags, "-E", "-x", "c", "-"]
    done = run_within(command, _PROBE_LIMIT_S, given=b"#include <string.h>\n")
    if done.returncode:
        raise EthosmithError(
            f"{c} has no C library for {flags[0].removeprefix('-mcpu=')}, so it is not the"
            f" toolchain {toolchain.name}; get it with: {toolchain.obtain}"
        )
