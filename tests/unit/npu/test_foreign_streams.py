# SPDX-License-Identifier: Apache-2.0
"""What other producers than Vela do: register set-ups and streams as open drivers write them."""

from __future__ import annotations

import numpy as np
import pytest
from ethosu.vela.ethos_u55_regs.ethos_u55_regs import (
    BASE,
    BASE_POINTERS,
    cmd0,
    cmd1,
    elementwise_mode,
    pooling_mode,
)

from ethosu_model.config import AcceleratorConfig
from ethosu_model.device import NpuDevice
from ethosu_model.memory import ArrayMemory
from ethosu_model.registers import Status
from tests.support.npu.operations import (
    IFM,
    IFM2,
    OFM,
    Kernel,
    execute,
    feature_map,
    kernel_settings,
)
from tests.support.npu.streams import REGION, STOP, STREAM, Bench, encode, word, words

_REGION_CONFIG = 0xAA8A  # region 2 on AXI0, regions 0, 1 and 3 to 7 on AXI1
_MIB = 1 << 20


@pytest.mark.parametrize("base", [0x2000_0000, 0x12_0000_0000], ids=["low", "above-4-GiB"])
def test_a_kernel_driver_moves_a_mebibyte_by_dma_alone(base: int) -> None:
    memory = ArrayMemory()
    memory.add(STREAM, 0x1000)
    memory.add(base, 4 * _MIB)
    data = bytes(range(256)) * (_MIB // 256)
    memory.write(base, data)
    settings = {
        cmd0.NPU_SET_DMA0_SRC_REGION: 2,
        cmd0.NPU_SET_DMA0_DST_REGION: 1,
        cmd1.NPU_SET_DMA0_SRC: 0,
        cmd1.NPU_SET_DMA0_DST: _MIB,
        cmd1.NPU_SET_DMA0_LEN: _MIB,
    }
    waits = word(cmd0.NPU_OP_DMA_WAIT) + word(cmd0.NPU_OP_KERNEL_WAIT)
    stream = encode(settings) + word(cmd0.NPU_OP_DMA_START) + waits + STOP
    memory.write(STREAM, stream)
    device = NpuDevice(AcceleratorConfig.parse("ethos-u65-256"), memory)
    device.write_register(BASE.RESET.value, 2)  # non-secure user; QCONFIG stays as it is
    for region, address in ((1, base + _MIB), (2, base)):
        pointer = BASE_POINTERS.BASEP0.value + 8 * region
        device.write_register(pointer, address & 0xFFFFFFFF)
        device.write_register(pointer + 4, address >> 32)
    for register, value in (
        (BASE.REGIONCFG, _REGION_CONFIG),
        (BASE.QBASE0, STREAM),
        (BASE.QBASE1, 0),
        (BASE.QSIZE, len(stream)),
        (BASE.CMD, 1),
    ):
        device.write_register(register.value, value)
    assert device.read_register(BASE.PROT.value) == 2
    assert device.read_register(BASE.STATUS.value) & Status.CMD_END_REACHED, device.last_fault
    assert memory.read(base + 2 * _MIB, _MIB) == data
    assert (device.totals.axi0_read_beats, device.totals.axi1_written_beats) == (
        _MIB // 16 + -(-len(stream) // 16),
        _MIB // 16,
    )


RANDOM = np.random.default_rng(11)
ROUND_TFL, ROUND_NATURAL, GLOBAL = 0 << 14, 2 << 14, 1 << 8
POINT = kernel_settings(Kernel(1, 1), (0, 0, 0, 0))
AVERAGE = word(cmd0.NPU_OP_POOL, pooling_mode.AVERAGE.value)


def test_a_concatenation_is_an_average_of_single_elements_into_each_part() -> None:
    parts = [RANDOM.integers(-128, 128, (4, 5, depth)).astype(np.int8) for depth in (16, 8)]
    bench, whole, offset = Bench(), np.zeros((4, 5, 24), np.int8), 0
    for part in parts:
        settings = feature_map("IFM", part, IFM) | feature_map("OFM", part, OFM + offset) | POINT
        settings[cmd0.NPU_SET_OFM_PRECISION] |= ROUND_NATURAL | GLOBAL
        settings |= {cmd1.NPU_SET_OFM_STRIDE_Y: 5 * 24, cmd1.NPU_SET_OFM_STRIDE_X: 24}
        stream = encode(settings) + words(cmd1.NPU_SET_OFM_SCALE, 1) + AVERAGE + STOP
        bench.memory.write(REGION + IFM, part.tobytes())
        assert bench.run(stream) & Status.CMD_END_REACHED, bench.device.last_fault
        offset += part.shape[2]
    got = np.frombuffer(bench.memory.read(REGION + OFM, whole.nbytes), np.int8)
    assert np.array_equal(got.reshape(whole.shape), np.concatenate(parts, axis=2))


def test_a_sum_of_equal_scales_may_take_the_exact_way_of_unequal_ones() -> None:
    first, second = RANDOM.integers(-128, 128, (2, 4, 5, 8)).astype(np.int8)
    settings = feature_map("IFM", first, IFM) | feature_map("IFM2", second, IFM2)
    settings |= feature_map("OFM", first, OFM)
    settings[cmd0.NPU_SET_IFM_PRECISION] |= 1 << 8  # OPA_32: 32 bits scale operand A
    settings[cmd0.NPU_SET_OFM_PRECISION] |= ROUND_TFL | GLOBAL
    # Halves of each operand, 20 bits to the left; and back, into elements of twice the scale.
    scales = words(cmd1.NPU_SET_OPA_SCALE, 1 << 30, 11) + words(cmd1.NPU_SET_OPB_SCALE, 0)
    scales += words(cmd1.NPU_SET_OFM_SCALE, 1 << 30, 50)
    operation = scales + word(cmd0.NPU_OP_ELEMENTWISE, elementwise_mode.ADD.value)
    got = execute(Bench(), settings, operation, first, {IFM: first, IFM2: second})
    sums = first.astype(int) + second
    assert np.array_equal(got, np.sign(sums) * ((np.abs(sums) + 1) // 2))


def test_a_resize_may_scale_by_a_little_more_than_one() -> None:
    ifm = RANDOM.integers(-128, 128, (3, 4, 8)).astype(np.int8)
    ofm = np.zeros((6, 8, 8), np.int8)
    settings = feature_map("IFM", ifm, IFM) | feature_map("OFM", ofm, OFM) | POINT
    settings[cmd0.NPU_SET_OFM_PRECISION] |= ROUND_NATURAL | GLOBAL
    settings[cmd0.NPU_SET_IFM_UPSCALE] = 1  # NEAREST
    operation = words(cmd1.NPU_SET_OFM_SCALE, 0x80000001, 31) + AVERAGE
    got = execute(Bench(), settings, operation, ofm, {IFM: ifm})
    assert np.array_equal(got, ifm.repeat(2, axis=0).repeat(2, axis=1))
