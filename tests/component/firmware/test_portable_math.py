# SPDX-License-Identifier: Apache-2.0
"""The front end's own sine, logarithm and power are as good as libm's."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.firmware.compile import program, say

_TOLERANCE = 1e-15


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("math") / "functions"
    return program(output, "math_harness.c", ["frontend/portable_math.c"])


def _drawn(low: float, high: float) -> list[float]:
    chance = random.Random(7)  # noqa: S311 - a fixed sequence is wanted
    return [low, high, *(chance.uniform(low, high) for _ in range(5000))]


def _results(functions: Path, name: str, values: list[float]) -> list[float]:
    return [float(x) for x in say(functions, struct.pack(f"<{len(values)}d", *values), name)]


EXACT: dict[str, tuple[Callable[[float], float], list[float]]] = {
    # An FFT's twiddle angles, and some way beyond.
    "sin": (math.sin, [*_drawn(-1000, 1000), *(2 * math.pi * k / 512 for k in range(-512, 513))]),
    "cos": (math.cos, [*_drawn(-1000, 1000), *(2 * math.pi * k / 512 for k in range(-512, 513))]),
    "log": (math.log, [*_drawn(1e-3, 1e6), 1.0, 0.5, 2.0, math.nextafter(1.0, 2.0)]),
    "exp": (math.exp, _drawn(-20, 20)),
}


@pytest.mark.parametrize("name", EXACT)
def test_within_a_rounding_of_libm(functions: Path, name: str) -> None:
    oracle, values = EXACT[name]
    for value, result in zip(values, _results(functions, name, values), strict=True):
        expected = oracle(value)
        # Large sums cancel in a logarithm near 0, and a large angle is known to half an ulp only.
        slack = _TOLERANCE * max(abs(expected), 1.0) + abs(value) * 2**-70
        assert abs(result - expected) <= slack * (4 if name == "exp" else 1), (value, result)


def _single(value: float) -> float:
    return float(struct.unpack("<f", struct.pack("<f", value))[0])


def test_single_precision_results_are_correctly_rounded(functions: Path) -> None:
    frequencies = [_single(hz / 700.0) for hz in range(20, 8001)]
    expected = [_single(math.log1p(x)) for x in frequencies]
    assert _results(functions, "log1p", frequencies) == expected
    bases = [_single(80.0 + 2**k * f) for k in range(20) for f in (1.0, 1.3, 1.7)]
    expected = [_single(base ** _single(-0.95)) for base in bases]
    assert _results(functions, "pow", bases) == expected
