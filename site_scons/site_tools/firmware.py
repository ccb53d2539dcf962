# SPDX-License-Identifier: Apache-2.0
"""Compile and link a use case, for the device and for the host: `ethosmith.images`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ethosmith.descriptors.board import Runner
from ethosmith.graph.configuration import Configuration
from ethosmith.graph.layout import (
    HOST_LIBRARIES,
    SelectedUseCase,
    image_folder,
    object_folder,
    shared_library_folder,
)

# The library that holds main() of the host's program; the device's is the runtime's.
HOST_PROGRAM = "host"


@dataclass(frozen=True)
class Image:
    """The nodes of one image; one that is not linked here has an ELF file and its sizes only."""

    axf: Any
    usage: Any
    map: Any | None = None
    page: Any | None = None
    sectors: tuple[Any, ...] = ()
    images_txt: Any | None = None

    @property
    def all(self) -> list[Any]:
        """Every file of the image."""
        return [node for node in [*self.parts, self.page, self.usage] if node is not None]

    @property
    def parts(self) -> list[Any]:
        """The image itself, without what is said about it."""
        files = [self.axf, self.map, *self.sectors, self.images_txt]
        return [node for node in files if node is not None]


def host_program(
    env: Any, usecase: SelectedUseCase, generated: Sequence[Any], parameters: Any
) -> Any:
    """Return the node of the use case's pre- and post-processing as a host program.

    Args:
        env: an environment with the host's toolchain.
        usecase: its sources are compiled.
        generated: the C files of labels and samples.
        parameters: the node of application_parameters.h.
    """
    libraries = env.LibrarySet([HOST_PROGRAM, *usecase.descriptor.libraries], "", HOST_LIBRARIES)
    folder = f"{usecase.outputs}/host"
    objects = _application_objects(env, usecase, generated, [parameters], libraries, folder)
    program = env.Program(
        f"{folder}/{usecase.name}_host",
        objects,
        LIBS=_archives(libraries),
    )
    env.Depends(program, env.Value(env["TOOLCHAIN_VERSION"]))
    return program[0]


def firmware_image(
    env: Any,
    usecase: SelectedUseCase,
    configuration: Configuration,
    generated: Sequence[Any],
    headers: Sequence[Any],
    script: Any,
    name: str = "",
) -> Image:
    """Link NAME.axf and make everything that is made from it.

    Args:
        env: an environment with the device's toolchain.
        usecase: its sources are compiled.
        configuration: names the folder and the memory mode.
        generated: the C files whose sizes the build decides (model, samples, labels); before
            linking, their objects are checked against the memory regions.
        headers: the generated headers.
        script: the linker script.
        name: of the image; the use case's variant if it is empty.
    """
    name = name or usecase.variant
    folder = image_folder(configuration)
    own = env.Clone(
        CONFIGURED_HEADERS=[f"#{folder}/generated"], BOARD_NPU=configuration.board_npu.name
    )
    libraries = own.LibrarySet(
        [configuration.program, *usecase.descriptor.libraries],
        f"{folder}/lib",
        shared_library_folder(configuration),
    )
    objects = _application_objects(
        own, usecase, generated, headers, libraries, object_folder(configuration, name)
    )
    fit = _fit(env, configuration, objects[: len(generated)], name)
    archives = _archives(libraries)
    linked = env.Program(
        [f"{folder}/{name}.axf", f"{folder}/{name}.map"],
        objects,
        LIBS=archives,
        LINKER_SCRIPT=script,
        LINKCOM=(
            "$LINK -o ${TARGETS[0]} $LINKFLAGS -Wl,-Map=${TARGETS[1]} -T $LINKER_SCRIPT $SOURCES"
            " -Wl,--start-group $LIBS -Wl,--end-group $SYSTEM_LIBRARIES"
        ),
    )
    env.Depends(linked, [fit, script, *archives, env.Value(env["TOOLCHAIN_VERSION"])])
    return _image(env, configuration, linked, name)


def _archives(libraries: Sequence[Any]) -> list[Any]:
    """Return the archives of those libraries that are more than headers."""
    return [library.archive for library in libraries if library.archive is not None]


def ready_image(
    env: Any, usecase: SelectedUseCase, configuration: Configuration, runner: Runner
) -> Image:
    """Return the image ``runner`` as it comes, which executes whatever network it is given."""
    name = f"{image_folder(configuration)}/{usecase.variant}"
    platform = env["PLATFORM"]
    axf = env.ObtainedFile(runner.source, platform.folder, f"{name}.axf")
    usage = env.Step(
        "ethosmith.images.size",
        target=f"{name}_size.json",
        source=[axf, str(platform.path)],
        options=["--axf", axf, "--platform", platform.path, "--json", f"{name}_size.json"],
        say=f"SIZE      {name}_size.json",
    )[0]
    return Image(axf=axf, usage=usage)


def _application_objects(
    env: Any,
    usecase: SelectedUseCase,
    generated: Sequence[Any],
    headers: Sequence[Any],
    libraries: Sequence[Any],
    folder: str,
) -> list[Any]:
    env.EditorNeeds(headers)
    own = env.Clone()
    own.Append(CPPPATH=sorted({f"#{header.dir}" for header in headers}))
    for library in libraries:
        library.exported.add_to(own)
    sources = [
        env.File(str(env["PROJECT"].relative(usecase.folder / source)))
        for source in usecase.descriptor.sources
    ]
    return list(own.CompiledSources([*generated, *sources], folder))


def _fit(env: Any, configuration: Configuration, objects: Sequence[Any], name: str) -> Any:
    target = f"{image_folder(configuration)}/{name}_fit.json"
    platform = env["PLATFORM"].path
    return env.Step(
        "ethosmith.images.fit",
        target=target,
        source=[*objects, str(platform)],
        options=[
            *("--platform", platform, "--memory-mode", configuration.memory_mode),
            *(word for node in objects for word in ("--object", node)),
            *("--output", target),
        ],
        say=f"FIT       {target}",
    )


def _image(env: Any, configuration: Configuration, linked: Sequence[Any], name: str) -> Image:
    folder = image_folder(configuration)
    axf, link_map = linked
    sectors = _sectors(env, axf, f"{folder}/sectors/{name}")
    card = None
    if env["PLATFORM"].descriptor.card is not None:
        card = _card(env, sectors, f"{folder}/sectors/{name}")
    return Image(
        axf=axf,
        map=link_map,
        page=_from_link(env, "memory_page", linked, ["--output", f"{folder}/{name}.htm"], "PAGE"),
        usage=_from_link(env, "size", linked, ["--json", f"{folder}/{name}_size.json"], "SIZE"),
        sectors=tuple(sectors),
        images_txt=card,
    )


def _from_link(env: Any, step: str, linked: Sequence[Any], target: Sequence[str], verb: str) -> Any:
    """Declare a step that reads the image, its map and the platform."""
    platform = env["PLATFORM"].path
    return env.Step(
        f"ethosmith.images.{step}",
        target=target[-1],
        source=[*linked, str(platform)],
        options=["--axf", linked[0], "--map", linked[1], "--platform", platform, *target],
        say=f"{verb:<10}{target[-1]}",
    )[0]


def _sectors(env: Any, axf: Any, folder: str) -> Sequence[Any]:
    platform = env["PLATFORM"]
    files = [region.sector.file for region in platform.descriptor.regions if region.sector]
    nodes: Sequence[Any] = env.Step(
        "ethosmith.images.sections",
        target=[f"{folder}/{file}" for file in files],
        source=[axf, str(platform.path)],
        options=["--axf", axf, "--platform", platform.path, "--output-dir", folder],
        say=f"SECTORS   {folder}",
    )
    return nodes


def _card(env: Any, sectors: Sequence[Any], folder: str) -> Any:
    platform, target = env["PLATFORM"].path, f"{folder}/images.txt"
    return env.Step(
        "ethosmith.images.images_txt",
        target=target,
        source=[*sectors, str(platform)],
        options=["--platform", platform, "--sectors", folder, "--output", target],
        say=f"CARD      {target}",
    )[0]


def exists(env: Any) -> bool:
    """Say that the tool can be used; the toolchain names a missing linker."""
    del env
    return True


def generate(env: Any) -> None:
    """Add the methods `HostProgram`, `FirmwareImage` and `ReadyImage`."""
    env["CONFIGURED_HEADERS"] = []
    env.AddMethod(host_program, "HostProgram")
    env.AddMethod(firmware_image, "FirmwareImage")
    env.AddMethod(ready_image, "ReadyImage")
