# SPDX-License-Identifier: Apache-2.0
"""The read-only windows for debugging: command registers as last set, and SHRAM."""

from __future__ import annotations

from collections.abc import Mapping

from ethosu_model.command_stream import CommandState
from ethosu_model.registers import SHARED_BUFFER_REGISTERS, Reg
from ethosu_model.tsu_registers import TsuRegister

_WINDOW = Reg.SHARED_BUFFER.offset


def is_debug_register(shown: Mapping[int, TsuRegister], offset: int) -> bool:
    """Tell whether ``offset`` is that of a command register in ``shown``, or in SHRAM's window."""
    return offset in shown or _in_shared_buffer(offset)


def _in_shared_buffer(offset: int) -> bool:
    return offset % 4 == 0 and 0 <= offset - _WINDOW < 4 * SHARED_BUFFER_REGISTERS


def read_debug_register(
    shown: Mapping[int, TsuRegister],
    offset: int,
    state: CommandState,
    shram: bytes | bytearray,
    debug_address: int,
) -> int:
    """Return a 32-bit debug register.

    Args:
        shown: The product's registers that show commands.
        offset: One for which ``is_debug_register`` holds.
        state: The command registers after the last job.
        shram: Shared RAM.
        debug_address: DEBUG_ADDRESS: where in SHRAM the window of 1 KiB begins.
    """
    if offset in shown:
        register = shown[offset]
        return state.value(register.command) >> register.low & 0xFFFFFFFF
    start = debug_address + offset - _WINDOW
    return int.from_bytes(shram[start : start + 4], "little")
