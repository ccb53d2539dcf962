# SPDX-License-Identifier: Apache-2.0
"""A pruned tensor has its zeros, a clustered one its few int8 values, and both keep them."""

from __future__ import annotations

import numpy as np
import pytest

from ethosmith.conditioning.tensors import (
    Clustered,
    channel_scales,
    distinct_int8_values,
    kept_weights,
    rounded_to_int8,
    sparsity_at,
)

_DENSE, _TRANSPOSED = (-1,), (-2,)


def drawn(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("sparsity", [0.1, 0.5, 0.625, 0.99])
def test_exactly_the_smallest_weights_go(sparsity: float) -> None:
    weights = drawn(40, 20)
    kept = kept_weights(weights, sparsity)
    assert int((~kept).sum()) == round(sparsity * 800)
    assert np.abs(weights[~kept]).max() <= np.abs(weights[kept]).min()


def test_equal_weights_reach_the_sparsity_all_the_same() -> None:
    assert int((~kept_weights(np.ones((3, 3)), 0.5)).sum()) == round(4.5)


def test_the_schedule_rises_to_its_end_by_the_middle_of_the_training() -> None:
    schedule = [sparsity_at(epoch, 8, 0.1, 0.6) for epoch in range(8)]
    assert schedule == sorted(schedule)
    assert schedule[3:] == [0.6] * 5
    assert sparsity_at(0, 1, 0.0, 0.6) == 0.6


@pytest.mark.parametrize("values", [4, 5, 16, 31])
@pytest.mark.parametrize("channels", [_DENSE, _TRANSPOSED])
def test_all_channels_share_no_more_values_than_declared(
    values: int, channels: tuple[int, ...]
) -> None:
    # Channels of very different sizes, as a batch normalisation makes them.
    weights = drawn(3, 12, 10) * np.exp(drawn(10 if channels == _DENSE else 12, seed=2)).reshape(
        (10,) if channels == _DENSE else (12, 1)
    )
    found = Clustered.of(weights, channels, values, keep_zeros=False).weights(final=True)
    assert distinct_int8_values(found, channels) <= values
    # Folding scales and turned signs changes nothing.
    signs = np.where(drawn(*channel_scales(weights, channels).shape, seed=3) < 0, -2.5, 0.3)
    assert distinct_int8_values((found * signs).astype(np.float32), channels) <= values
    # int8 has the very same weights.
    np.testing.assert_allclose(rounded_to_int8(found, channels), found, rtol=1e-6)


def test_more_values_are_nearer_to_the_weights() -> None:
    weights = drawn(64, 32)
    errors = [
        float(
            ((Clustered.of(weights, _DENSE, n, keep_zeros=False).weights() - weights) ** 2).mean()
        )
        for n in (4, 8, 16, 32)
    ]
    assert errors == sorted(errors, reverse=True)
    # Uniform steps of the same number are no better.
    steps = channel_scales(weights, _DENSE) / 7.5
    uniform = (np.floor(weights / steps) + 0.5) * steps
    assert errors[2] < float(((uniform - weights) ** 2).mean())


def test_zeros_stay_zero_and_count_as_a_value() -> None:
    weights = drawn(64, 32)
    weights = weights * kept_weights(weights, 0.6)
    clustered = Clustered.of(weights, _DENSE, 16, keep_zeros=True)
    found = clustered.weights(final=True)
    np.testing.assert_array_equal(found == 0, weights == 0)
    assert distinct_int8_values(found, _DENSE) <= 16
    # A training that moves them brings none back.
    clustered.follow(found.astype(np.float64) + 0.1 * drawn(64, 32, seed=4))
    np.testing.assert_array_equal(clustered.weights() == 0, weights == 0)


def test_a_dead_channel_stays_dead() -> None:
    weights = drawn(16, 4)
    weights[:, 2] = 0
    found = Clustered.of(weights, _DENSE, 8, keep_zeros=False).weights(final=True)
    assert not found[:, 2].any()
    assert distinct_int8_values(found, _DENSE) <= 8


def test_a_palette_follows_the_weights() -> None:
    weights = drawn(64, 32)
    clustered = Clustered.of(weights, _DENSE, 8, keep_zeros=False)
    before = clustered.weights()
    # Twice as large: the scales are.
    clustered.follow(2 * before.astype(np.float64))
    np.testing.assert_allclose(clustered.weights(), 2 * before, rtol=1e-5)
