# SPDX-License-Identifier: Apache-2.0
"""Finds what an operation, or a chain, overwrites in one block and reads in a later one."""

from __future__ import annotations

from ethosu_model.blocks import BlockWork, Reading
from ethosu_model.operands import FeatureMap
from ethosu_model.spans import NOTHING, meeting, spans_of, union

_AS_IS = (0, 1, 2)


def overwritten(work: BlockWork) -> int | None:
    """Return an address that a block writes and a later block of its own reads, or None."""
    writer = work.writer
    if writer.written is None:
        return None
    readings = {
        each: tuple(one for one in each.readings if not _in_place(one, writer))
        for each in (work, *work.parts)
    }
    written = spans_of(writer.written)
    maps = [one.fm for each in readings.values() for one in each]
    if all(meeting(written, spans_of(fm)) is None for fm in maps):
        return None
    later = NOTHING
    for index in range(work.block_count - 1, 0, -1):
        reads = (each.block_read(those, index) for each, those in readings.items())
        later = union([later, *reads])
        address = meeting(later, writer.block_written(index - 1))
        if address is not None:
            return address
    return None


def _in_place(reading: Reading, writer: BlockWork) -> bool:
    """Return whether each element is read by the block that writes in its place."""
    moves = reading.window is not None or reading.stretch is not None
    if writer.written is None or moves or reading.whole:
        return False
    turned = writer.transpose != _AS_IS or writer.reverse is not None
    return not turned and _place(reading.fm) == _place(writer.written)


def _place(fm: FeatureMap) -> tuple[object, ...]:
    strides = (fm.stride_y, fm.stride_x, fm.stride_c)
    return (fm.shape, fm.dtype.itemsize, fm.layout, fm.tiles, *strides)
