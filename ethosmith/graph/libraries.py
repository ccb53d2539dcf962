# SPDX-License-Identifier: Apache-2.0
"""The libraries of libraries/*.yaml, and the objects of what uses them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.library import Library, LocalSources, PackageSources
from ethosmith.graph.build import Build
from ethosmith.graph.engine import Machine, Usage
from ethosmith.graph.layout import package_folder, repository_link
from ethosmith.graph.project import Located
from ethosmith.graph.repositories import check_include_dirs
from ethosmith.graph.samples import obtained_members
from ethosmith.libraries.plan import Uses, library_spec
from ethosmith.obtain.checkout import Checkout

if TYPE_CHECKING:
    from ethosmith.steps.build_library import BuildLibrary


class BuiltLibrary(NamedTuple):
    """A library of one machine: its archive (None: it is headers), and what its users need."""

    archive: Path | None
    exported: Usage


class LibraryFolders(NamedTuple):
    """Where the libraries of one image go, and what they see of its configuration.

    Attributes:
        configured: for libraries that include generated headers of one configuration.
        shared: for libraries that are the same in every configuration.
        headers: the folders of the generated headers.
        npu: the NPU's configuration, for libraries that are built by CMake.
    """

    configured: Path
    shared: Path
    headers: tuple[Path, ...] = ()
    npu: str = ""


def library_set(
    build: Build, machine: Machine, names: Iterable[str], folders: LibraryFolders
) -> list[BuiltLibrary]:
    """Declare the libraries and all they require; return them in link order.

    Raises:
        EthosmithError: one is not made for this machine, or a file of one is missing.
    """
    found = build.project.libraries_with_requirements(names)
    for item in found:
        if machine.name not in item.descriptor.machines:
            raise EthosmithError(f"{item.path}: is not built for the {machine.name} (see machines)")
    libraries = _Set(build, machine, folders, found)
    return [libraries.library(item) for item in found]


def archives_of(libraries: Iterable[BuiltLibrary]) -> list[Path]:
    """Return the archives of those libraries that are more than headers."""
    return [library.archive for library in libraries if library.archive is not None]


def compile_sources(
    build: Build, machine: Machine, sources: Iterable[Path], folder: Path, usage: Usage
) -> list[Path]:
    """Declare the objects of ``sources`` below ``folder``."""
    objects = []
    for source in sources:
        target = folder / f"{source.name}.o"
        if target not in build.made:
            machine.compile(source, target, usage)
        objects.append(target)
    return objects


@dataclass(frozen=True)
class _Set:
    """The libraries of one program."""

    build: Build
    machine: Machine
    folders: LibraryFolders
    found: Sequence[Located[Library]] = field(default=())

    def library(self, item: Located[Library]) -> BuiltLibrary:
        """Declare one of them."""
        library = item.descriptor
        folder = self.folders.configured if library.configured else self.folders.shared
        exported = self._exported(item)
        used = exported
        for other in sorted(self.found, key=_name):
            if other.descriptor.name in library.requires:
                used += self._exported(other)
        if library.upstream is not None:
            return BuiltLibrary(self._upstream_archive(item, used, folder), exported)
        return BuiltLibrary(self._own_archive(item, used, folder), exported)

    def _own_archive(self, item: Located[Library], used: Usage, folder: Path) -> Path:
        library, build = item.descriptor, self.build
        target = folder / f"lib{library.name}.a"
        if target in build.made:
            return target
        build_type = build.session.values["build_type"]
        usage = used + Usage(
            include_dirs=(
                *self._package_include_dirs(library),
                *(self.folders.headers if library.configured else ()),
            ),
            defines=tuple(library.defines_of(build_type)),
            flags=tuple(library.cflags),
        )
        objects = [
            path
            for sources in library.sources
            for path in self._objects(item, sources, folder / library.name, usage)
        ]
        self.machine.archive(target, objects)
        return target

    def _objects(
        self,
        item: Located[Library],
        sources: LocalSources | PackageSources,
        folder: Path,
        usage: Usage,
    ) -> list[Path]:
        if isinstance(sources, LocalSources):
            files = self._local_files(item, sources)
            return compile_sources(self.build, self.machine, files, folder / "own", usage)
        package = self.build.project.package(sources.package).descriptor
        members = [*sources.compile, *sources.include]
        files = obtained_members(self.build, package, members)
        self.build.engine.alias("compile_commands", files)
        usage += Usage(flags=tuple(sources.cflags))
        compiled = files[: len(sources.compile)]
        return compile_sources(self.build, self.machine, compiled, folder / package.name, usage)

    def _package_include_dirs(self, library: Library) -> list[Path]:
        packages = [source for source in library.sources if isinstance(source, PackageSources)]
        return [
            package_folder(self.build.project.package(source.package).descriptor) / folder
            for source in packages
            for folder in source.include_dirs
        ]

    def _local_files(self, item: Located[Library], sources: LocalSources) -> list[Path]:
        root = self.build.project.root / item.folder.parent
        found: list[Path] = []
        for pattern in sources.local:
            files = sorted(root.glob(pattern))
            if not files:
                raise EthosmithError(f"{item.path}: no file matches {pattern} below {root.name}/")
            found += files
        return [self.build.project.relative(path) for path in found]

    def _exported(self, item: Located[Library]) -> Usage:
        library = item.descriptor
        root = item.folder.parent
        exported = Usage(
            include_dirs=tuple(
                self.build.project.relative(root / folder) for folder in library.include_dirs
            ),
            system_dirs=_repository_include_dirs(library),
            defines=tuple(library.public_defines),
        )
        if library.upstream is not None:
            # Headers of a repository include those of what it requires.
            for other in self._required(item):
                exported += self._exported(other)
        return exported

    def _required(self, item: Located[Library]) -> list[Located[Library]]:
        """Return all that ``item`` requires, directly or through others.

        Their order does not depend on the program that they are for: programs share libraries.
        """
        names = set(item.descriptor.requires)
        required = []
        # Each library stands before what it requires.
        for other in self.found:
            if other.descriptor.name in names:
                required.append(other)
                names |= set(other.descriptor.requires)
        return sorted(required, key=_name)

    def _upstream_archive(self, item: Located[Library], used: Usage, folder: Path) -> Path | None:
        """Declare the archive of a library with ``upstream``; None if it is headers."""
        library, build = item.descriptor, self.build
        required = self._required(item)
        upstreams = [one.descriptor.upstream for one in (item, *required)]
        names = dict.fromkeys(one.repository for one in upstreams if one is not None)
        checkouts = [build.session.repositories.checkout(name) for name in names]
        if None not in checkouts:
            check_include_dirs(build.project, item)
        if library.upstream is None or library.upstream.is_headers_only:
            return None
        target = folder / f"lib{library.name}.a"
        found = [checkout for checkout in checkouts if checkout is not None]
        # If one is missing, its sources have to be fetched first: the session says so.
        if len(found) == len(checkouts) and target not in build.made:
            build.add(self._build_step(item, used, found, target), self.machine)
        return target

    def _build_step(
        self, item: Located[Library], used: Usage, checkouts: Sequence[Checkout], target: Path
    ) -> BuildLibrary:
        from ethosmith.steps.build_library import BuildLibrary

        build, machine = self.build, self.machine
        places = [path.as_posix() for path in (*used.include_dirs, *used.system_dirs)]
        build_type = build.session.values["build_type"]
        uses = Uses(places, used.defines, self.folders.npu, build_type)
        spec = library_spec(
            item.descriptor, item.path, checkouts, machine.compilers, machine.compiler, uses
        )
        # CMake may name the sources by their real place.
        root = build.project.root
        real = [f"-ffile-prefix-map={(root / c.link).resolve()}=./{c.link}" for c in checkouts]
        unsigned = machine.unsigned_flags
        return BuildLibrary(
            library=asdict(spec),
            folder=target.parent / spec.name,
            output=target,
            tools=(machine.signature,),
            places={**unsigned, "flags": [*unsigned["flags"], *real]},
            jobs=build.engine.jobs,
            verbose=build.session.verbose,
        )


def _name(item: Located[Library]) -> str:
    return item.descriptor.name


def _repository_include_dirs(library: Library) -> tuple[Path, ...]:
    """Return the folders that users of a library with ``upstream`` include from."""
    if library.upstream is None:
        return ()
    link = repository_link(library.upstream.repository)
    folders = (posixpath.normpath(f"{link}/{one}") for one in library.upstream.include_dirs)
    return tuple(Path(folder) for folder in folders)
