# SPDX-License-Identifier: Apache-2.0
"""What one image is made of and how, as plain data: the part of its manifest known beforehand."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ethosmith.descriptors.base import plain
from ethosmith.descriptors.library import Library, LocalSources, PackageSources
from ethosmith.descriptors.origin import Origin, option_of
from ethosmith.descriptors.usecase import UseCase
from ethosmith.graph.configuration import Configuration
from ethosmith.graph.layout import SelectedUseCase
from ethosmith.graph.module_sources import module_sources
from ethosmith.graph.project import Located, Project
from ethosmith.graph.revision import commit_of
from ethosmith.graph.versions import python_package

_PYTHON_PACKAGES = (
    ("ai-edge-litert",),
    ("ethos-u-vela",),
    ("flatbuffers",),
    ("h5py",),
    ("jinja2",),
    ("keras",),
    ("numpy",),
    ("scons",),
    ("tensorflow", "tensorflow-cpu"),
)
_HEADERS = "*.h"


def plan_of(
    project: Project,
    usecase: SelectedUseCase,
    configuration: Configuration,
    libraries: Sequence[Located[Library]],
    repositories: Sequence[Mapping[str, Any]],
    compilers: Sequence[str],
    step_modules: Iterable[str],
) -> dict[str, Any]:
    """Return what is known of an image before it is made.

    Args:
        project: resolves packages.
        usecase: its descriptor, or what was given in its place.
        configuration: the NPU, memory mode and platform.
        libraries: those of the device program, in link order.
        repositories: what the build knows of the git repositories that the libraries are made of.
        compilers: name and version of each.
        step_modules: the modules that do the steps.

    Raises:
        EthosmithError: a Python package is missing, or a descriptor is wrong.
    """
    return {
        "usecase": usecase.variant,
        "arguments": [*_arguments(usecase, configuration), *_folders(repositories)],
        "revision": commit_of(project.root),
        "configuration": _configuration(configuration),
        "descriptor": _without_accuracy(usecase.descriptor),
        "model": {"name": usecase.model_name, "source": _model_source(project, usecase)},
        "samples": _samples(project, usecase),
        **_ready_image(project, configuration),
        "packages": _packages(project, package_names(usecase, libraries, configuration)),
        "repositories": list(repositories),
        "libraries": [_library(item.descriptor) for item in libraries],
        "tools": _tools(compilers),
        "code_sha256": _code_sha256(tuple(sorted(step_modules))),
    }


def _without_accuracy(descriptor: UseCase) -> dict[str, Any]:
    found = plain(descriptor, without_none=True)
    return {key: value for key, value in found.items() if key != "accuracy"}


def _arguments(usecase: SelectedUseCase, configuration: Configuration) -> list[str]:
    """Return what builds the image again, behind ``scons``."""
    own = usecase.own
    given = {"model": own.model, "labels": own.labels_file, "samples": own.samples_folder}
    return [
        f"usecase={usecase.name}",
        f"target={configuration.platform}",
        f"npu={configuration.npu_name}",
        *_npu_arguments(configuration),
        f"runtime={configuration.runtime.name}",
        f"build_type={configuration.build_type}",
        f"toolchain={configuration.toolchain}",
        *(f"{name}={path.as_posix()}" for name, path in given.items() if path is not None),
        *([f"runs={own.runs}"] if own.runs else []),
    ]


def _folders(repositories: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the arguments that put folders in the place of repositories."""
    return [f"{option_of(r['name'])}={r['folder']}" for r in repositories if "folder" in r]


def _npu_arguments(configuration: Configuration) -> list[str]:
    if configuration.accelerator is None:
        return []
    return [
        f"memory_mode={configuration.memory_mode}",
        f"system_config={configuration.system_config}",
    ]


def _configuration(configuration: Configuration) -> dict[str, Any]:
    return {
        "platform": configuration.platform,
        "accelerator_config": configuration.npu_name,
        "macs_per_cycle": configuration.accelerator.macs if configuration.accelerator else 0,
        "memory_mode": configuration.memory_mode,
        "system_config": configuration.system_config,
        "build_type": configuration.build_type,
        "runtime": configuration.runtime.name,
        "toolchain": configuration.toolchain,
    }


def _model_source(project: Project, usecase: SelectedUseCase) -> dict[str, str]:
    if usecase.model_path is not None:
        return {"path": usecase.model_path.as_posix()}
    return project.source_of(usecase.descriptor.model.source)


