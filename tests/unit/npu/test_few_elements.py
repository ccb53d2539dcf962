# SPDX-License-Identifier: Apache-2.0
"""Elementwise operations on a few elements in Python's integers: NumPy's arithmetic is the oracle.

The first run of a stream goes through NumPy, all later ones of few elements do not.
"""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
from ethosu.vela.ethos_u55_regs.ethos_u55_regs import cmd0, cmd1, elementwise_mode

from ethosu_model.few_elements import FewWriter
from tests.support.npu.operations import IFM, IFM2, OFM, Array, Settings, execute, feature_map
from tests.support.npu.streams import REGION, STOP, Bench, encode, word, words

_MODES = list(elementwise_mode)
_UNARY = {elementwise_mode.LRELU, elementwise_mode.ABS, elementwise_mode.CLZ}
_SHIFTS = {elementwise_mode.SHL, elementwise_mode.SHR}
_BRICKS = 1 << 6  # of a precision
_ROUNDS = 40


def _numbers(random: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Array:
    """Return numbers of all magnitudes, the extremes among them."""
    limits = np.iinfo(dtype)
    bits = random.integers(1, 8 * limits.dtype.itemsize, shape, endpoint=True)
    wide = random.integers(limits.min, limits.max, shape, endpoint=True, dtype=np.int64)
    few = wide >> 8 * limits.dtype.itemsize - bits
    edge = random.choice([limits.min, limits.max, 0, 1], shape)
    return np.where(random.random(shape) < 0.2, edge, few).astype(dtype)


def _in_bricks(name: str, array: Array) -> Settings:
    """Return what makes a feature map's bricks of 16 channels; memory holds all of each."""
    _, width, depth = array.shape
    bricks, size = -(-depth // 16), array.dtype.itemsize
    return {
        cmd1[f"NPU_SET_{name}_STRIDE_Y"]: bricks * width * 16 * size,
        cmd1[f"NPU_SET_{name}_STRIDE_C"]: width * 16 * size,
    }


@pytest.mark.parametrize("mode", _MODES, ids=lambda mode: mode.name)
def test_few_elements_are_as_many(mode: elementwise_mode) -> None:
    random = np.random.default_rng(mode.value)
    ran = 0
    for _ in range(_ROUNDS):
        before, after = _run_twice(random, mode)
        ran += after is not None
        assert after is None or np.array_equal(before, after)
    assert ran > _ROUNDS / 2


def _run_twice(random: np.random.Generator, mode: elementwise_mode) -> tuple[Array, Array | None]:
    """Run an operation twice; return both OFMs, the second None if NumPy made it, too."""
    dtype = str(random.choice(["i1", "u1", "i2", "i4"]))
    written = str(random.choice(["i1", "i2", "i4"]))
    shape = tuple(map(int, random.choice([[1, 1, 1], [1, 2, 12], [2, 1, 5], [1, 1, 32]])))
    broadcast = list(map(int, random.integers(0, 2, 3) * (random.random() < 0.5)))
    second = tuple(1 if one else size for one, size in zip(broadcast, shape, strict=True))
    ifm, ifm2 = _numbers(random, shape, dtype), _numbers(random, second, dtype)
    if mode in _SHIFTS:
        ifm2 = (ifm2.astype(np.int64) % 40).astype(dtype)
    ofm = np.zeros(shape, dtype=written)
    settings = (
        feature_map("IFM", ifm, IFM, int(random.integers(-4, 4)) & 0xFFFF)
        | feature_map("IFM2", ifm2, IFM2, int(random.integers(-4, 4)) & 0xFFFF)
        | feature_map("OFM", ofm, OFM, int(random.integers(-4, 4)) & 0xFFFF)
    )
    scalar = mode not in _UNARY and random.random() < 0.3
    settings[cmd0.NPU_SET_IFM2_BROADCAST] = int(
        sum(one << axis for axis, one in enumerate(broadcast))
        | int(random.integers(0, 2)) << 6
        | scalar << 7
    )
    settings[cmd0.NPU_SET_IFM2_SCALAR] = int(random.integers(0, 30 if mode in _SHIFTS else 0x7FFF))
    rounding = int(random.integers(0, 3))
    settings[cmd0.NPU_SET_OFM_PRECISION] |= 1 << 8 | rounding << 14
    settings[cmd0.NPU_SET_IFM_PRECISION] |= int(random.integers(0, 3)) << 8
    settings[cmd0.NPU_SET_ACTIVATION_MIN] = -int(random.integers(1, 128)) & 0xFFFF
    for name, array in (("IFM", ifm), ("IFM2", ifm2), ("OFM", ofm)):
        if random.random() < 0.3:
            settings |= _in_bricks(name, array)
            settings[cmd0[f"NPU_SET_{name}_PRECISION"]] |= _BRICKS
    scales = b"".join(
        words(command, *_scale(random, bits))
        for command, bits in (
            (cmd1.NPU_SET_OFM_SCALE, 32),
            (cmd1.NPU_SET_OPA_SCALE, 31),
            (cmd1.NPU_SET_OPB_SCALE, 16),
        )
    )
    operation = scales + word(cmd0.NPU_OP_ELEMENTWISE, mode.value)
    return _twice(Bench(), settings, operation, ofm, ifm, ifm2)


def _scale(random: np.random.Generator, bits: int) -> tuple[int, int]:
    """Return a multiplier and a shift: powers of two make halves to round."""
    multiplier = int(random.integers(0, 1 << int(random.integers(1, bits, endpoint=True))))
    power = 1 << int(random.integers(0, bits))
    shift = int(random.integers(28, 38) if random.random() < 0.6 else random.integers(0, 64))
    return power if random.random() < 0.5 else multiplier, shift


def _twice(
    bench: Bench, settings: Settings, operation: bytes, ofm: Array, ifm: Array, ifm2: Array
) -> tuple[Array, Array | None]:
    execute(bench, settings, operation, ofm, {IFM: ifm, IFM2: ifm2})
    room = bench.memory.read(REGION + OFM, 0x800)
    bench.memory.write(REGION + OFM, bytes(len(room)))
    with mock.patch.object(FewWriter, "write", autospec=True, side_effect=FewWriter.write) as few:
        bench.run(encode(settings) + operation + STOP)
    after = bench.memory.read(REGION + OFM, 0x800)
    return np.frombuffer(room, "u1"), np.frombuffer(after, "u1") if few.called else None
