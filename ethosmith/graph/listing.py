# SPDX-License-Identifier: Apache-2.0
"""What `scons list` prints: all that a variable of the command line can name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ethosmith.descriptors.words import SampleFormat
from ethosmith.graph.project import Project


def list_text(project: Project) -> str:
    """Return all use cases, platforms with their NPUs and memory modes, toolchains, templates."""
    usecases = [(name, project.usecase(name).descriptor.title) for name in project.usecase_names]
    toolchains = [
        (name, project.toolchain(name).descriptor.title) for name in project.toolchain_names
    ]
    templates = [(name, kind.title) for name, kind in TEMPLATES.items()]
    lines = [
        *_section("Use cases (usecase=)", usecases),
        *_section("Platforms (target=)", list(_platforms(project))),
        *_section("Toolchains (toolchain=)", toolchains),
        *_section("Templates (new usecase=NAME template=)", templates),
    ]
    return "\n".join(lines) + "\n"


def _platforms(project: Project) -> Iterator[tuple[str, str]]:
    for name in project.platform_names:
        platform = project.platform(name).descriptor
        yield name, platform.title
        yield "", f"npu={','.join(platform.npu.accelerator_configs)}"
        yield "", f"memory_mode={','.join(mode.name for mode in platform.memory_modes)}"


def _section(title: str, rows: Sequence[tuple[str, str]]) -> list[str]:
    width = max((len(name) for name, _ in rows), default=0)
    return [f"{title}:", *(f"  {name:<{width}}  {text}".rstrip() for name, text in rows)]


@dataclass(frozen=True)
class Kind:
    """One template.

    Attributes:
        title: what its pre-processing does, for people.
        fills: inputs that it can fill, for people.
        formats: of the samples that it takes.
    """

    title: str
    fills: str
    formats: tuple[SampleFormat, ...]


TEMPLATES: Mapping[str, Kind] = {
    "audio": Kind(
        "WAV files to log-mel features, by TensorFlow's micro front end",
        "frames x channels (x 1)",
        ("wav",),
    ),
    "image": Kind(
        "pictures of any size, cropped and resized", "height x width x 3 (or 1)", ("image",)
    ),
    "vector": Kind("numbers as they are, from CSV files", "any shape", ("csv",)),
}
