# SPDX-License-Identifier: Apache-2.0
"""What `scons list` prints: all that a variable of the command line can name."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ethosmith.descriptors.words import SampleFormat
from ethosmith.graph.project import Project

_WIDTH = 80


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
        *_section("Boards (board=), on none of which an image has run", list(_boards(project))),
        *_section("Toolchains (toolchain=)", toolchains),
        *_section("Templates (new usecase=NAME template=)", templates),
        *_section("Git repositories (NAME_dir=)", list(_repositories(project))),
    ]
    return "\n".join(lines) + "\n"


def list_json(project: Project) -> str:
    """Return the same as `list_text` for programs."""

    def named(names: Sequence[str], titles: Iterable[str]) -> list[dict[str, Any]]:
        return [{"name": n, "title": title} for n, title in zip(names, titles, strict=True)]

    platforms = [project.platform(name).descriptor for name in project.platform_names]
    usecases = (project.usecase(name).descriptor.title for name in project.usecase_names)
    toolchains = (project.toolchain(name).descriptor.title for name in project.toolchain_names)
    document = {
        "schema": 1,
        "usecases": named(project.usecase_names, usecases),
        "platforms": [
            {
                "name": name,
                "title": platform.title,
                "npus": list(platform.npu.accelerator_configs),
                "memory_modes": [mode.name for mode in platform.memory_modes],
            }
            for name, platform in zip(project.platform_names, platforms, strict=True)
        ],
        "boards": [{"name": name, "title": title} for name, title in _boards(project)],
        "toolchains": named(project.toolchain_names, toolchains),
        "repositories": list(project.repository_names),
        "templates": named(list(TEMPLATES), (kind.title for kind in TEMPLATES.values())),
    }
    return json.dumps(document, indent=2) + "\n"


def _platforms(project: Project) -> Iterator[tuple[str, str]]:
    for name in project.platform_names:
        platform = project.platform(name).descriptor
        yield name, platform.title
        yield "", f"npu={','.join(platform.npu.accelerator_configs)}"
        yield "", f"memory_mode={','.join(mode.name for mode in platform.memory_modes)}"


def _boards(project: Project) -> Iterator[tuple[str, str]]:
    for name in project.board_names:
        yield name, project.board(name).descriptor.title


def _repositories(project: Project) -> Iterator[tuple[str, str]]:
    for name in project.repository_names:
        yield f"{name}_dir=", project.repository(name).descriptor.title


def _section(title: str, rows: Sequence[tuple[str, str]]) -> list[str]:
    width = max((len(name) for name, _ in rows), default=0)
    lines = [f"{title}:"]
    for name, text in rows:
        # A list of values, which has no name, is broken behind commas.
        wrapped = textwrap.wrap(
            f"  {name:<{width}}  {text if name else text.replace(',', ', ')}",
            _WIDTH,
            subsequent_indent=" " * (width + 4),
            break_on_hyphens=False,
        )
        lines += wrapped if name else [line.replace(", ", ",") for line in wrapped]
    return lines


class Kind(NamedTuple):
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
    "pytorch": Kind("numbers from CSV files to a PyTorch network", "any shape", ("csv",)),
    "vector": Kind("numbers as they are, from CSV files", "any shape", ("csv",)),
}
