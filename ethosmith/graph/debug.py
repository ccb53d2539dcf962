# SPDX-License-Identifier: Apache-2.0
"""The targets ``debug`` and ``vscode``: images on the open board, with gdb attached."""

from __future__ import annotations

from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.graph.build import Build, step_after
from ethosmith.graph.layout import BUILD
from ethosmith.graph.summary import BuiltImage

_DEBUG, _VSCODE = "debug", "vscode"
# Variables that `_arguments` says for each image, and those of the answer.
_OF_AN_IMAGE = frozenset({"usecase", "npu", "memory_mode", "runtime", "format"})


def declare_debug(build: Build) -> None:
    """Declare ``debug`` and ``vscode``.

    Raises:
        EthosmithError: not exactly one image to debug, or the open board cannot run it.
    """
    targets = build.session.targets
    registers = BUILD / build.platform.descriptor.name / "npu_registers.gdb"
    # The tasks of .vscode/ build that file by its path.
    asked = [name for name in (_DEBUG, _VSCODE, str(registers)) if name in targets]
    if not asked:
        return
    platform = build.platform.descriptor
    if not platform.open_board:
        raise EthosmithError(
            f"{asked[0]} is for the open board, which has no {platform.cpu.core}: take target=fvp"
        )
    from ethosmith.steps.write_gdb_commands import WriteGdbCommands

    step = WriteGdbCommands(address=platform.npu.address, output=registers)
    commands = build.add(step).output
    if _DEBUG in targets:
        _declare_gdb(build, commands)
    if _VSCODE in targets:
        _declare_vscode(build, commands)


def _declare_gdb(build: Build, commands: Path) -> None:
    if len(build.images) != 1:
        raise EthosmithError(
            f"debug takes one image, not {len(build.images)}: name one use case, npu= and runtime="
        )
    (image,) = build.images
    from ethosmith.steps.debug_image import DebugImage

    step = DebugImage(
        axf=Path(image.axf),
        npu=image.configuration.board_npu.name,
        board=build.platform.descriptor.open_board or None,
        gdb_commands=commands,
    )
    build.engine.alias(_DEBUG, [step.axf, commands])
    step_after(build, _DEBUG, step)


def _declare_vscode(build: Build, commands: Path) -> None:
    from ethosmith.steps.write_vscode import WriteVscode

    root, given = build.project.root, build.session.given
    wrapper = "${workspaceFolder}/scons" if (root / "scons").is_file() else "ethosmith"
    others = [f"{name}={value}" for name, value in given.items() if name not in _OF_AN_IMAGE]
    images = tuple(
        {
            "name": f"{image.usecase} {image.configuration.title}",
            "axf": image.axf,
            "npu": image.configuration.board_npu.name,
            "board": build.platform.descriptor.open_board or None,
            "arguments": [*_arguments(image), *others],
        }
        for image in build.images
    )
    step = WriteVscode(images=images, gdb_commands=commands.as_posix(), command=wrapper)
    build.engine.alias(_VSCODE)
    step_after(build, _VSCODE, step)


def _arguments(image: BuiltImage) -> list[str]:
    configuration = image.configuration
    usecase = image.usecase.partition("@")[0]
    found = [f"usecase={usecase}", f"npu={configuration.npu_name}"]
    if configuration.accelerator is not None:
        found.append(f"memory_mode={configuration.memory_mode}")
    return [*found, f"runtime={configuration.runtime.name}"]
