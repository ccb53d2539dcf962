# SPDX-License-Identifier: Apache-2.0
"""Whether a compiled model fits the memories of a board that people own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ethosmith.core.files import write_json
from ethosmith.steps.step import Input, Inputs, Output, Step, step

if TYPE_CHECKING:
    from ethosmith.descriptors.board_facts import Board
    from ethosmith.steps.check_fit import RegionPlan


@step(verb="FIT", packages=("pydantic", "pydantic-core", "pyelftools", "pyyaml"))
class CheckBoardFit(Step):
    """Check that a compiled model fits the memories of a board that people own.

    Attributes:
        board: the board's file, boards/NAME.yaml.
        objects: the generated object files, whose sections are measured.
        output: what goes where, JSON.
    """

    board: Input
    objects: Inputs
    output: Output

    def run(self) -> None:
        """Check the fit and write the plan.

        Raises:
            EthosmithError: a region is too small, with what needs how much of it.
        """
        from ethosmith.descriptors.board_facts import load_board
        from ethosmith.images.elf import read_object
        from ethosmith.steps.check_fit import as_json, check_fit, sizes_of_objects

        sizes = sizes_of_objects(map(read_object, self.objects))
        plans = board_plan(load_board(self.board), sizes)
        check_fit(plans)
        write_json(self.output, as_json(plans))


def board_plan(board: Board, sizes: Mapping[str, int]) -> tuple[RegionPlan, ...]:
    """Return what of a model lies in each region of a board.

    Args:
        board: its regions, and where it has the parts of a model.
        sizes: bytes by part; other names than those of a model's parts are left out.
    """
    from ethosmith.steps.check_fit import Part, RegionPlan

    places = {name: part.region for name, part in board.model.parts.items()}
    return tuple(
        RegionPlan(
            region.name,
            region.size_bytes,
            tuple(
                Part(name, sizes[name])
                for name, place in places.items()
                if place == region.name and sizes.get(name)
            ),
        )
        for region in board.regions
    )
