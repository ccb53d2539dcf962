# SPDX-License-Identifier: Apache-2.0
"""Build a library from its git repository, as one node that ninja keeps: `ethosmith.libraries`."""

import json
import posixpath
from collections.abc import Sequence
from typing import Any

from ethosmith.descriptors.library import Library
from ethosmith.environment.tools import find_program
from ethosmith.graph.project import Located
from ethosmith.graph.repositories import check_include_dirs
from ethosmith.libraries.plan import Uses, library_spec
from ethosmith.libraries.spec import Compilers, LibrarySpec
from ethosmith.obtain.checkout import Checkout, repository_link
from ethosmith.toolchains.compiler import Compiler, identify

# CMake's name of a system without an operating system.
_BARE_METAL = "Generic"


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
        defines: that its users have to define, and theirs.
        folder: of the archive.
    """
    library = item.descriptor
    used = [one.descriptor.upstream for one in (item, *required)]
    names = dict.fromkeys(upstream.repository for upstream in used if upstream is not None)
    checkouts = [env["REPOSITORIES"].checkout(name) for name in names]
    if None not in checkouts:
        check_include_dirs(env["PROJECT"], item)
    if library.upstream is None or library.upstream.is_headers_only:
        return None
    target = f"{folder}/lib{library.name}.a"
    found = [checkout for checkout in checkouts if checkout is not None]
    if len(found) < len(checkouts):
        # Its sources have to be fetched first; `DeclareDeps` says so.
        return env.File(target)
    places = [one.removeprefix("#") for one in include_dirs]
    uses = Uses(places, defines, env["BOARD_NPU"], env["BUILD_TYPE"])
    spec = library_spec(library, item.path, found, _compilers(env), _compiler(env), uses)
    return _built(env, spec, found, folder, target)


def _built(
    env: Any, spec: LibrarySpec, checkouts: Sequence[Checkout], folder: str, target: str
) -> Any:
    return env.Step(
        "ethosmith.libraries.build",
        target=target,
        source=[],
        options=[
            *("--spec-json", spec.to_json()),
            *("--folder", f"{folder}/{spec.name}"),
            *("--output", target),
        ],
        unsigned_options=_unsigned(env, checkouts),
        versions=[env["TOOLCHAIN_VERSION"]],
        say=f"NINJA     {target}",
    )[0]


def _compilers(env: Any) -> Compilers:
    return Compilers(
        cc=_words(env, "CC")[0],
        cxx=_words(env, "CXX")[0],
        ar=_words(env, "AR")[0],
        arflags=_words(env, "ARFLAGS")[0],
        flags=_words(env, "CCFLAGS")[0],
        cflags=_words(env, "CFLAGS")[0],
        cxxflags=_words(env, "CXXFLAGS")[0],
        system=_BARE_METAL if env["MACHINE"] == "device" else "",
    )


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


def _compiler(env: Any) -> Compiler:
    if env["MACHINE"] == "device":
        compiler: Compiler = env["TOOLCHAIN"].compiler
        return compiler
    return identify(find_program("cc"))


def _unsigned(env: Any, checkouts: Sequence[Checkout]) -> list[str]:
    """Return what changes no byte of the archive: places, and how it is shown."""
    root = env["PROJECT"].root
    # CMake may name the sources by their real place.
    real = [f"-ffile-prefix-map={(root / c.link).resolve()}=./{c.link}" for c in checkouts]
    launcher = env["SESSION"].launcher
    unsigned = {
        # One that distributes would change the debug information.
        "launcher": [launcher.program]
        if launcher.program and not launcher.sends_preprocessed
        else [],
        "flags": [*_words(env, "CCFLAGS")[1], *real],
        "cxxflags": _words(env, "CXXFLAGS")[1],
    }
    options = ["--unsigned-json", json.dumps(unsigned), "--jobs", str(env.GetOption("num_jobs"))]
    return [*options, "--verbose"] if env["VERBOSE"] else options


def repository_include_dirs(env: Any, library: Library) -> tuple[str, ...]:
    """Return the folders that users of a library with ``upstream`` include from."""
    del env
    if library.upstream is None:
        return ()
    link = repository_link(library.upstream.repository)
    folders = (posixpath.normpath(f"{link}/{one}") for one in library.upstream.include_dirs)
    return tuple(f"#{folder}" for folder in folders)


def exists(env: Any) -> bool:
    """Say that the tool can be used: CMake and ninja are packages of Ethosmith's."""
    del env
    return True


def generate(env: Any) -> None:
    """Add the methods `UpstreamArchive` and `RepositoryIncludeDirs`."""
    # Set by firmware.py for each configuration; no library of the host depends on it.
    env["BOARD_NPU"] = ""
    env.AddMethod(upstream_archive, "UpstreamArchive")
    env.AddMethod(repository_include_dirs, "RepositoryIncludeDirs")
