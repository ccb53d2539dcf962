# SPDX-License-Identifier: Apache-2.0
"""Compile and link a use case, for the device and for the host, and cut the image into files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ethosmith.core.files import PTE_SUFFIX
from ethosmith.graph.build import Build
from ethosmith.graph.configuration import Configuration
from ethosmith.graph.engine import Machine, Usage
from ethosmith.graph.layout import (
    HOST_LIBRARIES,
    SelectedUseCase,
    image_file,
    image_folder,
    object_folder,
    shared_library_folder,
)
from ethosmith.graph.libraries import (
    BuiltLibrary,
    LibraryFolders,
    archives_of,
    compile_sources,
    library_set,
)
from ethosmith.graph.samples import obtained_file
from ethosmith.steps.check_fit import CheckFit
from ethosmith.steps.draw_memory_page import DrawMemoryPage
from ethosmith.steps.measure_size import MeasureSize
from ethosmith.steps.write_sectors import WriteSectors

# The library that holds main() of the host's program; the device's is the runtime's.
_HOST_PROGRAM = "host"


class Image(NamedTuple):
    """The files of one image; one that is not linked here has an ELF file and its sizes only.

    Attributes:
        axf: the ELF file; without an image for the board, the program that it would execute.
    """

    axf: Path
    usage: Path
    map: Path | None = None
    page: Path | None = None
    sectors: tuple[Path, ...] = ()
    images_txt: Path | None = None
    board_fit: Path | None = None

    @property
    def is_program(self) -> bool:
        """There is no ELF file: no image for the board."""
        return self.axf.suffix == PTE_SUFFIX

    @property
    def all(self) -> list[Path]:
        """Every file of the image."""
        return [
            path
            for path in [*self.parts, self.page, self.usage, self.board_fit]
            if path is not None
        ]

    @property
    def parts(self) -> list[Path]:
        """The image itself, without what is said about it."""
        files = [self.axf, self.map, *self.sectors, self.images_txt]
        return [path for path in files if path is not None]


class Generated(NamedTuple):
    """The generated sources of a program.

    Attributes:
        sources: C and C++ files.
        headers: header files.
        script: the linker script, for the device.
    """

    sources: tuple[Path, ...]
    headers: tuple[Path, ...]
    script: Path | None = None


def host_program(build: Build, usecase: SelectedUseCase, generated: Generated) -> Path:
    """Declare the use case's pre- and post-processing as a program for this computer."""
    machine = build.machine("host")
    folder = usecase.outputs / "host"
    libraries = library_set(
        build,
        machine,
        [_HOST_PROGRAM, *usecase.descriptor.libraries],
        LibraryFolders(folder, HOST_LIBRARIES),
    )
    objects = _application_objects(build, machine, usecase, generated, libraries, folder)
    program = folder / f"{usecase.name}_host"
    machine.link([program], objects, archives_of(libraries))
    return program


def firmware_image(
    build: Build,
    usecase: SelectedUseCase,
    configuration: Configuration,
    generated: Generated,
    name: str = "",
) -> Image:
    """Link NAME.axf and declare everything that is made from it.

    Args:
        build: where it is declared.
        usecase: its sources are compiled.
        configuration: names the folder and the memory mode.
        generated: the sources whose sizes the build decides (model, samples, labels): before
            linking, their objects are checked against the memory regions.
        name: of the image; the use case's variant if it is empty.
    """
    name = name or usecase.variant
    machine, folder = build.machine("device"), image_folder(configuration)
    libraries = library_set(
        build,
        machine,
        [configuration.program, *usecase.descriptor.libraries],
        LibraryFolders(
            folder / "lib",
            shared_library_folder(configuration),
            (folder / "generated",),
            configuration.board_npu.name,
        ),
    )
    objects = _application_objects(
        build, machine, usecase, generated, libraries, object_folder(configuration, name)
    )
    fit = build.add(
        CheckFit(
            platform=build.platform.path,
            memory_mode=configuration.memory_mode,
            objects=tuple(objects[: len(generated.sources)]),
            output=folder / f"{name}_fit.json",
        )
    ).output
    axf, link_map = folder / f"{name}.axf", folder / f"{name}.map"
    machine.link([axf, link_map], objects, archives_of(libraries), generated.script, [fit])
    report = image_file(usecase, configuration, "_report.htm").name
    image = _image(build, axf, link_map, name, report if name == usecase.variant else "")
    checked = _board_fit(build, folder, name, objects[: len(generated.sources)])
    return image._replace(board_fit=checked)


