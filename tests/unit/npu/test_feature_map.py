# SPDX-License-Identifier: Apache-2.0
"""Feature maps in memory: layouts, tiles and strides."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ethosu_model.bus import Bus
from ethosu_model.enums import Layout
from ethosu_model.faults import AxiChannel, AxiPort, CommandFault, TransferFault
from ethosu_model.feature_map import read_feature_map, write_feature_map
from ethosu_model.memory import ArrayMemory
from ethosu_model.operands import FeatureMap, Shape, Tiles

BASE = 0x2000_0000
SIZE = 1 << 18
UNTOUCHED = 0xA5


def _bus() -> tuple[Bus, ArrayMemory]:
    memory = ArrayMemory()
    memory.add(BASE, SIZE)
    memory.write(BASE, bytes([UNTOUCHED]) * SIZE)
    return Bus(memory, 32), memory


def _whole(shape: Shape, dtype: str, layout: Layout) -> FeatureMap:
    """Return a feature map of one tile in its natural strides."""
    size = np.dtype(dtype).itemsize
    if layout is Layout.NHWC:
        strides = (shape.width * shape.depth * size, shape.depth * size, size)
    else:
        bricks = -(-shape.depth // 16)
        strides = (shape.width * bricks * 16 * size, 16 * size, shape.width * 16 * size)
    tiles = Tiles(shape.height, shape.height, shape.width, (BASE, 0, 0, 0))
    return FeatureMap(shape, np.dtype(dtype), layout, tiles, *strides, 0, AxiPort.AXI0)


def _values(fm: FeatureMap, seed: int) -> NDArray[Any]:
    limits = np.iinfo(fm.dtype)
    shape = (fm.shape.height, fm.shape.width, fm.shape.depth)
    return np.random.default_rng(seed).integers(limits.min, limits.max, shape, dtype=fm.dtype)


shapes = st.builds(Shape, st.integers(1, 9), st.integers(1, 9), st.integers(1, 50))
dtypes = st.sampled_from(["i1", "u1", "i2", "i4"])
layouts = st.sampled_from(list(Layout))


@settings(max_examples=60, deadline=None)
@given(shapes, dtypes, layouts, st.integers(0, 99))
def test_what_is_written_is_read_back(shape: Shape, dtype: str, layout: Layout, seed: int) -> None:
    bus, memory = _bus()
    fm = _whole(shape, dtype, layout)
    values = _values(fm, seed)
    write_feature_map(bus, fm, values, AxiChannel.OFM)
    assert np.array_equal(read_feature_map(bus, fm, AxiChannel.IFM), values)
    depth = shape.depth if layout is Layout.NHWC else -(-shape.depth // 16) * 16
    end = shape.height * shape.width * depth * fm.dtype.itemsize
    assert memory.read(BASE + end, 64) == bytes([UNTOUCHED]) * 64


def test_bricks_of_16_channels_lie_behind_one_another() -> None:
    bus, memory = _bus()
    fm = _whole(Shape(2, 3, 20), "i1", Layout.NHCWB16)
    values = np.arange(120, dtype=np.int8).reshape(2, 3, 20)
    write_feature_map(bus, fm, values, AxiChannel.OFM)
    raw = np.frombuffer(memory.read(BASE, 192), dtype=np.uint8).reshape(2, 2, 3, 16)
    assert np.array_equal(raw[:, 0], values[:, :, :16])
    assert np.array_equal(raw[:, 1, :, :4], values[:, :, 16:])
    assert (raw[:, 1, :, 4:] == UNTOUCHED).all()


@settings(max_examples=60, deadline=None)
@given(shapes, dtypes, layouts, st.data())
def test_tiles_do_not_change_a_feature_map(
    shape: Shape, dtype: str, layout: Layout, data: st.DataObject
) -> None:
    bus, _ = _bus()
    fm = _whole(shape, dtype, layout)
    values = _values(fm, data.draw(st.integers(0, 99)))
    left = data.draw(st.integers(1, shape.width))
    heights = [data.draw(st.integers(1, shape.height)) for _ in range(2)]
    step = SIZE // 4
    bases = (BASE, BASE + step, BASE + 2 * step, BASE + 3 * step)
    tiled = replace(
        fm,
        tiles=Tiles(heights[0], heights[1], left, bases),
    )
    write_feature_map(bus, tiled, values, AxiChannel.OFM)
    assert np.array_equal(read_feature_map(bus, tiled, AxiChannel.IFM), values)
    corner = replace(tiled, shape=Shape(min(heights[0], shape.height), left, shape.depth))
    assert np.array_equal(
        read_feature_map(bus, corner, AxiChannel.IFM), values[: heights[0], :left]
    )


def test_strided_writes_leave_the_bytes_between_alone() -> None:
    bus, memory = _bus()
    fm = replace(_whole(Shape(4, 5, 3), "i1", Layout.NHWC), stride_y=1000, stride_x=7)
    values = _values(fm, 3)
    write_feature_map(bus, fm, values, AxiChannel.OFM)
    raw = np.frombuffer(memory.read(BASE, 4000), dtype=np.int8).reshape(4, 1000)
    pixels = raw[:, :35].reshape(4, 5, 7)
    assert np.array_equal(pixels[:, :, :3], values)
    assert (pixels[:, :, 3:].view(np.uint8) == UNTOUCHED).all()
    assert (raw[:, 35:].view(np.uint8) == UNTOUCHED).all()


def test_negative_strides_mirror_a_feature_map() -> None:
    bus, _ = _bus()
    fm = _whole(Shape(4, 3, 5), "i2", Layout.NHWC)
    values = _values(fm, 4)
    write_feature_map(bus, fm, values, AxiChannel.OFM)
    last_row = BASE + 3 * fm.stride_y
    mirrored = replace(
        fm, stride_y=-fm.stride_y, tiles=replace(fm.tiles, bases=(last_row, 0, 0, 0))
    )
    assert np.array_equal(read_feature_map(bus, mirrored, AxiChannel.IFM), values[::-1])


def test_elements_apart_are_read_without_touching_what_lies_between() -> None:
    memory = ArrayMemory()
    for index in range(3):
        memory.add(BASE + index * 0x10000, 16)
        memory.write(BASE + index * 0x10000, bytes([index] * 16))
    fm = replace(_whole(Shape(3, 1, 16), "i1", Layout.NHWC), stride_y=0x10000)
    values = read_feature_map(Bus(memory, 32), fm, AxiChannel.IFM)
    assert values[:, 0, 0].tolist() == [0, 1, 2]


def test_feature_map_beyond_memory_is_a_bus_fault() -> None:
    bus, _ = _bus()
    fm = replace(_whole(Shape(4, 4, 4), "i1", Layout.NHWC), stride_y=SIZE)
    with pytest.raises(TransferFault):
        read_feature_map(bus, fm, AxiChannel.IFM)


def test_stride_that_is_no_multiple_of_the_element_is_refused() -> None:
    bus, _ = _bus()
    fm = replace(_whole(Shape(4, 4, 4), "i2", Layout.NHWC), stride_y=33)
    with pytest.raises(CommandFault, match="not aligned"):
        read_feature_map(bus, fm, AxiChannel.IFM)
