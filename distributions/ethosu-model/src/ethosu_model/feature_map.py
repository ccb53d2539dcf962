# SPDX-License-Identifier: Apache-2.0
"""Feature maps in memory: tiles, layouts and strides, to and from NHWC arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethosu_model.bus import Bus
from ethosu_model.enums import Layout
from ethosu_model.faults import AxiChannel, CommandFault
from ethosu_model.operands import BRICK, FeatureMap

IntArray = NDArray[Any]

# A strided area moves in one transfer if that carries at most this many times its elements.
_MAX_WASTE = 32


@dataclass(frozen=True)
class Area:
    """A box of elements with one base address and regular strides.

    It has four axes: rows, bricks, columns, channels of a brick. In NHWC there is one
    brick and it holds all channels.

    Attributes:
        address: Bus address of its first element.
        row: First row of the feature map in it.
        column: First column.
        channel: First channel.
        counts: Number of rows, bricks, columns, channels in a brick.
        strides: Bytes from one to the next along each axis.
        element_bytes: Bytes of an element.
    """

    address: int
    row: int
    column: int
    channel: int
    counts: tuple[int, int, int, int]
    strides: tuple[int, int, int, int]
    element_bytes: int

    @property
    def index(self) -> tuple[slice, slice, slice]:
        """Its place in an array [height, width, depth]."""
        rows, bricks, columns, channels = self.counts
        return (
            slice(self.row, self.row + rows),
            slice(self.column, self.column + columns),
            slice(self.channel, self.channel + bricks * channels),
        )

    def rows(self) -> Iterator[Area]:
        """Split into single rows."""
        for step in range(self.counts[0]):
            yield replace(
                self,
                address=self.address + step * self.strides[0],
                row=self.row + step,
                counts=(1, *self.counts[1:]),
            )

    def bricks(self) -> Iterator[Area]:
        """Split into single bricks."""
        rows, bricks, columns, channels = self.counts
        for step in range(bricks):
            yield replace(
                self,
                address=self.address + step * self.strides[1],
                channel=self.channel + step * channels,
                counts=(rows, 1, columns, channels),
            )

    def columns(self) -> Iterator[Area]:
        """Split into single columns."""
        for step in range(self.counts[2]):
            yield replace(
                self,
                address=self.address + step * self.strides[2],
                column=self.column + step,
                counts=(*self.counts[:2], 1, self.counts[3]),
            )

    @cached_property
    def low(self) -> int:
        """Its lowest address."""
        return self.address + sum(min(0, reach) for reach in self._reaches)

    @cached_property
    def span_bytes(self) -> int:
        """Bytes from its lowest address to its end."""
        high = self.address + sum(max(0, reach) for reach in self._reaches)
        return high - self.low + self.element_bytes

    @property
    def _reaches(self) -> list[int]:
        return [(n - 1) * stride for n, stride in zip(self.counts, self.strides, strict=True)]

    @cached_property
    def dense(self) -> bool:
        """Whether its elements follow one another in memory without gaps."""
        step = self.element_bytes
        for count, stride in zip(reversed(self.counts), reversed(self.strides), strict=True):
            if count > 1 and stride != step:
                return False
            step *= count
        return True

    @cached_property
    def compact(self) -> bool:
        """Whether one transfer may move it: few bytes lie between its elements."""
        return self.span_bytes <= _MAX_WASTE * prod(self.counts) * self.element_bytes


def areas(fm: FeatureMap) -> Iterator[Area]:
    """Yield the areas that make up a feature map.

    The tile rule is that of Vela's register_command_stream_util.get_address.
    """
    shape, tiles = fm.shape, fm.tiles
    split = min(shape.width, tiles.width_0)
    for first, last, height, bases in (
        (0, split, tiles.height_0, (tiles.bases[0], tiles.bases[2])),
        (split, shape.width, tiles.height_1, (tiles.bases[1], tiles.bases[3])),
    ):
        middle = min(shape.height, height)
        for top, bottom, base in ((0, middle, bases[0]), (middle, shape.height, bases[1])):
            if top < bottom and first < last:
                yield from _tile(fm, base, (top, bottom), (first, last))


def _tile(
    fm: FeatureMap, base: int, rows: tuple[int, int], columns: tuple[int, int]
) -> Iterator[Area]:
    size, depth = fm.dtype.itemsize, fm.shape.depth
    height, width = rows[1] - rows[0], columns[1] - columns[0]
    if fm.layout is Layout.NHWC:
        strides = (fm.stride_y, 0, fm.stride_x, size)
        yield Area(base, rows[0], columns[0], 0, (height, 1, width, depth), strides, size)
        return
    strides = (fm.stride_y, fm.stride_c, BRICK * size, size)
    full, rest = divmod(depth, BRICK)
    if full:
        yield Area(base, rows[0], columns[0], 0, (height, full, width, BRICK), strides, size)
    if rest:
        address = base + full * fm.stride_c
        counts = (height, 1, width, rest)
        yield Area(address, rows[0], columns[0], full * BRICK, counts, strides, size)


def read_feature_map(bus: Bus, fm: FeatureMap, channel: AxiChannel) -> IntArray:
    """Return a feature map as an array [height, width, depth] of its element type.

    Raises:
        TransferFault: Part of it is not memory.
        CommandFault: An address or stride is not a multiple of the element size.
    """
    plain = plain_area(fm)
    if plain is not None:
        data = bus.read(plain.low, plain.span_bytes, fm.port, channel)
        values: IntArray = np.ndarray(plain.axes, fm.dtype, data, plain.offset, plain.strides)
        return values if plain.bricks == 1 else values.reshape(plain.shape)
    shape = (fm.shape.height, fm.shape.width, fm.shape.depth)
    result = np.empty(shape, dtype=fm.dtype)
    for part in _transfers_of(fm):
        target = result[part.index]
        target[...] = _read_part(bus, fm, part, channel).reshape(target.shape)
    return result


def _read_part(bus: Bus, fm: FeatureMap, part: Area, channel: AxiChannel) -> IntArray:
    """Return a part's elements as [rows, columns, bricks, channels of a brick]."""
    data = bus.read(part.low, part.span_bytes, fm.port, channel)
    return _strided(data, fm, part).transpose(0, 2, 1, 3)


