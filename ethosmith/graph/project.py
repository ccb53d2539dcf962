# SPDX-License-Identifier: Apache-2.0
"""Find and load descriptors: in the user's project first, then in Ethosmith's own folders."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Generic, TypeVar

from ethosmith.core.errors import EthosmithError
from ethosmith.core.nearest import unknown_name
from ethosmith.descriptors.library import Library
from ethosmith.descriptors.origin import Origin
from ethosmith.descriptors.package import Package
from ethosmith.descriptors.platform import Platform, load_platform
from ethosmith.descriptors.repository import Repository
from ethosmith.descriptors.toolchain import Toolchain
from ethosmith.descriptors.usecase import UseCase, load_usecase
from ethosmith.descriptors.validation import Problem, load
from ethosmith.descriptors.yaml_source import read_yaml
from ethosmith.installation import DESCRIPTOR_ROOT

DescriptorT = TypeVar("DescriptorT")

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
    """The descriptors that a build can see.

    Args:
        root: the folder of the SConstruct; the build runs there.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    @cached_property
    def roots(self) -> tuple[Path, ...]:
        """The folders that hold usecases/, platforms/, libraries/ and so on."""
        return (self.root,) if self.root == DESCRIPTOR_ROOT else (self.root, DESCRIPTOR_ROOT)

    @cached_property
    def usecase_names(self) -> tuple[str, ...]:
        """All use cases, sorted."""
        return self._folders("usecases", _USECASE_FILE)

    @cached_property
    def platform_names(self) -> tuple[str, ...]:
        """All platforms, sorted."""
        return self._folders("platforms", _PLATFORM_FILE)

    def usecase(self, name: str) -> Located[UseCase]:
        """Load usecases/NAME/usecase.yaml; EthosmithError as `load` or for an unknown name."""
        path = self._find("use case", name, f"usecases/{name}/{_USECASE_FILE}", self.usecase_names)
        found = Located(self.read_usecase(path), path)
        self._check_name(found.descriptor.name, name, path)
        return found

    def read_usecase(self, path: Path) -> UseCase:
        """Load a descriptor that lies anywhere; EthosmithError as `load_usecase`."""
        return load_usecase(path, self._files("libraries"), self._files("packages"))

    def platform(self, name: str) -> Located[Platform]:
        """Load platforms/NAME/platform.yaml; errors as in `usecase`."""
        path = self._find("target", name, f"platforms/{name}/{_PLATFORM_FILE}", self.platform_names)
        found = Located(load_platform(path), path)
        self._check_name(found.descriptor.name, name, path)
        return found

    def library(self, name: str) -> Located[Library]:
        """Load libraries/NAME.yaml; errors as in `usecase`."""
        path = self._find("library", name, f"libraries/{name}.yaml", self._files("libraries"))
        found = Located(load(Library, path, self._library_problems), path)
        self._check_name(found.descriptor.name, name, path)
        return found

    @cached_property
    def toolchain_names(self) -> tuple[str, ...]:
        """All toolchains, sorted."""
        return self._files("toolchains")

    def toolchain(self, name: str) -> Located[Toolchain]:
        """Load toolchains/NAME.yaml; errors as in `usecase`."""
        path = self._find("toolchain", name, f"toolchains/{name}.yaml", self.toolchain_names)
        found = Located(load(Toolchain, path), path)
        self._check_name(found.descriptor.name, name, path)
        return found

    def _library_problems(self, library: Library) -> Iterator[Problem]:
        upstream = library.upstream
        if upstream is not None and upstream.repository not in self.repository_names:
            message = unknown_name("repository", upstream.repository, self.repository_names)
            yield Problem(("upstream", "repository"), message)

    def package(self, name: str) -> Located[Package]:
        """Load packages/NAME.yaml; errors as in `usecase`."""
        path = self._find("package", name, f"packages/{name}.yaml", self._files("packages"))
        found = Located(load(Package, path), path)
        self._check_name(found.descriptor.name, name, path)
        return found

    @cached_property
    def repository_names(self) -> tuple[str, ...]:
        """All git repositories, sorted."""
        return self._files("repositories")

    def repository(self, name: str) -> Located[Repository]:
        """Load repositories/NAME.yaml; errors as in `usecase`."""
        file = f"repositories/{name}.yaml"
        path = self._find("repository", name, file, self.repository_names)
        found = Located(load(Repository, path), path)
        self._check_name(found.descriptor.name, name, path)
        return found

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

    def _find(self, kind: str, name: str, file: str, names: tuple[str, ...]) -> Path:
        if name not in names:
            raise EthosmithError(unknown_name(kind, name, names))
        candidates = [root / file for root in self.roots]
        path = next(candidate for candidate in candidates if candidate.is_file())
        return self.relative(path)

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

    @staticmethod
    def _check_name(given: str, expected: str, path: Path) -> None:
        if given != expected:
            raise read_yaml(path).error(
                ("name",), f"its name is '{given}', its place says '{expected}'"
            )
