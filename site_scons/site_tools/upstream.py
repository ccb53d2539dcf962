# SPDX-License-Identifier: Apache-2.0
"""Build a library from its git repository, as one node that ninja keeps: `ethosmith.libraries`."""

import json
import posixpath
import re
from collections.abc import Iterable, Sequence
from typing import Any

from ethosmith.descriptors.library import Library, Workaround
from ethosmith.descriptors.nearest import unknown_name
from ethosmith.descriptors.repository import option_of
from ethosmith.environment.tools import find_program
from ethosmith.errors import EthosmithError
from ethosmith.graph.layout import repository_link
from ethosmith.graph.project import Located
from ethosmith.graph.repositories import Checkout
from ethosmith.libraries.spec import CMakeTarget, Compilers, FileFlags, FileSet, LibrarySpec
from ethosmith.toolchains.compiler import Compiler, identify

# Of the device's programs; the names of its system and of a configuration's NPU in CMake's options.
_BARE_METAL = "Generic"
_NPU = "npu"


def upstream_archive(
    env: Any,
    item: Located[Library],
    required: Sequence[Located[Library]],
    include_dirs: Sequence[str],
    defines: Sequence[str],
    folder: str,
) -> Any:
    """Return the node of the archive of a library with ``upstream``; None if it is headers.

    Args:
        env: an environment with a toolchain.
        item: the library.
        required: all libraries whose headers it may include.
        include_dirs: of it and of them.
        defines: of it and of them.
        folder: of the archive.
    """
    library = item.descriptor
    used = [one.descriptor.upstream for one in (item, *required)]
    names = dict.fromkeys(upstream.repository for upstream in used if upstream is not None)
    checkouts = [env["REPOSITORIES"].checkout(name) for name in names]
    if library.upstream is None or library.upstream.is_headers_only:
        return None
    target = f"{folder}/lib{library.name}.a"
    found = [checkout for checkout in checkouts if checkout]
    if len(found) < len(checkouts):
        # Its sources are to be fetched first; `UnfetchedRepositories` says so.
        return env.File(target)
    spec = _spec(env, item, found, include_dirs, defines)
    return env.Step(
        "ethosmith.libraries.build",
        target=target,
        source=[],
        options=[
            *("--spec-json", spec.to_json()),
            *("--folder", f"{folder}/{library.name}"),
            *("--output", target),
        ],
        unsigned_options=_unsigned(env, found),
        versions=[env["TOOLCHAIN_VERSION"]],
        say=f"NINJA     {target}",
    )[0]


def _spec(
    env: Any,
    item: Located[Library],
    checkouts: Sequence[Checkout],
    include_dirs: Sequence[str],
    defines: Sequence[str],
) -> LibrarySpec:
    library = item.descriptor
    sets = library.upstream.compile if library.upstream else ()
    return LibrarySpec(
        name=library.name,
        descriptor=str(item.path),
        link=checkouts[0].link,
        origins={checkout.name: checkout.origin for checkout in checkouts},
        states={checkout.name: checkout.state for checkout in checkouts if checkout.state},
        compilers=_compilers(env, library.cflags),
        include_dirs=[folder.removeprefix("#") for folder in include_dirs],
        defines=list(defines),
        sets=[FileSet(one.files, one.exclude, one.replace_with, one.cflags) for one in sets],
        cmake=_cmake(env, item, checkouts),
        file_flags=[
            FileFlags(one.files, one.cflags)
            for one in library.workarounds
            if _is_needed(one, _compiler(env))
        ],
    )


def _compilers(env: Any, further: Iterable[str]) -> Compilers:
    return Compilers(
        cc=_words(env, "CC")[0],
        cxx=_words(env, "CXX")[0],
        ar=_words(env, "AR")[0],
        arflags=_appending(_words(env, "ARFLAGS")[0]),
        flags=[*_without_warnings(_words(env, "CCFLAGS")[0]), "-w", *further],
        cflags=_without_warnings(_words(env, "CFLAGS")[0]),
        cxxflags=_without_warnings(_words(env, "CXXFLAGS")[0]),
        system=_BARE_METAL if env["MACHINE"] == "device" else "",
    )


