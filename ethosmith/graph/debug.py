# SPDX-License-Identifier: Apache-2.0
"""The target ``debug``: build one image, boot it on the open board, and attach gdb."""

from __future__ import annotations

from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.graph.build import Build, step_after
from ethosmith.graph.layout import BUILD
from ethosmith.graph.summary import BuiltImage
from ethosmith.steps.debug_image import DebugImage
from ethosmith.steps.write_gdb_commands import WriteGdbCommands

_DEBUG = "debug"


def declare_debug(build: Build) -> None:
    """Declare ``debug``.

    Raises:
        EthosmithError: not exactly one image is selected, or the open board cannot run it.
    """
    if _DEBUG not in build.session.targets:
        return
    image = _image(build)
    platform = build.platform.descriptor
    if not platform.open_board:
        raise EthosmithError(
            f"debug runs on the open board, which has no {platform.cpu.core}: take target=fvp"
        )
    commands = build.add(
        WriteGdbCommands(
            address=platform.npu.address, output=BUILD / platform.name / "npu_registers.gdb"
        )
    )
    step = DebugImage(
        axf=Path(image.axf),
        npu=image.configuration.board_npu.name,
        gdb_commands=commands.output,
    )
    build.engine.alias(_DEBUG, [step.axf, commands.output])
    step_after(build, _DEBUG, step)


def _image(build: Build) -> BuiltImage:
    if len(build.images) != 1:
        raise EthosmithError(
            f"debug takes one image, not {len(build.images)}: name one use case, npu= and runtime="
        )
    return build.images[0]
