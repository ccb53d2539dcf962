# SPDX-License-Identifier: Apache-2.0
"""boards/NAME.yaml: memories and NPU of a board that people own, from its public documents.

No image is linked for such a board: an exported library gets its addresses, and a network is
checked against its memories.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from ethosmith.core.accelerators import ACCELERATORS
from ethosmith.core.errors import unknown_name
from ethosmith.descriptors.base import Descriptor, Problem, Strict, repeated_names
from ethosmith.descriptors.load import NOTHING_PARSED, Parsed, load
from ethosmith.descriptors.memory import AxiLimit
from ethosmith.descriptors.npu import Axi
from ethosmith.descriptors.words import (
    ADDRESS_SPACE_BYTES,
    Address,
    Identifier,
    Limits,
    MemoryModeName,
    ProductName,
)

Statement = Annotated[str, Limits(min_length=1, max_length=400, pattern=r"^[ -~]+$")]


class BoardNpu(Strict):
    """The NPU as the processor sees it. What no public document tells is left out.

    Attributes:
        product: the NPU's product.
        accelerator_config: its configuration, by Vela's name; none: no public document tells.
        address: its register page; none: no public document tells.
        irq: its interrupt in the NVIC; none: not told, or the firmware chooses it.
        axi: limits of its AXI ports, as Arm's driver sets them for the product.
        source: the document of these figures.
    """

    product: ProductName
    accelerator_config: str | None = None
    address: Address | None = None
    irq: Annotated[int, Limits(ge=0, lt=480)] | None = None
    axi: Axi
    source: Statement


class BoardRegion(Strict):
    """A memory of the board.

    Attributes:
        name: what `model` refers to.
        address: as the processor and the NPU address it.
        size_kib: size in KiB.
        npu: the NPU reaches it.
        source: the document of these figures.
    """

    name: Identifier
    address: Address
    size_kib: Annotated[int, Limits(gt=0, le=ADDRESS_SPACE_BYTES >> 10)]
    npu: bool
    source: Statement

    @property
    def size_bytes(self) -> int:
        """Size in bytes."""
        return self.size_kib * 1024


class BoardPart(Strict):
    """Where a part of a compiled model lies.

    Attributes:
        region: one that the NPU reaches.
        axi_limit: AXI limit counter: 0 and 1 belong to port AXI0, 2 and 3 to port AXI1. On
            Ethos-U85 the memory attribute: 0 and 1 are the SRAM ports, 2 and 3 the EXT ports.
    """

    region: str
    axi_limit: AxiLimit


class BoardModel(Strict):
    """Where a model lies: a choice, which the board's owner may change.

    Attributes:
        memory_mode: Vela's memory mode of this placement.
        command_stream: Vela's driver payload.
        weights: weights, biases and scales.
        scratch: feature maps.
        scratch_fast: feature maps and weights that Vela puts closer to the NPU.
    """

    memory_mode: MemoryModeName
    command_stream: BoardPart
    weights: BoardPart
    scratch: BoardPart
    scratch_fast: BoardPart

    @property
    def parts(self) -> dict[str, BoardPart]:
        """Each part by its name."""
        names = ("command_stream", "weights", "scratch", "scratch_fast")
        return {name: getattr(self, name) for name in names}


class Board(Descriptor):
    """A board that people own. `load_board` also checks that its parts agree.

    Attributes:
        ran: whether an image of ours has run on it: `never`.
        core: the processor, as compilers name it.
        npu: the NPU.
        regions: memories, without those that hold no part of a model.
        model: where a model lies.
        unknown: what public documents do not tell, or contradict each other in; a line each.
    """

    ran: Literal["never"]
    core: Statement
    npu: BoardNpu
    regions: Annotated[tuple[BoardRegion, ...], Limits(min_length=1)]
    model: BoardModel
    unknown: tuple[Statement, ...] = ()

    def region(self, name: str) -> BoardRegion:
        """Return the region called ``name``, which `load_board` has checked to be there."""
        return next(region for region in self.regions if region.name == name)


def load_board(path: Path, parsed: Parsed = NOTHING_PARSED) -> Board:
    """Read a board's file and check that its parts agree with one another.

    Raises:
        EthosmithError: with file, line and column of the first fault.
    """
    return load(Board, path, _problems, parsed)


def _problems(board: Board) -> Iterator[Problem]:
    names = [region.name for region in board.regions]
    yield from repeated_names(("regions",), names)
    for key, part in board.model.parts.items():
        where = ("model", key, "region")
        if part.region not in names:
            yield Problem(where, unknown_name("region of this board", part.region, names))
        elif not board.region(part.region).npu:
            yield Problem(where, f"the NPU does not reach {part.region}")
    config, product = board.npu.accelerator_config, board.npu.product
    known = [one.name for one in ACCELERATORS if one.name.startswith(f"{product}-")]
    if config is not None and config not in known:
        message = unknown_name(f"accelerator config of {product}", config, known)
        yield Problem(("npu", "accelerator_config"), message)
    told = {"accelerator_config": config, "address": board.npu.address, "irq": board.npu.irq}
    for key, value in told.items():
        if value is None and not any(line.startswith(f"npu.{key}: ") for line in board.unknown):
            yield Problem(("unknown",), f"needs a line 'npu.{key}: …' that says why it is left out")
