# SPDX-License-Identifier: Apache-2.0
"""Fixed-point scaling, against TensorFlow Lite's definition in Python's integers."""

from __future__ import annotations

from fractions import Fraction
from math import floor, trunc

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ethosu_model.enums import Rounding
from ethosu_model.rounding import scale_and_round, shift_right_rounded

values = st.integers(-(1 << 31), (1 << 31) - 1)
multipliers = st.integers(0, (1 << 32) - 1)
shifts = st.integers(0, 83)


def _round_half_away(value: Fraction) -> int:
    return floor(value + Fraction(1, 2)) if value >= 0 else -floor(-value + Fraction(1, 2))


def _expected(value: int, multiplier: int, shift: int, rounding: Rounding) -> int:
    exact = Fraction(value * multiplier, 2**shift)
    if rounding is Rounding.NATURAL:
        return floor(exact + Fraction(1, 2))
    if rounding is Rounding.TRUNCATE:
        return trunc(exact)
    if shift <= 31:
        return floor(exact + Fraction(1, 2))
    high = floor(Fraction(value * multiplier, 2**31) + Fraction(1, 2))
    return _round_half_away(Fraction(high, 2 ** (shift - 31)))


@settings(max_examples=300)
@given(
    st.lists(st.tuples(values, multipliers, shifts), min_size=1, max_size=8),
    st.sampled_from(list(Rounding)),
)
def test_scaling_is_exact_for_every_rounding(
    cases: list[tuple[int, int, int]], rounding: Rounding
) -> None:
    arrays = [np.array(column, dtype=np.int64) for column in zip(*cases, strict=True)]
    result = scale_and_round(arrays[0], arrays[1], arrays[2], rounding)
    limit = 1 << 62
    exact = [_expected(*case, rounding) for case in cases]
    assert result.tolist() == [max(-limit, min(limit, value)) for value in exact]


@settings(max_examples=300)
@given(
    st.lists(values, min_size=1, max_size=8), multipliers, shifts, st.sampled_from(list(Rounding))
)
def test_one_scale_for_all_values_gives_the_same(
    column: list[int], multiplier: int, shift: int, rounding: Rounding
) -> None:
    result = scale_and_round(np.array(column), multiplier, shift, rounding)
    limit = 1 << 62
    exact = [_expected(value, multiplier, shift, rounding) for value in column]
    assert result.tolist() == [max(-limit, min(limit, value)) for value in exact]


@given(st.lists(values, min_size=1, max_size=50), st.integers(1 << 30, (1 << 31) - 1))
def test_the_fast_path_for_known_bounds_gives_the_same(column: list[int], multiplier: int) -> None:
    array = np.array(column, dtype=np.int64) >> 10
    for shift in (31, 32, 40, 50):
        fast = scale_and_round(array.copy(), multiplier, shift, Rounding.TFL, bound=1 << 21)
        expected = [_expected(int(v), multiplier, shift, Rounding.TFL) for v in array]
        assert fast.tolist() == expected


def test_accumulators_of_48_bits_do_not_overflow() -> None:
    value = (1 << 46) - 12345
    multiplier, shift = (1 << 31) - 1, 60
    result = scale_and_round(np.array([value, -value]), multiplier, shift, Rounding.NATURAL)
    assert result.tolist() == [
        _expected(v, multiplier, shift, Rounding.NATURAL) for v in (value, -value)
    ]


@given(values, st.integers(0, 31), st.sampled_from(list(Rounding)))
def test_right_shift_rounds_as_asked(value: int, shift: int, rounding: Rounding) -> None:
    exact = Fraction(value, 2**shift)
    expected = {
        Rounding.NATURAL: floor(exact + Fraction(1, 2)),
        Rounding.TRUNCATE: trunc(exact),
        Rounding.TFL: _round_half_away(exact),
    }[rounding]
    result = shift_right_rounded(np.array([value]), np.array([shift]), rounding)
    assert result.tolist() == [expected]
