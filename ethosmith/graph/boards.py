# SPDX-License-Identifier: Apache-2.0
"""Boards that people own: ``board=NAME`` of boards/."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ethosmith.graph.build import Build
from ethosmith.graph.configuration import Configuration
from ethosmith.graph.layout import image_folder


def board_fit(build: Build, folder: Path, name: str, objects: Sequence[Path]) -> Path | None:
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


def board_header(build: Build, configuration: Configuration) -> Path | None:
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
