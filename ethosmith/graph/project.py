# SPDX-License-Identifier: Apache-2.0
"""Find and load descriptors: in the user's project first, then in Ethosmith's own folders."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Generic, TypeVar

from ethosmith.core.errors import EthosmithError, unknown_name
from ethosmith.descriptors.base import Descriptor, Problem
from ethosmith.descriptors.board_facts import Board, load_board
from ethosmith.descriptors.library import Library
from ethosmith.descriptors.load import NOTHING_PARSED, Parsed, error_at, load
from ethosmith.descriptors.origin import Origin, Package, Repository
from ethosmith.descriptors.platform import Platform, load_platform
from ethosmith.descriptors.toolchain import Toolchain
from ethosmith.descriptors.usecase import UseCase
from ethosmith.descriptors.usecase_checks import load_usecase
from ethosmith.installation import DESCRIPTOR_ROOT

DescriptorT = TypeVar("DescriptorT")
AnyDescriptor = TypeVar("AnyDescriptor", bound=Descriptor)

_USECASE_FILE = "usecase.yaml"
_PLATFORM_FILE = "platform.yaml"


@dataclass(frozen=True)
class Located(Generic[DescriptorT]):
    """A descriptor and its file, relative to the project where it lies below it."""

    descriptor: DescriptorT
    path: Path

    @property
    def folder(self) -> Path:
        """The folder that the descriptor's own paths are relative to."""
        return self.path.parent


