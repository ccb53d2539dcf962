# SPDX-License-Identifier: Apache-2.0
"""Real values are stored as TFLite's QUANTIZE stores them, and read back."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import numpy as np
import pytest

from tests.support.firmware.compile import program, say

# struct's code, and enum tensor_dtype
DTYPES = {"b": 0, "B": 1, "h": 2}
FLOAT32 = 4


@pytest.fixture(scope="module")
def tensor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("tensor") / "tensor"
    return program(output, "tensor_harness.c", ["support/tensor.c"])


def quantised(value: float, scale: float, zero_point: int, low: int, high: int) -> int:
    """TFLite's AffineQuantize: the quotient in single precision, halves away from zero."""
    with np.errstate(over="ignore"):
        quotient = float(np.float32(value) / np.float32(scale))
    if abs(quotient) > 2**40:
        return high if value > 0 else low
    away = int(abs(quotient) + 0.5) * (1 if quotient >= 0 else -1)
    return min(max(away + zero_point, low), high)


@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize(("scale", "zero_point"), [(1.0, 0), (0.00390625, -128), (0.3, 7)])
def test_stored_integers(tensor: Path, name: str, scale: float, zero_point: int) -> None:
    bits = 8 * struct.calcsize(name)
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if name.islower() else (0, (1 << bits) - 1)
    chance = random.Random(1)  # noqa: S311 - a fixed sequence is wanted
    halves = [scale * (k + 0.5) for k in range(-300, 300)]
    drawn = [chance.uniform(-400, 400) for _ in range(2000)]
    values = np.array([*halves, *drawn, 1e9, -1e9, 3e38, -3e38], np.float32)
    lines = say(tensor, values.tobytes(), str(DTYPES[name]), repr(scale), str(zero_point))
    for value, line in zip(values.tolist(), lines, strict=True):
        expected = quantised(value, scale, zero_point, low, high)
        stored, back, refused, untouched = line.split()
        word = struct.pack("<I", int(stored, 16))
        assert struct.unpack_from(f"<{name}", word) == (expected,), value
        assert np.float32(back) == np.float32(scale) * np.float32(expected - zero_point)
        assert (refused, untouched) == ("1", "1")


def test_no_value_is_undefined(tensor: Path) -> None:
    values = struct.pack("<3f", float("nan"), float("inf"), float("-inf"))
    lines = say(tensor, values, "0", "0.5", "3")
    assert [int(line.split()[0], 16) & 0xFF for line in lines] == [3, 127, 0x80]


def test_floats_are_kept_bit_by_bit(tensor: Path) -> None:
    values = [0.0, -0.0, 1.5, 1e-45, -3.0e38]
    lines = say(tensor, struct.pack("<5f", *values), str(FLOAT32), "0", "0")
    stored = struct.pack("<5I", *(int(line.split()[0], 16) for line in lines))
    assert stored == struct.pack("<5f", *values)
