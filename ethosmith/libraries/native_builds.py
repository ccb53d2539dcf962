# SPDX-License-Identifier: Apache-2.0
"""Compile a library with its own build: ninja over a set of files, or the repository's CMake."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ethosmith.core.files import update_text
from ethosmith.libraries.spec import CMakeTarget, LibrarySpec, SourceFile, matches

_HEADERS = "headers.h"
_HEAD = """\
ninja_required_version = 1.7
builddir = {builddir}

rule cc
  command = {cc} -MD -MF $out.d $flags -c -o $out $in
  depfile = $out.d
  deps = gcc
  description = CC $out

rule cxx
  command = {cxx} -MD -MF $out.d $flags -c -o $out $in
  depfile = $out.d
  deps = gcc
  description = CXX $out

rule header
  command = {cxx} -MD -MF $out.d -x c++-header -c -o $out $in
  depfile = $out.d
  deps = gcc
  description = PCH $out

rule ar
  command = rm -f $out && {ar} $out @$out.rsp
  rspfile = $out.rsp
  rspfile_content = $in_newline
  description = AR $out
"""


def write_ninja_file(
    spec: LibrarySpec,
    files: Sequence[SourceFile],
    unsigned: Mapping[str, Sequence[str]],
    root: Path,
    folder: Path,
) -> Path:
    """Write ``folder``/build.ninja, for a run in the project's folder; return the archive's path.

    Args:
        spec: the library.
        files: what to compile.
        unsigned: further ``flags`` and ``cxxflags``, and the compilers' ``launcher``.
        root: the project's folder.
        folder: of everything that is made, relative to it.
    """
    archive = folder / f"lib{spec.name}.a"
    if spec.precompiled:
        places = (os.path.relpath(Path(spec.link) / one, folder) for one in spec.precompiled)
        includes = "".join(f'#include "{Path(place).as_posix()}"\n' for place in places)
        update_text(root / folder / _HEADERS, includes)
    text = "\n".join([_head(spec, unsigned, folder), *_builds(spec, files, folder, archive), ""])
    update_text(root / folder / "build.ninja", text)
    return archive


def _head(spec: LibrarySpec, unsigned: Mapping[str, Sequence[str]], folder: Path) -> str:
    compilers, launcher = spec.compilers, unsigned.get("launcher", ())
    common = [
        *compilers.flags,
        *unsigned.get("flags", ()),
        *(f"-D{name}" for name in spec.defines),
        *(f"-I{path}" for path in spec.include_dirs),
    ]
    return _HEAD.format(
        builddir=_path(folder),
        cc=_command([*launcher, *compilers.cc, *compilers.cflags, *common]),
        cxx=_command([*compilers.cxx, *compilers.cxxflags, *unsigned.get("cxxflags", ()), *common]),
        ar=_command([*compilers.ar, *compilers.arflags]),
    )


def _builds(
    spec: LibrarySpec, files: Sequence[SourceFile], folder: Path, archive: Path
) -> Iterator[str]:
    # Both GCC and Clang take HEADER.gch in the place of `-include HEADER`.
    headers = folder / _HEADERS
    compiled = headers.with_name(f"{_HEADERS}.gch")
    if spec.precompiled:
        yield f"build {_path(compiled)}: header {_path(headers)}"
    objects = []
    for file in files:
        source, target = Path(spec.link) / file.path, folder / "obj" / f"{file.path}.o"
        rule = "cxx" if file.is_cxx else "cc"
        flags, also = _command(file.cflags), ""
        # Flags of its own would not match those that the headers were compiled with.
        if spec.precompiled and file.is_cxx and not file.cflags:
            flags, also = _command(["-include", headers.as_posix()]), f" | {_path(compiled)}"
        yield f"build {_path(target)}: {rule} {_path(source)}{also}\n  flags = {flags}"
        objects.append(_path(target))
    yield f"build {_path(archive)}: ar {' '.join(objects)}\ndefault {_path(archive)}"


def _command(words: Sequence[str]) -> str:
    """Return ``words`` for ninja, which gives commands to a shell."""
    return shlex.join(words).replace("$", "$$")


def _path(path: Path) -> str:
    text = path.as_posix().replace("$", "$$")
    return text.replace(" ", "$ ").replace(":", "$:")


_TOOLCHAIN = "toolchain.cmake"
_HOOK = "hook.cmake"
_ARCHIVES = "archives"


def write_cmake_files(
    spec: LibrarySpec,
    cmake: CMakeTarget,
    names: Sequence[str],
    unsigned: Mapping[str, Sequence[str]],
    folder: Path,
) -> None:
    """Write the toolchain file, and the hook that gives some files flags of their own.

    Args:
        spec: the library.
        cmake: its build.
        names: all files of the repository.
        unsigned: further ``flags`` and ``cxxflags``, and the compilers' ``launcher``.
        folder: of everything that is made.
    """
    update_text(folder / _TOOLCHAIN, toolchain_file(spec, unsigned))
    update_text(folder / _HOOK, _hook(spec, cmake, names))


def toolchain_file(spec: LibrarySpec, unsigned: Mapping[str, Sequence[str]]) -> str:
    """Return the text of the toolchain file."""
    return "\n".join([*_toolchain_lines(spec, unsigned), ""])


def _toolchain_lines(spec: LibrarySpec, unsigned: Mapping[str, Sequence[str]]) -> Iterator[str]:
    compilers = spec.compilers
    if compilers.system:
        yield _set("CMAKE_SYSTEM_NAME", compilers.system)
        yield _set("CMAKE_SYSTEM_PROCESSOR", compilers.processor)
        # There is nothing to link a test program with.
        yield _set("CMAKE_TRY_COMPILE_TARGET_TYPE", "STATIC_LIBRARY")
    common = [*compilers.flags, *(f"-D{name}" for name in spec.defines)]
    common += unsigned.get("flags", ())
    languages = (
        ("C", compilers.cc, compilers.cflags),
        ("CXX", compilers.cxx, [*compilers.cxxflags, *unsigned.get("cxxflags", ())]),
    )
    for language, command, own in languages:
        launcher = [*unsigned.get("launcher", ()), *command[:-1]]
        yield _set(f"CMAKE_{language}_COMPILER", command[-1])
        if launcher:
            yield _set(f"CMAKE_{language}_COMPILER_LAUNCHER", ";".join(launcher))
        flags = [word for word in (*common, *own) if not word.startswith("-std=")]
        # CMake hands them to a shell as they are.
        yield _set(f"CMAKE_{language}_FLAGS_INIT", shlex.join(flags))
        create = " ".join(["<CMAKE_AR>", *compilers.arflags, "<TARGET>", "<OBJECTS>"])
        yield _set(f"CMAKE_{language}_ARCHIVE_CREATE", create)
        yield _set(f"CMAKE_{language}_ARCHIVE_FINISH", "")
    archiver = compilers.ar[-1]
    yield _set("CMAKE_AR", shutil.which(archiver) or archiver)


def _hook(spec: LibrarySpec, cmake: CMakeTarget, names: Sequence[str]) -> str:
    """Return CMake code that runs when all targets are there."""
    lines = []
    for one in spec.file_flags:
        for name in names:
            if any(matches(name, pattern) for pattern in one.files):
                path = "${CMAKE_SOURCE_DIR}/" + os.path.relpath(name, cmake.folder)
                flags = ";".join(one.cflags)
                lines.append(
                    "cmake_language(DEFER DIRECTORY ${CMAKE_SOURCE_DIR} CALL"
                    f" set_source_files_properties {_text(path, expand=True)}"
                    f" TARGET_DIRECTORY {cmake.target} PROPERTIES COMPILE_OPTIONS {_text(flags)})"
                )
    return "\n".join([*lines, ""])


def configure_command(
    program: str, ninja: str, spec: LibrarySpec, cmake: CMakeTarget, root: Path, folder: Path
) -> list[str]:
    """Return the command that configures the build in ``folder``/build.

    Args:
        program: CMake.
        ninja: ninja.
        spec: the library.
        cmake: its build.
        root: the project's folder.
        folder: absolute.
    """
    options: Mapping[str, str] = {
        "CMAKE_TOOLCHAIN_FILE": str(folder / _TOOLCHAIN),
        "CMAKE_PROJECT_INCLUDE": str(folder / _HOOK),
        "CMAKE_ARCHIVE_OUTPUT_DIRECTORY": str(folder / _ARCHIVES),
        "CMAKE_BUILD_TYPE": "",
        "CMAKE_EXPORT_COMPILE_COMMANDS": "ON",
        "CMAKE_MAKE_PROGRAM": ninja,
        # A build fetches nothing.
        "FETCHCONTENT_FULLY_DISCONNECTED": "ON",
        **{key: _with_places(value, spec, root) for key, value in cmake.options.items()},
    }
    source = Path(os.path.normpath(root / spec.link / cmake.folder))
    words = [program, "-G", "Ninja", "-S", str(source), "-B", str(folder / "build")]
    words += ["--no-warn-unused-cli", "-Wno-dev"]
    return [*words, *(f"-D{name}={value}" for name, value in options.items())]


def _with_places(value: str, spec: LibrarySpec, root: Path) -> str:
    """Fill in where the repositories are."""
    for name, link in spec.links.items():
        value = value.replace(f"{{{name}}}", str(root / link))
    return value


def archives(folder: Path) -> list[Path]:
    """Return the archives that were made, sorted."""
    return sorted((folder / _ARCHIVES).glob("*.a"))


def archive_of(cmake: CMakeTarget, folder: Path) -> Path | None:
    """Return the archive of the target; None if it was not made where it had to be."""
    made = archives(folder)
    named = [path for path in made if path.name == f"lib{cmake.target}.a"]
    found = named or made
    return found[0] if len(found) == 1 else None


def _set(name: str, value: str) -> str:
    return f"set({name} {_text(value)})"


def _text(value: str, *, expand: bool = False) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped if expand else escaped.replace("$", chr(92) + "$")}"'
