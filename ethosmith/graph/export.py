# SPDX-License-Identifier: Apache-2.0
"""Export a use case to other builds: ``export=FOLDER``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.library import Library, LocalSources, PackageSources
from ethosmith.graph.build import Build, step_after
from ethosmith.graph.configuration import Configuration
from ethosmith.graph.images import Generated
from ethosmith.graph.layout import (
    BUILD_OPTIONS,
    SelectedUseCase,
    image_folder,
    package_folder,
)
from ethosmith.graph.project import Located
from ethosmith.graph.runtimes import DIRECT
from ethosmith.graph.samples import obtained_members

EXPORT = "export"
# What the receiving board has of its own: of it only the header goes along.
_BOARD_LIBRARY = "hal"
_BOARD_FOLDER, _GENERATED, _APPLICATION = "board", "generated", "application"
_PLATFORM_HEADER = "platform.h"
# The device program, and the windows in a simulator's memory.
_PROGRAM_SOURCES = {"main.c", "windows.c", "identity.c", BUILD_OPTIONS}


@dataclass
class _Part:
    """One library of the export; paths are places in it, relative to its folder."""

    name: str
    heading: str
    licence: str
    sources: list[tuple[str, str]] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=list)
    include_dirs: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    defines: list[str] = field(default_factory=list)
    requires: list[str] = field(default_factory=list)
    source_flags: dict[str, list[str]] = field(default_factory=dict)


def declare_export(
    build: Build,
    usecase: SelectedUseCase,
    configuration: Configuration,
    generated: Generated,
    samples: Path,
    expected: Path,
) -> None:
    """Declare the export of a use case, if ``export=`` asks for it.

    Args:
        build: where it is declared.
        usecase: what is exported.
        configuration: the NPU and memory mode that it is compiled for.
        generated: the sources and headers of its image, without the samples.
        samples: the source that holds them, for the self-test.
        expected: answers and output tensors of its samples.

    Raises:
        EthosmithError: more than one image is selected, or one that needs other runtimes.
    """
    given = build.session.values[EXPORT]
    if not given:
        return
    _check(build, configuration)
    names = [configuration.program, *usecase.descriptor.libraries]
    found = build.project.libraries_with_requirements(names)
    parts = [_library(build, item) for item in found]
    generated = _for_board(build, configuration, generated)
    parts.append(_application(build, usecase, generated, [item.descriptor.name for item in found]))
    board = build.session.board
    files = [Path(source) for part in parts for source, _ in (*part.sources, *part.headers)]
    from ethosmith.steps.write_export import WriteExport

    export = WriteExport(
        usecase=usecase.variant.replace("@", "_"),
        heading=usecase.descriptor.title,
        built_for=_built_for(build, configuration),
        parts=tuple(asdict(part) for part in parts),
        files=tuple(files),
        samples=samples,
        expected=expected,
        folder=Path(given).expanduser(),
    )
    fit = f"{usecase.variant}_fit_{board.descriptor.name}.json" if board else ""
    checked = [image_folder(configuration) / fit] if fit else []
    build.engine.alias(EXPORT, [*files, samples, expected, *checked])
    step_after(build, EXPORT, export)


def _for_board(build: Build, configuration: Configuration, generated: Generated) -> Generated:
    """Put the header of the board that is exported for, if one is, in the platform's place."""
    header = _board_header(build, configuration)
    if header is None:
        return generated
    others = tuple(one for one in generated.headers if one.name != _PLATFORM_HEADER)
    return generated._replace(headers=(*others, header))


def _board_header(build: Build, configuration: Configuration) -> Path | None:
    """Declare the board's platform.h for an exported library; None without a board."""
    board = build.session.board
    if board is None:
        return None
    folder = image_folder(configuration) / "generated" / board.descriptor.name
    from ethosmith.steps.generate_board_header import GenerateBoardHeader

    return build.add(
        GenerateBoardHeader(
            board=board.path,
            accelerator_config=configuration.board_npu.name,
            memory_mode=configuration.memory_mode,
            output=folder / "platform.h",
        )
    ).output


