# SPDX-License-Identifier: Apache-2.0
"""Weight streams: decoding inverts Vela's encoder, and bad streams are faults."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest
from ethosu import mlw_codec
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ethosu_model.faults import WeightFault
from ethosu_model.weight_stream import decode_weight_stream
from ethosu_model.weights import WeightCache, WeightGeometry, decode_scales, decode_weights

DISTRIBUTIONS = {
    "uniform": lambda rng, n: rng.integers(-255, 256, n),
    "normal": lambda rng, n: np.clip(rng.normal(0, 20, n).round(), -255, 255),
    "sparse": lambda rng, n: rng.integers(-99, 99, n) * (rng.random(n) < 0.1),
    "few": lambda rng, n: rng.choice([0, 3, -7], n),
    "laplace": lambda rng, n: np.clip(rng.laplace(0, 2, n).round(), -255, 255),
}


def _weights(kind: str, count: int, seed: int) -> NDArray[Any]:
    return np.asarray(DISTRIBUTIONS[kind](np.random.default_rng(seed), count), dtype=np.int16)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(DISTRIBUTIONS)), st.integers(1, 5000), st.integers(0, 1 << 30))
def test_decoding_inverts_velas_encoder(kind: str, count: int, seed: int) -> None:
    weights = _weights(kind, count, seed)
    stream = bytes(mlw_codec.encode(weights.tolist()))
    assert np.array_equal(decode_weight_stream(stream, count), weights)


@st.composite
def geometries(draw: st.DrawFn) -> WeightGeometry:
    depthwise = draw(st.booleans())
    return WeightGeometry(
        ofm_depth=draw(st.integers(1, 70)),
        kernel_height=draw(st.integers(1, 10)),
        kernel_width=draw(st.integers(1, 10)),
        ifm_depth=1 if depthwise else draw(st.integers(1, 70)),
        ofm_block_depth=draw(st.sampled_from([8, 16, 32, 64])),
        ofm_microblock_depth=draw(st.sampled_from([4, 8])),
        ifm_microblock_depth=8,
        ifm_bits=draw(st.sampled_from([8, 16])),
        depthwise=depthwise,
        part_kernel_first=not depthwise and draw(st.booleans()),
        subkernel_height=draw(st.sampled_from([4, 8])),
        subkernel_width=draw(st.sampled_from([4, 8])),
    )


def _encode(weights: NDArray[Any], g: WeightGeometry) -> bytes:
    stream, _ = mlw_codec.reorder_encode(
        g.ifm_microblock_depth,
        g.ofm_microblock_depth,
        weights,
        g.ofm_block_depth,
        g.depthwise,
        g.part_kernel_first,
        g.ifm_bits,
        g.subkernel_height,
        g.subkernel_width,
    )
    return bytes(stream)


@settings(max_examples=60, deadline=None)
@given(geometries(), st.integers(0, 1 << 30))
def test_decoding_inverts_velas_reordering(geometry: WeightGeometry, seed: int) -> None:
    g = geometry
    shape = (g.ofm_depth, g.kernel_height, g.kernel_width, g.ifm_depth)
    weights = _weights("normal", int(np.prod(shape)), seed).reshape(shape)
    assert np.array_equal(decode_weights(_encode(weights, g), g), weights)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 1 << 30), st.lists(st.integers(0, 4000), max_size=6))
def test_any_bytes_decode_or_are_a_weight_fault(junk: bytes, seed: int, flips: list[int]) -> None:
    stream = bytearray(bytes(mlw_codec.encode(_weights("normal", 300, seed).tolist())) + junk)
    for bit in flips:
        stream[bit // 8 % len(stream)] ^= 1 << bit % 8
    with contextlib.suppress(WeightFault):
        assert len(decode_weight_stream(bytes(stream), 5000)) <= 5000


def test_zero_runs_cannot_grow_beyond_the_weights_wanted() -> None:
    stream = bytes(mlw_codec.encode([1] + [0] * 100_000 + [1]))
    assert len(stream) < 13_000
    with pytest.raises(WeightFault, match="more weights than"):
        decode_weight_stream(stream, 1000)


def test_stream_with_too_few_weights_is_a_fault() -> None:
    geometry = WeightGeometry(16, 1, 1, 16, 16, 8, 8, 8, False, False, 8, 8)
    with pytest.raises(WeightFault, match="ends after"):
        decode_weights(bytes(mlw_codec.encode([1] * 100)), geometry)


def test_cores_have_alternate_channels() -> None:
    weights = _weights("normal", 7 * 16, 1).reshape(7, 1, 1, 16)
    geometries_ = tuple(
        WeightGeometry(depth, 1, 1, 16, 8, 8, 8, 8, False, False, 8, 8) for depth in (4, 3)
    )
    streams = tuple(_encode(weights[core::2], g) for core, g in enumerate(geometries_))
    assert np.array_equal(WeightCache().get(streams, geometries_).values, weights)


def test_cache_forgets_the_oldest_volume_first() -> None:
    cache = WeightCache(limit_bytes=1)
    geometry = WeightGeometry(8, 1, 1, 32, 8, 8, 8, 8, False, False, 8, 8)
    first, second = (
        _encode(_weights("normal", 256, seed).reshape(8, 1, 1, 32), geometry) for seed in (1, 2)
    )
    kept = cache.get((second,), (geometry,))
    cache.get((first,), (geometry,))
    assert cache.get((second,), (geometry,)) is not kept
    assert cache.get((second,), (geometry,)) is cache.get((second,), (geometry,))


@given(st.integers(-(1 << 39), (1 << 39) - 1), st.integers(0, (1 << 32) - 1), st.integers(0, 63))
def test_scale_entries_are_those_of_velas_encoder(bias: int, multiplier: int, shift: int) -> None:
    from ethosu.vela.weight_compressor import encode_bias

    entry = bytes(encode_bias(np.int64(bias), multiplier, shift))
    scales = decode_scales(entry * 2 + bytes(12), 2)
    assert scales.bias.tolist() == [bias, bias]
    assert scales.multiplier.tolist() == [multiplier, multiplier]
    assert scales.shift.tolist() == [shift, shift]
