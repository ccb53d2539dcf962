# SPDX-License-Identifier: Apache-2.0
"""Ethos-U85's weights and scales: laws of their order, and the fast format."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ethosu import mlw_codec
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ethosu_model.faults import WeightFault
from ethosu_model.u85.fast_weights import decode_fast_weights
from ethosu_model.u85.weights import (
    Traversal,
    WeightGeometry,
    decode_scales,
    decode_weights,
    weight_orders,
)

_DECODERS = {128: 1, 256: 1, 512: 2, 1024: 4, 2048: 4}
_UNITS = {128: (8, 16), 256: (8, 16), 512: (16,), 1024: (16, 32), 2048: (16, 64)}


@st.composite
def geometries(draw: st.DrawFn, *, fast: bool = False) -> WeightGeometry:
    macs = draw(st.sampled_from(sorted(_DECODERS)))
    unit = draw(st.sampled_from(_UNITS[macs]))
    depthwise = not fast and draw(st.booleans())
    part_kernel = not depthwise and draw(st.booleans())
    traversal = Traversal.of(
        macs,
        unit,
        draw(st.sampled_from([8, 16])),
        sparse=not depthwise and draw(st.booleans()),
        depthwise=depthwise,
        part_kernel=part_kernel,
    )
    stride = (draw(st.integers(1, 3)), draw(st.integers(1, 3))) if traversal.by_phases else (1, 1)
    return WeightGeometry(
        shape=(
            draw(st.integers(1, 70)),
            draw(st.integers(1, 9)),
            draw(st.integers(1, 9)),
            1 if depthwise else draw(st.integers(1, 70)),
        ),
        streams=_DECODERS[macs],
        ofm_block_depth=unit * draw(st.integers(1, 4)),
        ofm_unit_depth=unit,
        traversal=traversal,
        stride=stride,
        subkernel=draw(st.sampled_from([(8, 8), (4, 8), (8, 4)])),
        fast=fast,
    )


def _weights(g: WeightGeometry) -> NDArray[Any]:
    return np.random.default_rng(0).integers(-255, 256, g.shape).astype(np.int16)


def _slots(order: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    return np.where(order >= 0, weights.ravel()[order], 0).astype(np.int16)


@settings(max_examples=60, deadline=None)
@given(geometries())
def test_every_weight_has_one_place_in_one_stream(g: WeightGeometry) -> None:
    orders = weight_orders(g)
    places = np.concatenate(orders)
    assert np.array_equal(np.sort(places[places >= 0]), np.arange(np.prod(g.shape)))
    assert len({len(order) for order in orders}) == 1


@settings(max_examples=10, deadline=None)
@given(geometries())
def test_decoding_inverts_the_order_and_velas_encoder(g: WeightGeometry) -> None:
    weights = _weights(g)
    streams = [
        bytes(mlw_codec.encode(_slots(order, weights).tolist())) for order in weight_orders(g)
    ]
    assert np.array_equal(decode_weights(tuple(streams), g), weights)


def _fast_stream(weights: NDArray[Any]) -> bytes:
    """Encode as the format is described: flags, offset, table; then two, four or eight bits."""
    table = list(dict.fromkeys(weights.tolist()))
    raw, small = len(table) > 16, len(table) <= 4
    adjust = 0
    if raw:
        low, high = int(weights.min()), int(weights.max())
        adjust = -128 - low if low < -128 else 127 - high if high > 127 else 0
    header = raw | small << 1 | (adjust & 0xFF) << 104
    for place, weight in enumerate(table[: 0 if raw else 16]):
        header |= (abs(weight) << 1 | (weight < 0)) << 112 + 9 * place
    width = 8 if raw else 2 if small else 4
    body = 0
    for place, weight in enumerate(weights.tolist()):
        code = weight + adjust & 0xFF if raw else table.index(weight)
        body |= code << width * place
    size = -(-len(weights) * width // 256) * 32
    return header.to_bytes(32, "little") + body.to_bytes(size, "little")


@pytest.mark.parametrize("values", [3, 13, 200])
@pytest.mark.parametrize("low", [-255, -100, 0, 55])
def test_fast_weights_come_back(values: int, low: int) -> None:
    weights = np.random.default_rng(values).integers(low, low + values, 777).astype(np.int16)
    stream = _fast_stream(weights)
    assert np.array_equal(decode_fast_weights(stream, len(weights)), weights)
    with pytest.raises(WeightFault, match="777000 weights"):
        decode_fast_weights(stream, 777_000)


def test_fast_weights_take_turns_block_by_block() -> None:
    traversal = Traversal.of(1024, 32, 8, sparse=False, depthwise=False, part_kernel=False)
    g = WeightGeometry((40, 1, 1, 70), 4, 32, 32, traversal, (1, 1), (8, 8), fast=True)
    weights = np.random.default_rng(1).integers(-3, 4, g.shape).astype(np.int16)
    blocks = [_slots(order, weights).reshape(-1, g.fast_block) for order in weight_orders(g)]
    assert g.fast_block == 32 * 64 // 4
    stream = _fast_stream(np.stack(blocks, axis=1).ravel())
    assert np.array_equal(decode_weights((stream,), g), weights)


def test_a_weight_where_the_operation_has_none_is_a_fault() -> None:
    traversal = Traversal.of(256, 8, 8, sparse=False, depthwise=False, part_kernel=False)
    g = WeightGeometry((8, 1, 1, 3), 1, 16, 8, traversal, (1, 1), (8, 8), fast=False)
    stream = bytes(mlw_codec.encode([1] * len(weight_orders(g)[0])))
    with pytest.raises(WeightFault, match="has none"):
        decode_weights((stream,), g)


@pytest.mark.parametrize("wide", [False, True])
def test_scales_have_the_fields_of_their_accumulators(*, wide: bool) -> None:
    bias, scale = (-(1 << 47), 0x7FFF) if wide else (-(1 << 31), 0x7FFFFFFF)
    size = 6 if wide else 4
    record = (bias & (1 << 8 * size) - 1) | scale << 8 * size | 0x3F << 64
    stream = record.to_bytes(10, "little") + (5 | 7 << 8 * size | 9 << 64).to_bytes(10, "little")
    scales = decode_scales(stream, 2, wide=wide)
    assert (scales.bias.tolist(), scales.multiplier.tolist()) == ([bias, 5], [scale, 7])
    assert scales.shift.tolist() == [0x3F, 9]
    with pytest.raises(WeightFault, match="for 3 channels"):
        decode_scales(stream, 3, wide=wide)
