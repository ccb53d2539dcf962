# SPDX-License-Identifier: Apache-2.0
"""Link the image of a use case and cut it into what a board loads: `ethosmith.images`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ethosmith.descriptors.platform import Platform


@dataclass(frozen=True)
class Image:
    """The nodes of one linked image."""

    axf: Any
    map: Any
    page: Any
    usage: Any
    sectors: tuple[Any, ...]
    images_txt: Any | None

    @property
    def all(self) -> list[Any]:
        """Every file of the image."""
        files = [self.axf, self.map, self.page, self.usage, *self.sectors, self.images_txt]
        return [node for node in files if node is not None]


def firmware_image(
    env: Any,
    name: str,
    objects: Sequence[Any],
    generated: Sequence[Any],
    libraries: Sequence[Any],
    script: Any,
    platform: Platform,
    platform_file: str,
    memory_mode: str,
    folder: str,
) -> Image:
    """Link ``objects`` and ``libraries`` into NAME.axf below ``folder``, and all made from it.

    ``generated`` are those of the objects whose sizes the build decides (model, samples,
    labels): before linking they are checked against the memory regions.
    """
    axf, link_map = f"{folder}/{name}.axf", f"{folder}/{name}.map"
    given = ["--platform", platform_file]
    fit = env.Step(
        "ethosmith.images.fit",
        target=f"{folder}/{name}_fit.json",
        source=[*generated, platform_file],
        options=[
            *given,
            *("--memory-mode", memory_mode),
            *(word for node in generated for word in ("--object", node)),
            *("--output", f"{folder}/{name}_fit.json"),
        ],
        say=f"FIT       {axf}",
    )
    linked = env.Program(
        [axf, link_map],
        list(objects),
        LIBS=list(libraries),
        LINKCOM=(
            "$LINK -o ${TARGETS[0]} $LINKFLAGS -Wl,-Map=${TARGETS[1]} -T $LINKER_SCRIPT $SOURCES"
            " -Wl,--start-group $LIBS -Wl,--end-group"
        ),
        LINKER_SCRIPT=script,
    )
    env.Depends(linked, [fit, script, *libraries, env.Value(env["TOOLCHAIN_VERSION"])])
    return _image(env, name, linked, platform, given, folder)


def _image(
    env: Any, name: str, linked: Any, platform: Platform, given: list[str], folder: str
) -> Image:
    axf, link_map = linked
    platform_file = given[1]
    page = env.Step(
        "ethosmith.images.memory_page",
        target=f"{folder}/{name}.htm",
        source=[axf, link_map, platform_file],
        options=["--axf", axf, "--map", link_map, *given, "--output", f"{folder}/{name}.htm"],
        say=f"PAGE      {folder}/{name}.htm",
    )[0]
    usage = env.Step(
        "ethosmith.images.size",
        target=f"{folder}/{name}_size.json",
        source=[axf, link_map, platform_file],
        options=["--axf", axf, "--map", link_map, *given, "--json", f"{folder}/{name}_size.json"],
        say=f"SIZE      {axf}",
    )[0]
    sectors_folder = f"{folder}/sectors/{name}"
    files = [region.sector.file for region in platform.regions if region.sector]
    sectors = env.Step(
        "ethosmith.images.sections",
        target=[f"{sectors_folder}/{file}" for file in files],
        source=[axf, platform_file],
        options=["--axf", axf, *given, "--output-dir", sectors_folder],
        say=f"SECTORS   {sectors_folder}",
    )
    card = None
    if platform.card is not None:
        card = env.Step(
            "ethosmith.images.images_txt",
            target=f"{sectors_folder}/images.txt",
            source=[*sectors, platform_file],
            options=[
                *given,
                *("--sectors", sectors_folder, "--output", f"{sectors_folder}/images.txt"),
            ],
            say=f"CARD      {sectors_folder}/images.txt",
        )[0]
    return Image(axf, link_map, page, usage, tuple(sectors), card)


def exists(env: Any) -> bool:
    """Say that the tool can be used; the toolchain names a missing linker."""
    del env
    return True


def generate(env: Any) -> None:
    """Add the method `FirmwareImage`."""
    env.AddMethod(firmware_image, "FirmwareImage")