def _built_for(build: Build, configuration: Configuration) -> dict[str, str]:
    board = build.session.board
    return {
        "npu": configuration.board_npu.name,
        "memory_mode": configuration.memory_mode,
        "platform": (board or build.platform).descriptor.name,
        "board": board.descriptor.title if board else "",
    }


def _check(build: Build, configuration: Configuration) -> None:
    images = len(build.session.usecases) * len(build.session.configurations)
    if images != 1:
        raise EthosmithError(
            f"{EXPORT}= takes one use case and one configuration, found {images}: give usecase=NAME"
        )
    if configuration.runtime != DIRECT or configuration.accelerator is None:
        raise EthosmithError(
            f"{EXPORT}= needs runtime={DIRECT.name} and an NPU; TensorFlow Lite Micro has builds of"
            " its own for other projects"
        )


def _library(build: Build, item: Located[Library]) -> _Part:
    library = item.descriptor
    if library.upstream is not None:
        raise EthosmithError(f"{item.path}: {EXPORT}= does not take libraries with 'upstream'")
    part = _Part(library.name, library.title, library.licence)
    part.requires = list(library.requires)
    part.flags = list(library.cflags)
    part.defines = [*library.defines_of("release"), *library.public_defines]
    root = build.project.root / item.folder.parent
    for include_dir in library.include_dirs:
        _add_headers(build, part, root / include_dir, root)
        part.include_dirs.append(include_dir)
    if library.name == _BOARD_LIBRARY:
        part.headers = [pair for pair in part.headers if pair[1].endswith(f"/{library.name}.h")]
        return part
    for sources in library.sources:
        if isinstance(sources, LocalSources):
            for path in (p for pattern in sources.local for p in sorted(root.glob(pattern))):
                if library.name != "runtime" or path.name not in _PROGRAM_SOURCES:
                    _add(build, part.sources, path, path.relative_to(root).as_posix())
        else:
            _add_package(build, part, sources)
    return part


def _add_package(build: Build, part: _Part, sources: PackageSources) -> None:
    package = build.project.package(sources.package).descriptor
    members = [*sources.compile, *sources.include]
    files = obtained_members(build, package, members)
    place = f"packages/{package.name}"
    pairs = [
        (file.as_posix(), f"{place}/{file.relative_to(package_folder(package)).as_posix()}")
        for file in files
    ]
    compiled = pairs[: len(sources.compile)]
    part.sources += compiled
    part.headers += pairs[len(sources.compile) :]
    part.include_dirs += [f"{place}/{f}" if f != "." else place for f in sources.include_dirs]
    if sources.cflags:
        part.source_flags |= {to: list(sources.cflags) for _, to in compiled}


def _application(
    build: Build, usecase: SelectedUseCase, generated: Generated, libraries: Sequence[str]
) -> _Part:
    descriptor = usecase.descriptor
    part = _Part(_APPLICATION, "The use case itself", "as its author says")
    part.requires = list(libraries)
    part.include_dirs = [_GENERATED]
    for source in (one for one in generated.sources if one.name not in _PROGRAM_SOURCES):
        part.sources.append((source.as_posix(), f"{_GENERATED}/{source.name}"))
    for header in generated.headers:
        place = _BOARD_FOLDER if header.name == _PLATFORM_HEADER else _GENERATED
        part.headers.append((header.as_posix(), f"{place}/{header.name}"))
    # Paths in #include "..." stay right.
    own = (build.project.root / usecase.folder).resolve()
    for name in descriptor.sources:
        path = (own / name).resolve()
        _add(build, part.sources, path, f"usecases/{_below(path, own.parent)}")
        _add_headers(build, part, path.parent, own.parent, "usecases/")
    part.headers = list(dict.fromkeys(part.headers))
    return part


def _below(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def _add(build: Build, pairs: list[tuple[str, str]], path: Path, place: str) -> None:
    pairs.append((build.project.relative(path).as_posix(), place))


def _add_headers(build: Build, part: _Part, folder: Path, root: Path, before: str = "") -> None:
    headers: Iterable[Path] = sorted(folder.glob("*.h"))
    for header in headers:
        _add(build, part.headers, header, before + _below(header, root))
