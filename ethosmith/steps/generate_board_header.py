# SPDX-License-Identifier: Apache-2.0
"""platform.h of an exported library for a board: addresses, regions and the NPU's settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ethosmith.core.files import write_text
from ethosmith.steps.step import Input, Output, Step, step

if TYPE_CHECKING:
    from ethosmith.descriptors.board_facts import Board

_TIMEOUT_MS = 5000


@step(verb="GENERATE", packages=("pydantic", "pydantic-core", "pyyaml"))
class GenerateBoardHeader(Step):
    """Generate platform.h of an exported library for a board that people own.

    Attributes:
        board: the board's file, boards/NAME.yaml.
        accelerator_config: the NPU that the network is compiled for, such as ``ethos-u55-128``.
        memory_mode: Vela's name of where the model lies, such as ``Shared_Sram``.
        output: the header.
    """

    board: Input
    accelerator_config: str
    memory_mode: str
    output: Output

    def run(self) -> None:
        """Read the board and write the header."""
        from ethosmith.descriptors.board_facts import load_board

        board = load_board(self.board)
        write_text(self.output, board_header(board, self.accelerator_config, self.memory_mode))


def board_header(board: Board, accelerator_config: str, memory_mode: str) -> str:
    """Return the header's text; what no public document tells is an ``#error`` to be filled in.

    Args:
        board: its addresses and regions.
        accelerator_config: the NPU that the network is compiled for.
        memory_mode: of the network.
    """
    from ethosmith.core.accelerators import parse_accelerator
    from ethosmith.lib.c_text import string

    npu, axi = board.npu, board.npu.axi
    accelerator = parse_accelerator(accelerator_config)
    address = None if npu.address is None else f"{npu.address:#010x}u"
    macros = {
        "PLATFORM_NAME": string(board.name),
        "PLATFORM_NPU_CONFIG": string(accelerator_config),
        "PLATFORM_NPU_MACS": f"{accelerator.macs}u",
        "PLATFORM_NPU_AXI1_WRITES": f"{int(accelerator.writes_axi1)}u",
        "PLATFORM_MEMORY_MODE": string(memory_mode),
        "PLATFORM_NPU_TIMEOUT_MS": f"{_TIMEOUT_MS}u",
        "PLATFORM_NPU_MAX_BEATS_BYTES": f"{axi.max_beats_bytes}u",
        "PLATFORM_NPU_MAX_OUTSTANDING_READS": f"{axi.max_outstanding_reads}u",
        "PLATFORM_NPU_MAX_OUTSTANDING_WRITES": f"{axi.max_outstanding_writes}u",
        **{
            f"PLATFORM_{key.upper()}_AXI_LIMIT": f"{part.axi_limit}u"
            for key, part in board.model.parts.items()
        },
    }
    lines = [f"#define {name} {value}" for name, value in macros.items()]
    lines += _told("PLATFORM_NPU_ADDRESS", address, board)
    lines += _told("PLATFORM_NPU_IRQ", None if npu.irq is None else str(npu.irq), board)
    remarks = [f"// {board.title}: no image of ours has run on it.", f"// NPU: {npu.source}"]
    remarks += [f"// {region.name}: {region.source}" for region in board.regions]
    remarks += [f"// Not told: {line}" for line in board.unknown]
    head = ["// Generated from the board's description.", *remarks]
    guard = ["#ifndef PLATFORM_H", "#define PLATFORM_H", ""]
    return "\n".join([*head, *guard, *lines, "", *_regions(board), "", "#endif", ""])


def _told(macro: str, value: str | None, board: Board) -> list[str]:
    """Return the definition, or what fails the build until somebody writes one."""
    if value is not None:
        return [f"#define {macro} {value}"]
    text = f"{board.title}: no public document tells {macro}; define it"
    return [f"#ifndef {macro}", f'#error "{text}"', "#endif"]


def _regions(board: Board) -> list[str]:
    from ethosmith.lib.c_text import string

    rows = [
        f"    X({string(region.name)}, {region.address:#010x}u, {region.size_bytes:#010x}u,"
        f" {int(region.npu)})"
        for region in board.regions
    ]
    return [
        "// X(name, address, bytes, whether the NPU reaches it)",
        "#define PLATFORM_MEMORY_REGIONS(X) \\",
        " \\\n".join(rows),
    ]
