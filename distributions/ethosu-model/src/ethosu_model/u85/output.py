# SPDX-License-Identifier: Apache-2.0
"""Ethos-U85's output stage: zero point, limits and table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethosu_model.command_stream import CommandState
from ethosu_model.command_words import ClipBoundary
from ethosu_model.faults import CommandFault
from ethosu_model.lookup import curve_table, look_up_8, look_up_16, sigmoid_16, tanh_16
from ethosu_model.operands import FeatureMap
from ethosu_model.u85.commands import Cmd0
from ethosu_model.u85.enums import Clip, Function

IntArray = NDArray[Any]

# Bytes of a table, the offset of its index, and bytes of what it gives.
_BYTE_TABLES = {
    Function.LUT_U8_U8: (256, 0, 1),
    Function.LUT_S8_S8: (256, 128, 1),
    Function.LUT_S8_S16: (512, 128, 2),
    Function.LUT_S8_S32: (1024, 128, 4),
}
_CURVES = {Function.LUT_TANH: tanh_16, Function.LUT_SIGMOID: sigmoid_16}
_LARGEST = (1 << 63) - 1
_WIDE_TABLE_BYTES = 2048
_BYTE = {False: (-128, 127), True: (0, 255)}


@dataclass(frozen=True)
class Activation:
    """NPU_SET_ACTIVATION and its limits.

    Attributes:
        table: Which table of its size.
        limits: Least and largest value before the table, None without limits.
    """

    function: Function
    table: int
    limits: tuple[int, int] | None

    def __str__(self) -> str:
        return f"activation {self.function.name} table {self.table} in {self.limits}"


def decode_activation(state: CommandState, ofm: FeatureMap) -> Activation:
    """Return the activation; limits are signed or not as the OFM is."""
    word = Cmd0.NPU_SET_ACTIVATION
    limits = None
    if state.get(word.activation_clip_range) is Clip.B16:
        commands = (Cmd0.NPU_SET_ACTIVATION_MIN, Cmd0.NPU_SET_ACTIVATION_MAX)
        low, high = (_boundary(state, command, ofm) for command in commands)
        limits = (low, high)
    return Activation(state.get(word.activation_function), state.get(word.table), limits)


def _boundary(state: CommandState, command: ClipBoundary, ofm: FeatureMap) -> int:
    unsigned = ofm.dtype.kind == "u"
    return state.get(command.clip_boundary) if unsigned else state.signed(command.clip_boundary)


def finish(
    values: IntArray, ofm: FeatureMap, activation: Activation, table_ram: bytes | bytearray
) -> IntArray:
    """Return OFM elements for scaled results.

    Raises:
        CommandFault: The table is beyond the table RAM, or gives another type than the OFM's.
    """
    result = np.asarray(values, np.int64) + ofm.zero_point
    if activation.function in _CURVES:
        result = _limit(_curve(result, ofm, activation, table_ram), activation)
    else:
        result = _limit(result, activation)
        if activation.function is not Function.LUT_NONE:
            # A slope that overflows its 16 bits brings the sum back into them.
            return _look_up(result, ofm, activation, table_ram).astype(ofm.dtype)
    if activation.limits is None:
        return result.astype(ofm.dtype)  # of CAST too: what is above its bits is lost
    limits = np.iinfo(ofm.dtype)
    return np.clip(result, limits.min, min(limits.max, _LARGEST)).astype(ofm.dtype)


def _limit(values: IntArray, activation: Activation) -> IntArray:
    return values if activation.limits is None else np.clip(values, *activation.limits)


def _curve(
    values: IntArray, ofm: FeatureMap, activation: Activation, table_ram: bytes | bytearray
) -> IntArray:
    """Return sigmoid or tanh; they take more than 16 bits.

    Raises:
        CommandFault: The table is not the curve's own. How the NPU would interpolate another is
            not known.
    """
    table = np.frombuffer(_table(table_ram, activation.table, _WIDE_TABLE_BYTES), "<i2")
    if ofm.dtype.itemsize != 2 or not np.array_equal(table[2:], curve_table()[2:]):
        raise CommandFault(f"NPU_SET_ACTIVATION: {activation.function.name} of another table")
    return _CURVES[activation.function](values)


def _look_up(
    values: IntArray, ofm: FeatureMap, activation: Activation, table_ram: bytes | bytearray
) -> IntArray:
    function, size = activation.function, ofm.dtype.itemsize
    if function is Function.LUT_S16_S16:
        if size != 2:
            raise CommandFault(f"NPU_SET_ACTIVATION: {function.name} into {ofm.dtype}")
        table = _table(table_ram, activation.table, _WIDE_TABLE_BYTES)
        return look_up_16(np.clip(values, -0x8000, 0x7FFF), table)
    if function not in _BYTE_TABLES:
        raise CommandFault(f"NPU_SET_ACTIVATION: {function.name} is not modelled here")
    table_bytes, offset, element_bytes = _BYTE_TABLES[function]
    if size != element_bytes:
        raise CommandFault(f"NPU_SET_ACTIVATION: {function.name} into {ofm.dtype}")
    low, high = _BYTE[offset == 0]
    table = _table(table_ram, activation.table, table_bytes)
    return look_up_8(np.clip(values, low, high) + offset, table, element_bytes)


def table_place(activation: Activation) -> tuple[int, int]:
    """Return where in the table RAM the table lies, and its size in bytes."""
    size, _, _ = _BYTE_TABLES.get(activation.function, (_WIDE_TABLE_BYTES, 0, 0))
    return activation.table * size, size


def _table(table_ram: bytes | bytearray, index: int, table_bytes: int) -> bytes:
    table = bytes(table_ram[index * table_bytes : (index + 1) * table_bytes])
    if len(table) < table_bytes:
        raise CommandFault(f"NPU_SET_ACTIVATION: table {index} is beyond the table RAM")
    return table