def _application_objects(
    build: Build,
    machine: Machine,
    usecase: SelectedUseCase,
    generated: Generated,
    libraries: Sequence[BuiltLibrary],
    folder: Path,
) -> list[Path]:
    build.engine.alias("compile_commands", generated.headers)
    usage = Usage(include_dirs=tuple(sorted({header.parent for header in generated.headers})))
    for library in libraries:
        usage += library.exported
    own = [build.project.relative(usecase.folder / source) for source in usecase.descriptor.sources]
    made = compile_sources(build, machine, generated.sources, folder, usage)
    # A warning about a use case's code is shown, and stops nobody who is trying something.
    warned = usage + Usage(flags=("-Wno-error",))
    return [*made, *compile_sources(build, machine, own, folder, warned)]


def _image(build: Build, axf: Path, link_map: Path, name: str, report: str) -> Image:
    folder, platform = axf.parent, build.platform.path
    page = DrawMemoryPage(
        axf=axf,
        map=link_map,
        platform=platform,
        report=report,
        output=folder / f"{name}.htm",
    )
    size = MeasureSize(
        axf=axf, map=link_map, platform=platform, output=folder / f"{name}_size.json"
    )
    card_folder = folder / "sectors" / name
    regions = build.platform.descriptor.regions
    sectors = build.add(
        WriteSectors(
            axf=axf,
            platform=platform,
            folder=card_folder,
            files=tuple(card_folder / region.sector.file for region in regions if region.sector),
        )
    ).files
    images_txt = None
    if build.platform.descriptor.card is not None:
        from ethosmith.steps.write_images_txt import WriteImagesTxt

        images_txt = build.add(
            WriteImagesTxt(
                platform=platform,
                sectors=sectors,
                folder=card_folder,
                output=card_folder / "images.txt",
            )
        ).output
    return Image(
        axf=axf,
        map=link_map,
        page=build.add(page).output,
        usage=build.add(size).output,
        sectors=sectors,
        images_txt=images_txt,
    )


def _board_fit(build: Build, folder: Path, name: str, objects: Sequence[Path]) -> Path | None:
    """Declare the check of an image's model against the board's memories; None without a board.

    Args:
        build: where it is declared.
        folder: of the image.
        name: of the image.
        objects: the generated objects.
    """
    board = build.session.board
    if board is None:
        return None
    from ethosmith.steps.check_board_fit import CheckBoardFit

    step = CheckBoardFit(
        board=board.path,
        objects=tuple(objects),
        output=folder / f"{name}_fit_{board.descriptor.name}.json",
    )
    return build.add(step).output


def prebuilt_image(
    build: Build, usecase: SelectedUseCase, configuration: Configuration, program: Path
) -> Image:
    """Declare an image as it comes; it executes whatever network it is given.

    Where there is none for the board, what it would execute, ``program``, is all there is.
    """
    platform, runner = build.platform, configuration.prebuilt_image
    axf = program
    if runner is not None:
        axf = image_file(usecase, configuration, ".axf")
        axf = obtained_file(build, runner.source, platform.folder, axf)
    size = MeasureSize(
        axf=axf, platform=platform.path, output=image_file(usecase, configuration, "_size.json")
    )
    return Image(axf=axf, usage=build.add(size).output)