def _samples(project: Project, usecase: SelectedUseCase) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for sample in usecase.samples:
        origin: dict[str, Any] = {"seed": sample.seed}
        if sample.file is not None:
            origin = {"source": {"path": sample.file.as_posix()}}
        elif sample.mix is not None:
            origin = {"mix": plain(sample.mix)}
        elif sample.source is not None:
            origin = {"source": project.source_of(sample.source)}
        found.append({"name": sample.name, **origin})
    return found


def _ready_image(project: Project, configuration: Configuration) -> dict[str, Any]:
    if configuration.runner is None:
        return {}
    runner = configuration.runner
    return {"ready_image": {"remark": runner.remark or "", **project.source_of(runner.source)}}


def _origins(usecase: SelectedUseCase, configuration: Configuration) -> list[Origin]:
    """Return where the descriptors' own files come from, as far as they are used."""
    own = [] if usecase.model_path is not None else [usecase.descriptor.model.source]
    if configuration.runner is not None:
        own.append(configuration.runner.source)
    return [*own, *(sample.source for sample in usecase.samples if sample.source is not None)]


def _packages_of(library: Library) -> list[str]:
    return [source.package for source in library.sources if isinstance(source, PackageSources)]


def repository_names(libraries: Iterable[Library]) -> list[str]:
    """Return the git repositories that the libraries are made of, sorted."""
    used = (library.upstream for library in libraries)
    return sorted({upstream.repository for upstream in used if upstream is not None})


def package_names(
    usecase: SelectedUseCase, libraries: Iterable[Located[Library]], configuration: Configuration
) -> list[str]:
    """Return the packages that the image has something of, sorted."""
    names = {name for item in libraries for name in _packages_of(item.descriptor)}
    names |= {origin.package for origin in _origins(usecase, configuration) if origin.package}
    return sorted(names)


def _packages(project: Project, names: Iterable[str]) -> list[dict[str, str]]:
    found = (project.package(name).descriptor for name in names)
    return [
        {
            "name": package.name,
            "title": package.title,
            "version": package.version,
            "artefact": package.artefact,
            "sha256": package.sha256,
            "licence": package.licence,
        }
        for package in found
    ]


def _library(library: Library) -> dict[str, Any]:
    return {
        "name": library.name,
        "title": library.title,
        "licence": library.licence,
        "requires": list(library.requires),
        "packages": _packages_of(library),
        "repositories": repository_names([library]),
    }


def _tools(compilers: Sequence[str]) -> dict[str, str]:
    named = [python_package(*names) for names in _PYTHON_PACKAGES]
    pairs = (text.split(" ", 1) for text in (*compilers, *named))
    return {**dict(pairs), "python": platform.python_version()}


@cache
def _code_sha256(modules: tuple[str, ...]) -> str:
    """Return the SHA-256 over Ethosmith's own code that makes an image."""
    paths = sorted({path for module in modules for path in module_sources(module)})
    digest = hashlib.sha256()
    for path in paths:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def source_files(
    project: Project,
    platform_path: Path,
    usecase: SelectedUseCase,
    libraries: Sequence[Located[Library]],
    configuration: Configuration,
) -> list[Path]:
    """Return the project's files that the image is made from, sorted; headers included."""
    found = {usecase.path, platform_path}
    found |= {
        project.package(name).path for name in package_names(usecase, libraries, configuration)
    }
    names = repository_names(item.descriptor for item in libraries)
    found |= {project.repository(name).path for name in names}
    own = usecase.own
    found |= {path for path in (own.labels_file,) if path is not None}
    found |= {sample.file for sample in usecase.samples if sample.file is not None}
    if configuration.runtime.links_image:
        found |= set(_below(project, usecase.folder, usecase.descriptor.sources))
    for item in libraries:
        found.add(item.path)
        root = item.folder.parent
        found |= set(
            _below(project, root, [f"{d}/{_HEADERS}" for d in item.descriptor.include_dirs])
        )
        for sources in item.descriptor.sources:
            if isinstance(sources, LocalSources):
                found |= set(_below(project, root, sources.local))
    return sorted(found)


def _below(project: Project, folder: Path, patterns: Iterable[str]) -> Iterable[Path]:
    root = project.root / folder
    return [project.relative(path) for pattern in patterns for path in root.glob(pattern)]
