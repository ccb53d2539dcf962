# SPDX-License-Identifier: Apache-2.0
"""The activation functions that look values up: tables in SHRAM, sigmoid and tanh."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from ethosu_model.faults import CommandFault

Int64Array = NDArray[np.int64]

LUT_REGION_BYTES = 2048
LUT_SLOT_BYTES = 256
LUT_SLOTS = 8
_TABLE_ENTRIES = 256
_INTERPOLATED_ENTRIES = 512


def look_up_8(indices: Int64Array, table: bytes, element_bytes: int) -> Int64Array:
    """Replace 8-bit values by table elements.

    Args:
        indices: 0 to 255; a signed value is offset by 128 first.
        table: The table region from the slot of the table on.
        element_bytes: 1, or 4 for a 32-bit OFM (used by Vela's softmax).

    Raises:
        CommandFault: The table does not fit behind its slot.
    """
    if len(table) < _TABLE_ENTRIES * element_bytes:
        raise CommandFault("LUT does not fit behind its slot")
    entries = np.frombuffer(table, dtype=f"<i{element_bytes}", count=_TABLE_ENTRIES)
    return entries.astype(np.int64)[indices]


def look_up_16(values: Int64Array, table: bytes) -> Int64Array:
    """Interpolate 16-bit values in 512 pairs of base (low half) and slope (high half).

    The rule is TFLite's lut_lookup for int16; regor makes the pairs, with signed halves.

    Raises:
        CommandFault: The table does not fit behind its slot.
    """
    if len(table) < 4 * _INTERPOLATED_ENTRIES:
        raise CommandFault("LUT does not fit behind its slot")
    halves = np.frombuffer(table, dtype="<i2", count=2 * _INTERPOLATED_ENTRIES)
    base, slope = halves.astype(np.int64).reshape(-1, 2).T
    index = values + 0x8000 >> 7
    return np.asarray(base[index] + (slope[index] * (values & 0x7F) + 64 >> 7))


def _sigmoid_table() -> Int64Array:
    """Return the table of sigmoid at multiples of 1/24, in 1/65536.

    TFLite tabulates it (sigmoid_table_uint16 in common.h) with each entry raised by half
    the largest error that linear interpolation would make there: an eighth of the second
    difference is that error. The last entry is the limit itself.
    """
    points = 1 / (1 + np.exp(-np.arange(257) / 24))
    second_difference = points * (1 - points) * (1 - 2 * points) / 24**2
    values = 65536 * (points - second_difference / 16)
    table = np.minimum(np.floor(values + 0.5), 65535).astype(np.int64)
    table[255:] = 65535
    return table


_SIGMOID = _sigmoid_table()


@cache
def curve_table() -> NDArray[np.int16]:
    """Return the table that Vela loads for sigmoid and tanh of Ethos-U85.

    512 pairs of base and slope, from -256/24 on; the first slope is of no account.
    """
    upper = _SIGMOID - 0x8000
    bases = np.concatenate([-upper[:0:-1], upper])
    return np.stack([bases[:-1], np.diff(bases)], axis=1).ravel().astype(np.int16)


def _interpolate_sigmoid(magnitude: Int64Array, fraction_bits: int) -> Int64Array:
    """Return table entry times ``2**fraction_bits``; only indices below 255 are meant."""
    index = np.minimum(magnitude >> fraction_bits, 255)
    low, high = _SIGMOID[index], _SIGMOID[index + 1]
    fraction = magnitude & (1 << fraction_bits) - 1
    return np.asarray((low << fraction_bits) + fraction * (high - low))


def sigmoid_16(values: Int64Array) -> Int64Array:
    """Return sigmoid(value / 12288) in 1/32768 (TFLite reference_integer_ops/logistic.h)."""
    magnitude = np.abs(values)
    result = np.where(magnitude >> 9 >= 255, 0x7FFF << 10, _interpolate_sigmoid(magnitude, 9))
    positive = result + (1 << 9)
    negative = (1 << 25) - result + (1 << 9) - 1
    return np.where(values >= 0, positive, negative) >> 10


def tanh_16(values: Int64Array) -> Int64Array:
    """Return tanh(value / 12288) in 1/32768 (TFLite reference_integer_ops/tanh.h)."""
    magnitude = np.abs(values)
    result = np.where(magnitude >> 8 >= 255, 0xFFFF << 8, _interpolate_sigmoid(magnitude, 8))
    positive = result - (1 << 23) + (1 << 7)
    negative = -result + (1 << 23) + (1 << 7) - 1
    return np.where(values >= 0, positive, negative) >> 8