def write_feature_map(bus: Bus, fm: FeatureMap, values: IntArray, channel: AxiChannel) -> None:
    """Store an array [height, width, depth] as a feature map; bytes between stay as they are.

    Raises:
        TransferFault: Part of it is not memory.
        CommandFault: An address or stride is not a multiple of the element size.
    """
    plain = plain_area(fm)
    if plain is not None and plain.dense:
        if plain.bricks > 1:
            values = values.reshape(plain.axes).transpose(0, 2, 1, 3)
        bus.write(plain.low, values.tobytes(), fm.port, channel)
        return
    for part in _transfers_of(fm):
        _write_part(bus, fm, part, values, channel)


def _write_part(
    bus: Bus, fm: FeatureMap, part: Area, values: IntArray, channel: AxiChannel
) -> None:
    rows, bricks, columns, channels = part.counts
    block = values[part.index].reshape(rows, columns, bricks, channels).transpose(0, 2, 1, 3)
    if part.dense:
        bus.write(part.low, block.tobytes(), fm.port, channel)
        return
    buffer = bytearray(bus.read(part.low, part.span_bytes, fm.port, channel))
    _strided(buffer, fm, part)[...] = block
    bus.write(part.low, bytes(buffer), fm.port, channel)


def _transfers_of(fm: FeatureMap) -> Iterable[Area]:
    """Return the transfers that move a feature map; most need one, and few of those are kept."""
    areas_of_fm, compact = _few_areas(fm)
    if compact:
        return areas_of_fm
    return (part for area in areas_of_fm for part in _transfers(area))


@dataclass(frozen=True)
class Plain:
    """A feature map that is one area and moves in one transfer, as NumPy reaches it there.

    Attributes:
        low: Its lowest address.
        span_bytes: Bytes moved.
        offset: Of its first element in them.
        bricks: How many there are.
        axes: Rows, columns, bricks if there are several, channels of a brick.
        strides: Bytes from one to the next along each.
        shape: Height, width, depth.
        dense: Its elements follow one another without gaps, brick by brick.
    """

    low: int
    span_bytes: int
    offset: int
    bricks: int
    axes: tuple[int, ...]
    strides: tuple[int, ...]
    shape: tuple[int, int, int]
    dense: bool


@lru_cache(maxsize=2048)
def plain_area(fm: FeatureMap) -> Plain | None:
    """Return a feature map as one area; None if it is none."""
    areas_of_fm, compact = _few_areas(fm)
    if len(areas_of_fm) != 1 or not compact:
        return None
    area, bricks = areas_of_fm[0], areas_of_fm[0].counts[1]
    axes = (0, 2, 3) if bricks == 1 else (0, 2, 1, 3)
    return Plain(
        low=area.low,
        span_bytes=area.span_bytes,
        offset=area.address - area.low,
        bricks=bricks,
        axes=tuple(area.counts[axis] for axis in axes),
        strides=tuple(area.strides[axis] for axis in axes),
        shape=(fm.shape.height, fm.shape.width, fm.shape.depth),
        dense=area.dense,
    )


@lru_cache(maxsize=2048)
def _few_areas(fm: FeatureMap) -> tuple[tuple[Area, ...], bool]:
    """Return a feature map's areas, and whether each of them moves in one transfer."""
    result = tuple(areas(fm))
    for area in result:
        _check_alignment(area)
    return result, all(area.compact for area in result)


def _transfers(area: Area) -> Iterator[Area]:
    """Split an area so that no transfer carries many times the bytes it is for."""
    if area.compact:
        yield area
        return
    if area.counts[0] > 1:
        parts = area.rows()
    elif area.counts[1] > 1:
        parts = area.bricks()
    else:
        parts = area.columns()
    for part in parts:
        yield from _transfers(part)


def _check_alignment(area: Area) -> None:
    for value in (area.address, *area.strides):
        if value % area.element_bytes:
            raise CommandFault("feature map address or stride not aligned to its elements")


def _strided(data: bytes | bytearray, fm: FeatureMap, area: Area) -> IntArray:
    start = area.address - area.low
    return np.ndarray(area.counts, dtype=fm.dtype, buffer=data, offset=start, strides=area.strides)