def _appending(flags: Sequence[str]) -> list[str]:
    """Return `rcs` as `qcs`: files of the same name in two folders must not replace each other."""
    return [flags[0].replace("r", "q", 1), *flags[1:]]


def _words(env: Any, name: str) -> tuple[list[str], list[str]]:
    """Return a construction variable's words, and those that change no output: in `$(` `$)`."""
    signed: list[str] = []
    unsigned: list[str] = []
    now = signed
    value = env[name]
    for word in value.split() if isinstance(value, str) else env.Flatten(value):
        if word in {"$(", "$)"}:
            now = unsigned if word == "$(" else signed
        else:
            now.append(env.subst(word))
    return signed, unsigned


def _without_warnings(words: Iterable[str]) -> list[str]:
    """Leave warnings out: they are for our own code."""
    passed = ("-Wa,", "-Wl,", "-Wp,")
    return [
        word
        for word in words
        if word.startswith(passed) or not word.startswith(("-W", "-pedantic"))
    ]


def _cmake(env: Any, item: Located[Library], checkouts: Sequence[Checkout]) -> CMakeTarget | None:
    cmake = item.descriptor.upstream.cmake if item.descriptor.upstream else None
    if cmake is None:
        return None
    # The places of repositories are filled in later: they are no part of the signature.
    values = {name: f"{{{name}}}" for name in (option_of(one.name) for one in checkouts)}
    if item.descriptor.configured:
        values[_NPU] = env["BOARD_NPU"]

    def filled(match: re.Match[str]) -> str:
        if match[1] not in values:
            name = unknown_name("name in braces", match[1], values)
            raise EthosmithError(f"{item.path}: cmake.options: {name}")
        return values[match[1]]

    options = {key: re.sub(r"\{(\w+)\}", filled, value) for key, value in cmake.options.items()}
    return CMakeTarget(cmake.target, cmake.folder, options)


def _compiler(env: Any) -> Compiler:
    if env["MACHINE"] == "device":
        compiler: Compiler = env["TOOLCHAIN"].compiler
        return compiler
    return identify(find_program("cc"))


def _is_needed(workaround: Workaround, compiler: Compiler) -> bool:
    """Tell whether the compiler has the defect."""
    return (
        compiler.family == workaround.compiler
        and not compiler.is_older_than(workaround.first)
        and compiler.is_older_than(workaround.below)
    )


def _unsigned(env: Any, checkouts: Sequence[Checkout]) -> list[str]:
    """Return what changes no byte of the archive: places, and how it is shown."""
    root = env["PROJECT"].root
    # CMake may name the sources by their real place.
    real = [f"-ffile-prefix-map={(root / c.link).resolve()}=./{c.link}" for c in checkouts]
    flags = {"flags": [*_words(env, "CCFLAGS")[1], *real], "cxxflags": _words(env, "CXXFLAGS")[1]}
    options = ["--unsigned-json", json.dumps(flags), "--jobs", str(env.GetOption("num_jobs"))]
    return [*options, "--verbose"] if env["VERBOSE"] else options


def repository_include_dirs(env: Any, library: Library) -> tuple[str, ...]:
    """Return the folders that users of a library with ``upstream`` include from."""
    if library.upstream is None:
        return ()
    link = repository_link(library.upstream.repository)
    folders = (posixpath.normpath(f"{link}/{one}") for one in library.upstream.include_dirs)
    del env
    return tuple(f"#{folder}" for folder in folders)


def exists(env: Any) -> bool:
    """Say that the tool can be used: CMake and ninja are packages of Ethosmith's."""
    del env
    return True


def generate(env: Any) -> None:
    """Add the methods `UpstreamArchive` and `RepositoryIncludeDirs`."""
    env.AddMethod(upstream_archive, "UpstreamArchive")
    env.AddMethod(repository_include_dirs, "RepositoryIncludeDirs")
