# SPDX-License-Identifier: Apache-2.0
"""Single operations on a device, against definitions written out in loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ethosu.vela.ethos_u55_regs.ethos_u55_regs import cmd0, cmd1, elementwise_mode, pooling_mode

from ethosu_model.events import EventTotals
from tests.support.npu.operations import (
    CONV,
    IFM,
    IFM2,
    OFM,
    Array,
    Kernel,
    Scales,
    execute,
    feature_map,
    kernel_settings,
    load_weights,
)
from tests.support.npu.streams import REGION, STOP, Bench, encode, word, words

NATURAL = 2 << 14
GLOBAL = 1 << 8


def _random(shape: tuple[int, ...], dtype: str, seed: int) -> Array:
    limits = np.iinfo(dtype)
    return np.random.default_rng(seed).integers(
        limits.min, limits.max, shape, dtype=dtype, endpoint=True
    )


def _multiply(value: int, multiplier: int, shift: int) -> int:
    """MultiplyByQuantizedMultiplier of TFLite, right shifts only."""
    high = (value * multiplier + (1 << 30)) >> 31
    rest = shift - 31
    half = (1 << rest) >> 1
    return (high + half) >> rest if high >= 0 else -((-high + half) >> rest)


def _convolve(
    ifm: Array, weights: Array, ofm: Array, kernel: Kernel, pad: tuple[int, int],
    scales: Scales, zero_points: tuple[int, int],
) -> Array:  # fmt: skip
    result = np.zeros(ofm.shape, dtype=np.int64)
    for y, x, c in np.ndindex(ofm.shape):
        total = scales[c][0]
        for ky, kx in np.ndindex(kernel.height, kernel.width):
            row = y * kernel.stride_y + ky * kernel.dilation_y - pad[0]
            column = x * kernel.stride_x + kx * kernel.dilation_x - pad[1]
            if 0 <= row < ifm.shape[0] and 0 <= column < ifm.shape[1]:
                pixel = ifm[row, column].astype(np.int64) - zero_points[0]
                total += int(pixel @ weights[c, ky, kx].astype(np.int64))
        result[y, x, c] = _multiply(total, *scales[c][1:]) + zero_points[1]
    return np.clip(result, -128, 127)


@pytest.mark.parametrize(
    ("kernel", "padding", "ifm_shape", "ofm_shape"),
    [
        (Kernel(), (0, 0, 0, 0), (4, 5, 20), (4, 5, 19)),
        (Kernel(3, 3), (1, 1, 1, 1), (6, 7, 9), (6, 7, 12)),
        (Kernel(3, 2, 2, 3, part_kernel_first=True), (1, 0, 0, 1), (6, 7, 5), (3, 3, 8)),
        (Kernel(3, 3, 1, 1, 2, 2), (2, 2, 2, 2), (6, 6, 4), (6, 6, 8)),
        (Kernel(9, 10), (4, 4, 4, 5), (9, 9, 2), (9, 9, 8)),
    ],
    ids=["1x1", "3x3", "strided", "dilated", "subkernels"],
)
@pytest.mark.parametrize("accelerator", ["ethos-u55-128", "ethos-u55-256", "ethos-u65-256"])
def test_convolution_is_its_definition(
    accelerator: str,
    kernel: Kernel,
    padding: tuple[int, int, int, int],
    ifm_shape: tuple[int, int, int],
    ofm_shape: tuple[int, int, int],
) -> None:
    bench = Bench(accelerator)
    ifm = _random(ifm_shape, "i1", 1)
    weights = _random((ofm_shape[2], kernel.height, kernel.width, ifm_shape[2]), "i1", 2)
    scales = [(100 * c - 500, (1 << 30) + 1000 * c, 38 + c % 3) for c in range(ofm_shape[2])]
    ofm = np.zeros(ofm_shape, dtype=np.int8)
    settings = (
        feature_map("IFM", ifm, IFM, zero_point=-5)
        | feature_map("OFM", ofm, OFM, zero_point=3)
        | kernel_settings(kernel, padding)
        | load_weights(bench, weights, kernel, scales)
    )
    result = execute(bench, settings, CONV, ofm, {IFM: ifm})
    expected = _convolve(ifm, weights, ofm, kernel, padding[:2], scales, (-5, 3))
    assert np.array_equal(result, expected)
    assert len(np.unique(result)) > 20


def test_splitting_an_operation_into_stripes_does_not_change_its_result() -> None:
    kernel, shape = Kernel(3, 3), (12, 6, 8)
    ifm, weights = _random(shape, "i1", 3), _random((8, 3, 3, 8), "i1", 4)
    scales = [(c, (1 << 30) + c, 38) for c in range(8)]
    ofm = np.zeros(shape, dtype=np.int8)

    def run(stripes: list[tuple[int, int]]) -> Array:
        bench = Bench()
        streams = load_weights(bench, weights, kernel, scales)
        for first, last in stripes:
            part = ofm[first:last]
            top, bottom = max(0, first - 1), min(12, last + 1)
            padding = (int(first == 0), 1, int(last == 12), 1)
            settings = (
                feature_map("IFM", ifm[top:bottom], IFM)
                | feature_map("OFM", part, OFM)
                | kernel_settings(kernel, padding)
                | streams
                | {
                    cmd1.NPU_SET_IFM_BASE0: IFM + top * 48,
                    cmd1.NPU_SET_OFM_BASE0: OFM + first * 48,
                }
            )
            execute(bench, settings, CONV, ofm, {IFM: ifm})
        return np.frombuffer(bench.memory.read(REGION + OFM, ofm.nbytes), np.int8)

    assert np.array_equal(run([(0, 12)]), run([(0, 5), (5, 6), (6, 12)]))


@pytest.mark.parametrize("mode", [pooling_mode.MAX, pooling_mode.AVERAGE])
def test_pooling_with_padding_leaves_the_padding_out(mode: pooling_mode) -> None:
    ifm, ofm = _random((5, 6, 7), "i1", 5), np.zeros((5, 6, 7), dtype=np.int8)
    settings = (
        feature_map("IFM", ifm, IFM)
        | feature_map("OFM", ofm, OFM)
        | kernel_settings(Kernel(3, 3), (1, 1, 1, 1))
    )
    settings[cmd0.NPU_SET_OFM_PRECISION] |= NATURAL | GLOBAL
    scale = words(cmd1.NPU_SET_OFM_SCALE, 1)
    result = execute(Bench(), settings, scale + word(cmd0.NPU_OP_POOL, mode.value), ofm, {IFM: ifm})
    for y, x, c in np.ndindex(ofm.shape):
        window = ifm[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2, c].astype(int)
        total = int(window.sum())
        average = (2 * abs(total) + window.size) // (2 * window.size) * (1 if total >= 0 else -1)
        assert result[y, x, c] == (window.max() if mode is pooling_mode.MAX else average)


def test_reduce_sum_adds_over_depth_and_32_bits_take_no_zero_point() -> None:
    ifm, ofm = _random((3, 4, 30), "i2", 6), np.zeros((3, 4, 1), dtype=np.int32)
    settings = (
        feature_map("IFM", ifm, IFM)
        | feature_map("OFM", ofm, OFM, zero_point=77)
        | kernel_settings(Kernel(), (0, 0, 0, 0))
    )
    settings[cmd0.NPU_SET_OFM_PRECISION] |= GLOBAL
    operation = words(cmd1.NPU_SET_OFM_SCALE, 1) + word(
        cmd0.NPU_OP_POOL, pooling_mode.REDUCE_SUM.value
    )
    result = execute(Bench(), settings, operation, ofm, {IFM: ifm})
    assert np.array_equal(result[..., 0], ifm.sum(axis=2, dtype=np.int32))


@pytest.mark.parametrize("upscale", [1, 2], ids=["nearest", "zeros"])
def test_upscaling_doubles_the_ifm(upscale: int) -> None:
    ifm, ofm = _random((3, 4, 5), "i1", 7), np.zeros((6, 8, 5), dtype=np.int8)
    settings = (
        feature_map("IFM", ifm, IFM)
        | feature_map("OFM", ofm, OFM)
        | kernel_settings(Kernel(), (0, 0, 0, 0))
        | {cmd0.NPU_SET_IFM_UPSCALE: upscale}
    )
    result = execute(
        Bench(), settings, word(cmd0.NPU_OP_POOL, pooling_mode.MAX.value), ofm, {IFM: ifm}
    )
    expected = ifm.repeat(2, axis=0).repeat(2, axis=1)
    if upscale == 2:
        expected[1::2] = 0
        expected[:, 1::2] = 0
    assert np.array_equal(result, expected)


ELEMENTWISE: dict[elementwise_mode, Any] = {
    elementwise_mode.ADD: lambda a, b: a + b,
    elementwise_mode.SUB: lambda a, b: a - b,
    elementwise_mode.MIN: np.minimum,
    elementwise_mode.MAX: np.maximum,
    elementwise_mode.SHR: lambda a, b: np.floor(a / 2.0**b + 0.5),
    elementwise_mode.SHL: lambda a, b: a << b,
}


@pytest.mark.parametrize("mode", ELEMENTWISE, ids=lambda mode: mode.name)
@pytest.mark.parametrize("broadcast", [0, 1, 2, 4, 7])
@pytest.mark.parametrize("reverse", [False, True])
def test_elementwise_operations_broadcast_their_second_operand(
    mode: elementwise_mode, broadcast: int, reverse: bool
) -> None:
    shape = (4, 5, 6)
    small = tuple(1 if broadcast >> axis & 1 else size for axis, size in enumerate(shape))
    random = np.random.default_rng(8)
    ifm = random.integers(0, 12, shape, dtype=np.int32)
    ifm2 = random.integers(0, 12, small, dtype=np.int32)
    ofm = np.zeros(shape, dtype=np.int32)
    settings = (
        feature_map("IFM", ifm, IFM)
        | feature_map("IFM2", ifm2, IFM2)
        | feature_map("OFM", ofm, OFM)
    ) | {cmd0.NPU_SET_IFM2_BROADCAST: broadcast | reverse << 6}
    settings[cmd0.NPU_SET_OFM_PRECISION] |= NATURAL | GLOBAL
    scales = b"".join(
        words(code, 1)
        for code in (cmd1.NPU_SET_OFM_SCALE, cmd1.NPU_SET_OPA_SCALE, cmd1.NPU_SET_OPB_SCALE)
    )
    operation = scales + word(cmd0.NPU_OP_ELEMENTWISE, mode.value)
    result = execute(Bench(), settings, operation, ofm, {IFM: ifm, IFM2: ifm2})
    operands = (ifm2, ifm) if reverse else (ifm, ifm2)
    assert np.array_equal(result, ELEMENTWISE[mode](*operands))


def test_leading_zeros_of_32_bits() -> None:
    ifm = np.array([0, 1, 2, 3, 255, 256, 0x7FFFFFFF, -1, -0x80000000], np.int32).reshape(3, 3, 1)
    ofm = np.zeros_like(ifm)
    settings = feature_map("IFM", ifm, IFM) | feature_map("OFM", ofm, OFM)
    operation = word(cmd0.NPU_OP_ELEMENTWISE, elementwise_mode.CLZ.value)
    result = execute(Bench(), settings, operation, ofm, {IFM: ifm})
    assert result.ravel().tolist() == [32, 31, 30, 30, 24, 23, 1, 0, 0]


def test_table_in_shram_replaces_signed_values() -> None:
    bench = Bench()
    table = _random((256,), "i1", 9)
    bench.memory.write(REGION + 0x8000, table.tobytes())
    slot = 3
    dma = encode(
        {
            cmd0.NPU_SET_DMA0_SRC_REGION: 0,
            cmd1.NPU_SET_DMA0_SRC: 0x8000,
            cmd0.NPU_SET_DMA0_DST_REGION: 1 << 8,
            cmd1.NPU_SET_DMA0_DST: 22 * 1024 + 256 * slot,
            cmd1.NPU_SET_DMA0_LEN: 256,
        }
    )
    ifm, ofm = _random((4, 4, 4), "i1", 10), np.zeros((4, 4, 4), dtype=np.int8)
    settings = (
        feature_map("IFM", ifm, IFM)
        | feature_map("OFM", ofm, OFM)
        | kernel_settings(Kernel(), (0, 0, 0, 0))
        | {cmd0.NPU_SET_ACTIVATION: 16 + slot}
    )
    bench.run(dma + word(cmd0.NPU_OP_DMA_START) + STOP)
    operation = word(cmd0.NPU_OP_POOL, pooling_mode.MAX.value)
    result = execute(bench, settings, operation, ofm, {IFM: ifm})
    assert np.array_equal(result, table[ifm.astype(int) + 128])


def test_activation_limits_clamp_the_ofm() -> None:
    ifm, ofm = _random((4, 4, 4), "u1", 11), np.zeros((4, 4, 4), dtype=np.uint8)
    settings = (
        feature_map("IFM", ifm, IFM)
        | feature_map("OFM", ofm, OFM)
        | kernel_settings(Kernel(), (0, 0, 0, 0))
        | {cmd0.NPU_SET_ACTIVATION_MIN: 40, cmd0.NPU_SET_ACTIVATION_MAX: 200}
    )
    operation = word(cmd0.NPU_OP_POOL, pooling_mode.MAX.value)
    result = execute(Bench(), settings, operation, ofm, {IFM: ifm})
    assert np.array_equal(result, ifm.clip(40, 200))


def test_trace_sees_each_operation_with_its_operands_and_its_ofm() -> None:
    seen: list[tuple[str, object]] = []

    class Listener:
        def command(self, offset: int, name: str, operands: str) -> None:
            assert offset > 0
            seen.append((name, operands))

        def ofm(self, offset: int, name: str, shape: tuple[int, int, int], data: bytes) -> None:
            assert offset > 0
            seen.append((name, (shape, data)))

        def cost(self, offset: int, name: str, added: EventTotals) -> None:
            spent.append((offset, name, added))

    spent: list[tuple[int, str, EventTotals]] = []
    ifm, ofm = _random((2, 3, 4), "i1", 12), np.zeros((2, 3, 4), dtype=np.int8)
    settings = (
        feature_map("IFM", ifm, IFM)
        | feature_map("OFM", ofm, OFM)
        | kernel_settings(Kernel(), (0, 0, 0, 0))
    )
    operation = word(cmd0.NPU_OP_POOL, pooling_mode.MAX.value)
    bench = Bench(trace=Listener())
    execute(bench, settings, operation, ofm, {IFM: ifm})
    (name, operands), (ofm_name, written), stop = seen
    assert name == ofm_name == "NPU_OP_POOL"
    assert stop == ("NPU_OP_STOP", "mask 0xffff")
    assert "ofm 2x3x4 int8 NHWC at 0x20004000" in str(operands)
    assert written == ((2, 3, 4), ifm.tobytes())
    (_, spender, pool), (_, last, fetch) = spent
    assert (spender, last) == ("NPU_OP_POOL", "commands")
    assert pool.cycles == bench.device.totals.cycles > 0
    read = pool.axi0_read_beats + fetch.axi0_read_beats
    assert read == bench.device.totals.axi0_read_beats


def test_work_beyond_the_models_limit_ends_with_a_parse_error() -> None:
    bench = Bench()
    settings = {
        cmd0.NPU_SET_OFM_HEIGHT_M1: 0xFFFF,
        cmd0.NPU_SET_OFM_WIDTH_M1: 0xFFFF,
        cmd0.NPU_SET_KERNEL_HEIGHT_M1: 0xFFFF,
    }
    for operation in (cmd0.NPU_OP_CONV, cmd0.NPU_OP_DEPTHWISE, cmd0.NPU_OP_POOL):
        status = Bench().run(encode(settings) + word(operation))
        assert status & 0x10, operation
    assert bench.device.last_fault is None


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("mode", [elementwise_mode.ADD, elementwise_mode.SUB])
def test_operand_scales_in_16_bits_follow_the_operand_order(
    mode: elementwise_mode, reverse: bool
) -> None:
    ifm = np.arange(24, dtype=np.int32).reshape(2, 3, 4)
    ifm2 = np.arange(24, 48, dtype=np.int32).reshape(2, 3, 4)
    ofm = np.zeros_like(ifm)
    settings = (
        feature_map("IFM", ifm, IFM)
        | feature_map("IFM2", ifm2, IFM2)
        | feature_map("OFM", ofm, OFM)
    ) | {cmd0.NPU_SET_IFM2_BROADCAST: reverse << 6}
    settings[cmd0.NPU_SET_OFM_PRECISION] |= NATURAL | GLOBAL
    scales = (
        words(cmd1.NPU_SET_OFM_SCALE, 1)
        + words(cmd1.NPU_SET_OPA_SCALE, 3)
        + words(cmd1.NPU_SET_OPB_SCALE, 7)
    )
    operation = scales + word(cmd0.NPU_OP_ELEMENTWISE, mode.value)
    result = execute(Bench(), settings, operation, ofm, {IFM: ifm, IFM2: ifm2})
    first, second = (ifm2, ifm) if reverse else (ifm, ifm2)
    assert np.array_equal(result, ELEMENTWISE[mode](3 * first, 7 * second))


def test_padded_average_divides_by_its_own_count_whatever_ofm_scale_says() -> None:
    ifm = np.full((4, 4, 8), 10, dtype=np.int8)
    ofm = np.zeros((4, 4, 8), dtype=np.int8)
    settings = (
        feature_map("IFM", ifm, IFM)
        | feature_map("OFM", ofm, OFM)
        | kernel_settings(Kernel(3, 3), (1, 1, 1, 1))
    )
    settings[cmd0.NPU_SET_OFM_PRECISION] |= NATURAL | GLOBAL
    operation = words(cmd1.NPU_SET_OFM_SCALE, 5) + word(
        cmd0.NPU_OP_POOL, pooling_mode.AVERAGE.value
    )
    result = execute(Bench(), settings, operation, ofm, {IFM: ifm})
    assert (result == 10).all()
