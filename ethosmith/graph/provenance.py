# SPDX-License-Identifier: Apache-2.0
"""What an image is made of, and by what: its manifest."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ethosmith.descriptors.base import plain
from ethosmith.descriptors.library import Library, LocalSources, PackageSources
from ethosmith.descriptors.origin import Origin, masked_url, option_of
from ethosmith.descriptors.usecase import UseCase
from ethosmith.environment.tools import find_program, program_version
from ethosmith.graph.build import Build
from ethosmith.graph.configuration import Configuration
from ethosmith.graph.images import Image
from ethosmith.graph.layout import SelectedUseCase, image_file
from ethosmith.graph.models import FloatModel
from ethosmith.graph.project import Located, Project
from ethosmith.graph.repositories import commit_of
from ethosmith.steps.write_manifest import WriteManifest

_HEADERS = "*.h"
_ADDRESSES = frozenset(("git", "url"))


def image_manifest(
    build: Build,
    usecase: SelectedUseCase,
    configuration: Configuration,
    image: Image,
    model: FloatModel,
    networks: Sequence[Path],
) -> None:
    """Declare NAME_manifest.json and NAME_bom.cdx.json.

    Args:
        build: where they are declared.
        usecase: what the image does.
        configuration: for which NPU.
        image: what the manifest is of.
        model: the float network.
        networks: made from it: the int8 network, Vela's output.
    """
    project, libraries = build.project, _libraries_of(build, usecase, configuration)
    compilers = [f"cc {program_version(find_program('cc'))}"]
    if configuration.runtime.links_image:
        compilers = [*build.machine("device").versions, *compilers]
    made = (*model.files, *networks)
    inputs = source_files(project, build.platform.path, usecase, libraries, configuration)
    manifest = build.add(
        WriteManifest(
            plan={
                **plan_of(project, usecase, configuration, libraries, _checkouts(build, libraries)),
                **made_with(build, [*image.parts, *made], compilers),
            },
            files=tuple(inputs),
            shown=tuple(project.shown(path) for path in inputs),
            made=made,
            image_files=tuple(image.parts),
            map=image.map,
            usage=image.usage,
            manifest=image_file(usecase, configuration, "_manifest.json"),
            bom=image_file(usecase, configuration, "_bom.cdx.json"),
        )
    )
    for name in ("images", "run"):
        build.engine.alias(name, manifest.outputs)


def _libraries_of(
    build: Build, usecase: SelectedUseCase, configuration: Configuration
) -> Sequence[Located[Library]]:
    if not configuration.runtime.links_image:
        return ()
    programs = [configuration.program, *usecase.descriptor.libraries]
    return build.project.libraries_with_requirements(programs)


def _checkouts(build: Build, libraries: Sequence[Located[Library]]) -> list[Mapping[str, Any]]:
    names = repository_names(item.descriptor for item in libraries)
    found = [build.session.repositories.checkout(name) for name in names]
    return [checkout.record for checkout in found if checkout is not None]


def made_with(build: Build, targets: Iterable[Path], compilers: Iterable[str]) -> dict[str, Any]:
    """Return the tools and the code that make ``targets``: those of every step on the way.

    A step runs again when one of them changes, so these are what made the files.
    """
    facts = [made.facts for made in build.way_to(targets) if made.facts is not None]
    packages = {name: version for one in facts for name, version in one.packages.items()}
    packages["scons"] = build.packages.versions(["scons"])["scons"]
    code = {name: digest for one in facts for name, digest in one.code.items()}
    digest = hashlib.sha256(json.dumps(code, sort_keys=True).encode()).hexdigest()
    return {
        "tools": {
            **dict(text.split(" ", 1) for text in compilers),
            **dict(sorted(packages.items())),
            "python": platform.python_version(),
        },
        "code_sha256": digest,
    }


def plan_of(
    project: Project,
    usecase: SelectedUseCase,
    configuration: Configuration,
    libraries: Sequence[Located[Library]],
    repositories: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Return what is known of an image before it is made.

    Args:
        project: resolves packages.
        usecase: its descriptor, or what was given in its place.
        configuration: the NPU, memory mode and platform.
        libraries: those of the device program, in link order.
        repositories: what the build knows of the git repositories that the libraries are made of.

    Raises:
        EthosmithError: a descriptor is wrong.
    """
    return {
        "usecase": usecase.variant,
        "arguments": [*_arguments(usecase, configuration), *_folders(repositories)],
        "revision": commit_of(project.root),
        "configuration": _configuration(configuration),
        "descriptor": _descriptor(usecase.descriptor),
        "model": {"name": usecase.model_name, "source": _model_source(project, usecase)},
        "samples": _samples(project, usecase),
        **_prebuilt_image(project, configuration),
        "packages": _packages(project, package_names(usecase, libraries, configuration)),
        "repositories": list(repositories),
        "libraries": [_library(item.descriptor) for item in libraries],
    }


def _public(value: Any) -> Any:
    """Return what may be handed on: addresses without what they may hide."""
    if isinstance(value, dict):
        return {
            key: masked_url(inner)
            if key in _ADDRESSES and isinstance(inner, str)
            else _public(inner)
            for key, inner in value.items()
        }
    return [_public(inner) for inner in value] if isinstance(value, list | tuple) else value


def _descriptor(descriptor: UseCase) -> dict[str, Any]:
    """Return what the descriptor says of the image: not what is measured, nor its limits."""
    found: dict[str, Any] = plain(descriptor, without_none=True)
    for key in ("accuracy", "budgets"):
        found.pop(key, None)
    masked: dict[str, Any] = _public(found)
    return masked


def _arguments(usecase: SelectedUseCase, configuration: Configuration) -> list[str]:
    """Return what builds the image again, behind ``scons``."""
    own = usecase.own
    model = f"{own.model}:{own.builder}" if own.builder else own.model
    given = {"model": model, "labels": own.labels_file, "samples": own.samples_folder}
    return [
        f"usecase={usecase.name}",
        f"target={configuration.platform}",
        f"npu={configuration.npu_name}",
        *_npu_arguments(configuration),
        f"runtime={configuration.runtime.name}",
        f"build_type={configuration.build_type}",
        f"toolchain={configuration.toolchain}",
        *(f"{name}={path}" for name, path in given.items() if path is not None),
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
    found: dict[str, str] = _public(project.source_of(usecase.descriptor.model.source))
    return found


def _samples(project: Project, usecase: SelectedUseCase) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for sample in usecase.samples:
        origin: dict[str, Any] = {"seed": sample.seed}
        if sample.file is not None:
            origin = {"source": {"path": sample.file.as_posix()}}
        elif sample.mix is not None:
            origin = {"mix": plain(sample.mix)}
        elif sample.source is not None:
            origin = {"source": _public(project.source_of(sample.source))}
        found.append({"name": sample.name, **origin})
    return found


def _prebuilt_image(project: Project, configuration: Configuration) -> dict[str, Any]:
    if configuration.prebuilt_image is None:
        return {}
    image = configuration.prebuilt_image
    return {
        "prebuilt_image": {"remark": image.remark or "", **_public(project.source_of(image.source))}
    }


def _origins(usecase: SelectedUseCase, configuration: Configuration) -> list[Origin]:
    """Return where the descriptors' own files come from, as far as they are used."""
    own = [] if usecase.model_path is not None else [usecase.descriptor.model.source]
    if configuration.prebuilt_image is not None:
        own.append(configuration.prebuilt_image.source)
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
