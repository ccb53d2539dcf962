# SPDX-License-Identifier: Apache-2.0
"""The read-only windows for debugging: command registers as last set, and SHRAM."""

from __future__ import annotations

from ethosu.vela.ethos_u55_regs.ethos_u55_regs import SHARED_BUFFER, TSU, cmd0, cmd1

from ethosu_model.command_stream import CommandState

_UPPER_SUFFIXES = ("_HI", "_SHIFT")


def _tsu_sources() -> dict[int, tuple[cmd0 | cmd1, int]]:
    """Return for each TSU register the command that sets it, and the lowest bit it shows."""
    sources: dict[int, tuple[cmd0 | cmd1, int]] = {}
    commands = {code.name: code for group in (cmd0, cmd1) for code in group}
    for register in TSU:
        name, shift = register.name, 0
        for suffix in _UPPER_SUFFIXES:
            if name.endswith(suffix):
                name, shift = name.removesuffix(suffix), 32
        if f"NPU_SET_{name}" in commands:
            sources[register.value] = (commands[f"NPU_SET_{name}"], shift)
    return sources


_TSU_SOURCES = _tsu_sources()


def is_debug_register(offset: int) -> bool:
    """Tell whether ``offset`` is that of a command register or of the SHRAM window."""
    return offset in _TSU_SOURCES or _in_shared_buffer(offset)


def _in_shared_buffer(offset: int) -> bool:
    return offset in range(SHARED_BUFFER.SHARED_BUFFER0.value, SHARED_BUFFER.SIZE.value, 4)


def read_debug_register(
    offset: int, state: CommandState, shram: bytes | bytearray, debug_address: int
) -> int:
    """Return a 32-bit debug register.

    Args:
        offset: One for which ``is_debug_register`` holds.
        state: The command registers after the last job.
        shram: Shared RAM.
        debug_address: DEBUG_ADDRESS: where in SHRAM the window of 1 KiB begins.
    """
    if offset in _TSU_SOURCES:
        code, shift = _TSU_SOURCES[offset]
        return state.value(code) >> shift & 0xFFFFFFFF
    start = debug_address + offset - SHARED_BUFFER.SHARED_BUFFER0.value
    return int.from_bytes(shram[start : start + 4], "little")