class Project:
    """The descriptors that a build can see; each is read once.

    Args:
        root: the folder of the SConstruct; the build runs there.
        parsed: descriptors that were validated before.
    """

    def __init__(self, root: Path, parsed: Parsed = NOTHING_PARSED) -> None:
        self.root = root.resolve()
        self.parsed = parsed
        self._found: dict[tuple[str, str], Located[Any]] = {}

    @cached_property
    def roots(self) -> tuple[Path, ...]:
        """The folders that hold usecases/, platforms/, libraries/ and so on."""
        return (self.root,) if self.root == DESCRIPTOR_ROOT else (self.root, DESCRIPTOR_ROOT)

    @cached_property
    def usecase_names(self) -> tuple[str, ...]:
        """All use cases, sorted."""
        return self._folders("usecases", _USECASE_FILE)

    @cached_property
    def own_usecase_names(self) -> tuple[str, ...]:
        """The project's own use cases, sorted: those of ``usecase=all``."""
        found = (self.root / "usecases").glob(f"*/{_USECASE_FILE}")
        return tuple(sorted(path.parent.name for path in found))

    @cached_property
    def platform_names(self) -> tuple[str, ...]:
        """All platforms, sorted."""
        return self._folders("platforms", _PLATFORM_FILE)

    def usecase(self, name: str) -> Located[UseCase]:
        """Load usecases/NAME/usecase.yaml; EthosmithError as `load` or for an unknown name."""
        file = f"usecases/{name}/{_USECASE_FILE}"
        return self._located("use case", name, file, self.usecase_names, self.read_usecase)

    def read_usecase(self, path: Path) -> UseCase:
        """Load a descriptor that lies anywhere; EthosmithError as `load_usecase`."""
        return load_usecase(path, self._files("libraries"), self._files("packages"), self.parsed)

    def platform(self, name: str) -> Located[Platform]:
        """Load platforms/NAME/platform.yaml; errors as in `usecase`."""
        file = f"platforms/{name}/{_PLATFORM_FILE}"
        return self._located("target", name, file, self.platform_names, self._read_platform)

    def _read_platform(self, path: Path) -> Platform:
        return load_platform(path, self.parsed)

    @cached_property
    def board_names(self) -> tuple[str, ...]:
        """All boards, sorted."""
        return self._files("boards")

    def board(self, name: str) -> Located[Board]:
        """Load boards/NAME.yaml; errors as in `usecase`."""
        file = f"boards/{name}.yaml"
        return self._located("board", name, file, self.board_names, self._read_board)

    def _read_board(self, path: Path) -> Board:
        return load_board(path, self.parsed)

    def library(self, name: str) -> Located[Library]:
        """Load libraries/NAME.yaml; errors as in `usecase`."""
        file = f"libraries/{name}.yaml"
        return self._located("library", name, file, self._files("libraries"), self._read_library)

    def _read_library(self, path: Path) -> Library:
        return load(Library, path, self._library_problems, self.parsed)

    @cached_property
    def toolchain_names(self) -> tuple[str, ...]:
        """All toolchains, sorted."""
        return self._files("toolchains")

    def toolchain(self, name: str) -> Located[Toolchain]:
        """Load toolchains/NAME.yaml; errors as in `usecase`."""
        file = f"toolchains/{name}.yaml"
        return self._located(
            "toolchain", name, file, self.toolchain_names, partial(self._read, Toolchain)
        )

    def _library_problems(self, library: Library) -> Iterator[Problem]:
        upstream = library.upstream
        if upstream is not None and upstream.repository not in self.repository_names:
            message = unknown_name("repository", upstream.repository, self.repository_names)
            yield Problem(("upstream", "repository"), message)

    def package(self, name: str) -> Located[Package]:
        """Load packages/NAME.yaml; errors as in `usecase`."""
        file = f"packages/{name}.yaml"
        return self._located(
            "package", name, file, self._files("packages"), partial(self._read, Package)
        )

    @cached_property
    def repository_names(self) -> tuple[str, ...]:
        """All git repositories, sorted."""
        return self._files("repositories")

    def repository(self, name: str) -> Located[Repository]:
        """Load repositories/NAME.yaml; errors as in `usecase`."""
        file = f"repositories/{name}.yaml"
        return self._located(
            "repository", name, file, self.repository_names, partial(self._read, Repository)
        )

    def source_of(self, origin: Origin) -> dict[str, str]:
        """Return ``origin`` as `ethosmith.obtain` takes it, with the package's pins filled in."""
        if origin.package:
            return self.package(origin.package).descriptor.source(origin.member)
        given = {"url": origin.url, "sha256": origin.sha256, "member": origin.member}
        if origin.path:
            given = {"path": origin.path}
        return {key: value for key, value in given.items() if value is not None}

    def libraries_with_requirements(self, names: Iterable[str]) -> list[Located[Library]]:
        """Return the libraries and all that they require, each before what it requires.

        Raises:
            EthosmithError: a library requires itself, directly or through others.
        """
        done: dict[str, Located[Library]] = {}
        for name in names:
            self._visit(name, done, ())
        return list(reversed(done.values()))

    def _visit(self, name: str, done: dict[str, Located[Library]], path: tuple[str, ...]) -> None:
        if name in path:
            raise EthosmithError(f"libraries require each other: {' -> '.join((*path, name))}")
        if name in done:
            return
        library = self.library(name)
        for required in reversed(library.descriptor.requires):
            self._visit(required, done, (*path, name))
        done[name] = library

    def _folders(self, kind: str, file: str) -> tuple[str, ...]:
        found = {p.parent.name for root in self.roots for p in (root / kind).glob(f"*/{file}")}
        return tuple(sorted(found))

    def _files(self, kind: str) -> tuple[str, ...]:
        found = {p.stem for root in self.roots for p in (root / kind).glob("*.yaml")}
        return tuple(sorted(found))

    def _read(self, model: type[AnyDescriptor], path: Path) -> AnyDescriptor:
        return load(model, path, parsed=self.parsed)

    def _located(
        self,
        kind: str,
        name: str,
        file: str,
        names: tuple[str, ...],
        read: Callable[[Path], AnyDescriptor],
    ) -> Located[AnyDescriptor]:
        """Read ``file`` of the first root that has it, once."""
        if (kind, name) not in self._found:
            if name not in names:
                raise EthosmithError(unknown_name(kind, name, names))
            candidates = [root / file for root in self.roots]
            path = self.relative(next(path for path in candidates if path.is_file()))
            found = Located(read(path), path)
            given = found.descriptor.name
            if given != name:
                message = f"the name '{given}' does not match its place; expected '{name}'"
                raise error_at(path, ("name",), message)
            self._found[kind, name] = found
        located: Located[AnyDescriptor] = self._found[kind, name]
        return located

    def relative(self, path: Path) -> Path:
        """Return ``path`` relative to the project if it lies below it (symlinks as they are)."""
        absolute = Path(os.path.normpath(self.root / path))
        return absolute.relative_to(self.root) if absolute.is_relative_to(self.root) else absolute

    def shown(self, path: Path) -> str:
        """Return ``path`` as a generated file may name it: the same on every machine."""
        absolute = self.root / path
        for root, prefix in ((self.root, ""), (DESCRIPTOR_ROOT, "ethosmith/")):
            if absolute.is_relative_to(root):
                return prefix + absolute.relative_to(root).as_posix()
        return path.name
