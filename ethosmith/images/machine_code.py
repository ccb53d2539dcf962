# SPDX-License-Identifier: Apache-2.0
"""Find in Thumb machine code how much stack a function takes and whom it calls.

Only the instructions that move the stack pointer down or leave the function are decoded
(Armv8-M Architecture Reference Manual, C2.4: PUSH, STMDB, STR and STRD with write-back,
VPUSH, SUB from SP; BL, B, BLX, BX). Any other one is passed over by its length, which the
first halfword tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_STACK_POINTER = 13
_LINK_REGISTER = 14


@dataclass(frozen=True)
class Body:
    """What a function's instructions say.

    Attributes:
        frame_bytes: sum of all that moves the stack pointer down: an upper bound, as parts
            of it may lie on ways that exclude each other.
        bounded: False if a register's value is subtracted (alloca, variable-length arrays).
        targets: addresses of calls and of branches out of the function.
        calls_pointer: whether it calls or jumps to what a register holds.
    """

    frame_bytes: int
    bounded: bool
    targets: tuple[int, ...]
    calls_pointer: bool


def read_body(runs: Iterable[tuple[int, bytes]], inside: range) -> Body:
    """Decode a function.

    Args:
        runs: its instructions between literals, each run with its address.
        inside: all its addresses; a branch to one of them is its own affair.
    """
    frame_bytes, bounded, calls_pointer = 0, True, False
    targets: dict[int, None] = {}
    for place, first, second in (item for run in runs for item in _instructions(*run)):
        frame_bytes += _pushed_bytes(first, second)
        bounded = bounded and not _subtracts_register(first, second)
        calls_pointer = calls_pointer or _is_indirect(first)
        target = _branch_target(place, first, second)
        if target is not None and (_is_call(first, second) or target not in inside):
            targets[target] = None
    return Body(frame_bytes, bounded, tuple(targets), calls_pointer)


def _instructions(address: int, code: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield address, first and second halfword; the second is 0 if there is none."""
    offset = 0
    while offset + 2 <= len(code):
        first = int.from_bytes(code[offset : offset + 2], "little")
        wide = first >= 0xE800
        second = int.from_bytes(code[offset + 2 : offset + 4], "little") if wide else 0
        yield address + offset, first, second
        offset += 4 if wide else 2


def _pushed_bytes(first: int, second: int) -> int:
    if first >> 9 == 0b1011010:  # PUSH {low registers, LR}
        return 4 * (first & 0x1FF).bit_count()
    if first >> 7 == 0b101100001:  # SUB SP, #imm7 * 4
        return 4 * (first & 0x7F)
    if first == 0xE92D:  # STMDB SP!, {registers}
        return 4 * second.bit_count()
    if first == 0xF84D and second & 0x0F00 == 0x0D00:  # STR Rt, [SP, #-imm8]!
        return second & 0xFF
    if first in (0xE96D, 0xED2D, 0xED6D):  # STRD ..., [SP, #-imm8 * 4]!; VPUSH
        return 4 * (second & 0xFF)
    return _subtracted_bytes(first, second)


def _subtracted_bytes(first: int, second: int) -> int:
    """Decode SUB{W} SP, SP, #constant."""
    if first & ~0x0410 not in (0xF1AD & ~0x10, 0xF2AD & ~0x10) or _destination(second) != (
        _STACK_POINTER
    ):
        return 0
    constant = (first >> 10 & 1) << 11 | (second >> 12 & 7) << 8 | second & 0xFF
    return constant if first & 0x0200 else _expanded(constant)


def _destination(second: int) -> int:
    return second >> 8 & 0xF


def _expanded(constant: int) -> int:
    """Return a modified immediate constant (ThumbExpandImm)."""
    byte, rotation = constant & 0xFF, constant >> 7
    if constant >> 10:
        value = 0x80 | byte & 0x7F
        return (value >> rotation | value << (32 - rotation)) & 0xFFFFFFFF
    patterns = (byte, byte << 16 | byte, byte << 24 | byte << 8, byte * 0x01010101)
    return patterns[constant >> 8 & 3]


def _subtracts_register(first: int, second: int) -> bool:
    return first & ~0x10 == 0xEBAD & ~0x10 and _destination(second) == _STACK_POINTER


def _is_indirect(first: int) -> bool:
    """Whether it is BLX Rm, or BX Rm with another register than LR."""
    if first & 0xFF80 == 0x4780:
        return True
    return first & 0xFF80 == 0x4700 and first >> 3 & 0xF != _LINK_REGISTER


def _is_call(first: int, second: int) -> bool:
    return first & 0xF800 == 0xF000 and second & 0xD000 == 0xD000


def _branch_target(address: int, first: int, second: int) -> int | None:
    """Return where a BL or B with or without condition leads, or None."""
    pc = address + 4
    if first & 0xF800 == 0xE000:
        return pc + _signed((first & 0x7FF) << 1, 12)
    if first & 0xF000 == 0xD000 and first & 0x0E00 != 0x0E00:
        return pc + _signed((first & 0xFF) << 1, 9)
    if first & 0xF800 != 0xF000 or second & 0x8000 == 0:
        return None
    sign, j1, j2 = first >> 10 & 1, second >> 13 & 1, second >> 11 & 1
    if second & 0x1000:  # BL, and B without a condition
        i1, i2 = 1 ^ j1 ^ sign, 1 ^ j2 ^ sign
        high = sign << 24 | i1 << 23 | i2 << 22 | (first & 0x3FF) << 12
        return pc + _signed(high | (second & 0x7FF) << 1, 25)
    if first & 0x0380 != 0x0380 and second & 0x4000 == 0:  # B with a condition
        high = sign << 20 | j2 << 19 | j1 << 18 | (first & 0x3F) << 12
        return pc + _signed(high | (second & 0x7FF) << 1, 21)
    return None


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) & 1 else value
