# SPDX-License-Identifier: Apache-2.0
"""Compile the libraries of libraries/*.yaml, and programs that use them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.library import Library, LocalSources, PackageSources
from ethosmith.graph.layout import package_folder
from ethosmith.graph.project import Located


@dataclass(frozen=True)
class Exported:
    """What the users of a library compile with, itself included.

    Attributes:
        include_dirs: of the project.
        system_dirs: of repositories: their headers may have warnings.
        defines: NAME or NAME=VALUE.
    """

    include_dirs: tuple[str, ...] = ()
    system_dirs: tuple[str, ...] = ()
    defines: tuple[str, ...] = ()

    def __add__(self, other: "Exported") -> "Exported":
        """Return both together, each word once."""
        return Exported(
            tuple(dict.fromkeys((*self.include_dirs, *other.include_dirs))),
            tuple(dict.fromkeys((*self.system_dirs, *other.system_dirs))),
            tuple(dict.fromkeys((*self.defines, *other.defines))),
        )

    def add_to(self, env: Any) -> None:
        """Let ``env`` compile with it."""
        # A folder that is given both ways is a system folder for the compiler; SCons looks for
        # headers in CPPPATH.
        system = [word for path in self.system_dirs for word in ("-isystem", path[1:])]
        env.Append(
            CPPPATH=[*self.include_dirs, *self.system_dirs],
            CCFLAGS=system,
            CPPDEFINES=list(self.defines),
        )


@dataclass(frozen=True)
class BuiltLibrary:
    """A library of one machine: its archive (None: it is headers), and what its users need."""

    archive: Any | None
    exported: Exported


def library_set(
    env: Any, names: Iterable[str], folder: str, shared_folder: str
) -> list[BuiltLibrary]:
    """Declare the libraries and all they require; return them in link order.

    Args:
        env: an environment with a toolchain; its CPPPATH holds the generated headers.
        names: libraries to build.
        folder: for libraries that include generated headers of one configuration.
        shared_folder: for libraries that are the same in every configuration.
    """
    project, machine = env["PROJECT"], env["MACHINE"]
    found = project.libraries_with_requirements(names)
    wrong = [item for item in found if machine not in item.descriptor.machines]
    if wrong:
        raise EthosmithError(f"{wrong[0].path}: is not built for the {machine} (see machines)")
    return [
        _library(env, item, folder if item.descriptor.configured else shared_folder, found)
        for item in found
    ]


def _library(
    env: Any, item: Located[Library], folder: str, found: Sequence[Located[Library]]
) -> BuiltLibrary:
    key = ("library", env["MACHINE"], item.descriptor.name, folder)
    built: BuiltLibrary = env["DECLARED"].once(key, lambda: _declare(env, item, folder, found))
    return built


def _declare(
    env: Any, item: Located[Library], folder: str, found: Sequence[Located[Library]]
) -> BuiltLibrary:
    library = item.descriptor
    exported = _exported(env, item, found)
    used = exported
    for other in sorted(found, key=_name):
        if other.descriptor.name in library.requires:
            used += _exported(env, other, found)
    if library.upstream is not None:
        return BuiltLibrary(_upstream_archive(env, item, used, found, folder), exported)
    own = env.Clone()
    used.add_to(own)
    own.Append(CPPDEFINES=list(library.defines_of(env["BUILD_TYPE"])), CCFLAGS=list(library.cflags))
    own.Append(CPPPATH=_package_include_dirs(env, library))
    if library.configured:
        own.Append(CPPPATH=list(env["CONFIGURED_HEADERS"]))
    objects = [
        node
        for sources in library.sources
        for node in _objects(own, item, sources, f"{folder}/{library.name}")
    ]
    archive = own.StaticLibrary(f"{folder}/lib{library.name}.a", objects)[0]
    return BuiltLibrary(archive, exported)


def _upstream_archive(
    env: Any,
    item: Located[Library],
    used: Exported,
    found: Sequence[Located[Library]],
    folder: str,
) -> Any | None:
    return env.UpstreamArchive(
        item,
        required=_required(item, found),
        include_dirs=[*used.include_dirs, *used.system_dirs],
        defines=used.defines,
        folder=folder,
    )


def _required(item: Located[Library], found: Sequence[Located[Library]]) -> list[Located[Library]]:
    """Return all that ``item`` requires, directly or through others.

    Their order does not depend on the program that they are for: programs share libraries.
    """
    names = set(item.descriptor.requires)
    required = []
    # Each library stands before what it requires.
    for other in found:
        if other.descriptor.name in names:
            required.append(other)
            names |= set(other.descriptor.requires)
    return sorted(required, key=_name)


def _name(item: Located[Library]) -> str:
    return item.descriptor.name


def _exported(env: Any, item: Located[Library], found: Sequence[Located[Library]]) -> Exported:
    library = item.descriptor
    folders = _include_dirs(env, item)
    exported = Exported(folders, env.RepositoryIncludeDirs(library), library.public_defines)
    if library.upstream is not None:
        # Headers of a repository include those of what it requires.
        for other in _required(item, found):
            exported += _exported(env, other, found)
    return exported


def _include_dirs(env: Any, item: Located[Library]) -> tuple[str, ...]:
    root = item.folder.parent
    return tuple(_top(env, root / folder) for folder in item.descriptor.include_dirs)


def _objects(
    env: Any, item: Located[Library], sources: LocalSources | PackageSources, folder: str
) -> list[Any]:
    if isinstance(sources, LocalSources):
        files = [env.File(_top(env, path)) for path in _local_files(env, item, sources)]
        return compile_sources(env, files, f"{folder}/own")
    package = env["PROJECT"].package(sources.package).descriptor
    members = [*sources.compile, *sources.include]
    nodes = env.ObtainedMembers(package, members, package_folder(package))
    env.EditorNeeds(nodes)
    own = env.Clone()
    own.Append(CCFLAGS=list(sources.cflags))
    return compile_sources(own, nodes[: len(sources.compile)], f"{folder}/{package.name}")


def _package_include_dirs(env: Any, library: Library) -> list[str]:
    packages = [source for source in library.sources if isinstance(source, PackageSources)]
    return [
        f"#{package_folder(env['PROJECT'].package(source.package).descriptor)}/{folder}"
        for source in packages
        for folder in source.include_dirs
    ]


def _local_files(env: Any, item: Located[Library], sources: LocalSources) -> list[Path]:
    root = Path(env.Dir("#").abspath) / item.folder.parent
    found = []
    for pattern in sources.local:
        files = sorted(root.glob(pattern))
        if not files:
            raise EthosmithError(f"{item.path}: no file is called {pattern} below {root.name}/")
        found += files
    return found


def _top(env: Any, path: Path) -> str:
    """Return ``path`` as a name that means the same in every SConscript."""
    relative = env["PROJECT"].relative(path)
    return str(relative) if relative.is_absolute() else f"#{relative.as_posix()}"


def compile_sources(env: Any, sources: Sequence[Any], folder: str) -> list[Any]:
    """Return the objects of ``sources`` below ``folder``; made anew with a new compiler."""
    objects = []
    for source in sources:
        node = env.StaticObject(f"{folder}/{Path(str(source)).name}.o", source)[0]
        env.Depends(node, env.Value(env["TOOLCHAIN_VERSION"]))
        env.RecordCompilation(node, source)
        objects.append(node)
    return objects


def exists(env: Any) -> bool:
    """Say that the tool can be used; the toolchain names a missing compiler."""
    del env
    return True


def generate(env: Any) -> None:
    """Add the methods `LibrarySet` and `CompiledSources`."""
    env.AddMethod(library_set, "LibrarySet")
    env.AddMethod(compile_sources, "CompiledSources")
