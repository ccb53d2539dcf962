# SPDX-License-Identifier: Apache-2.0
"""What a device refuses on request: forms that the manual excludes, and accesses without a wait."""

from __future__ import annotations

import numpy as np
import pytest
from ethosu.vela.ethos_u55_regs.ethos_u55_regs import cmd0, cmd1, elementwise_mode, pooling_mode

from ethosu_model.checks import Checks
from ethosu_model.enums import Layout
from ethosu_model.faults import AxiPort
from ethosu_model.operands import FeatureMap, Shape, Tiles
from ethosu_model.registers import Status
from ethosu_model.spans import meeting, span, spans_of, union
from tests.support.npu.operations import IFM, OFM, Kernel, feature_map, kernel_settings
from tests.support.npu.streams import STOP, Bench, encode, word

SMALL = np.zeros((4, 4, 16), dtype=np.int8)


def pool(mode: pooling_mode, kernel: Kernel, padding: tuple[int, int, int, int], ofm: str) -> bytes:
    """Return a pooling of an int8 IFM to an OFM of 4x4x16 elements of type ``ofm``."""
    top, left, bottom, right = padding
    height = 3 * kernel.stride_y + kernel.height - top - bottom
    width = 3 * kernel.stride_x + kernel.width - left - right
    ifm = np.zeros((height, width, 16), dtype=np.int8)
    settings = (
        feature_map("IFM", ifm, IFM)
        | feature_map("OFM", SMALL.astype(ofm), OFM)
        | kernel_settings(kernel, padding)
    )
    return encode(settings) + word(cmd0.NPU_OP_POOL, mode.value)


def minimum(ofm: str) -> bytes:
    settings = feature_map("IFM", SMALL, IFM) | feature_map("IFM2", SMALL, 0x1000)
    settings |= feature_map("OFM", SMALL.astype(ofm), OFM)
    return encode(settings) + word(cmd0.NPU_OP_ELEMENTWISE, elementwise_mode.MIN.value)


MAX, AVERAGE = pooling_mode.MAX, pooling_mode.AVERAGE


@pytest.mark.parametrize(
    ("operation", "excluded"),
    [
        (pool(MAX, Kernel(2, 2, 3, 3), (0, 0, 0, 0), "i1"), ""),
        (pool(MAX, Kernel(2, 2, 4, 1), (0, 0, 0, 0), "i1"), "stride 4x1"),
        (pool(MAX, Kernel(2, 2), (0, 0, 0, 0), "i2"), "MAX pooling from int8 to int16"),
        (pool(AVERAGE, Kernel(8, 8), (3, 3, 4, 4), "i1"), ""),
        (pool(AVERAGE, Kernel(9, 8), (3, 3, 4, 4), "i1"), "padded average of 9x8"),
        (pool(AVERAGE, Kernel(8, 8), (4, 3, 3, 4), "i1"), "with padding 4,3,3,4"),
        (pool(AVERAGE, Kernel(8, 8), (3, 3, 4, 5), "i1"), "with padding 3,3,4,5"),
        (pool(AVERAGE, Kernel(9, 9), (0, 0, 0, 0), "i1"), ""),
        (minimum("i1"), ""),
        (minimum("i2"), "MIN from int8 to int16"),
    ],
)
def test_excluded_forms_run_unless_they_are_to_be_refused(operation: bytes, excluded: str) -> None:
    assert Bench().run(operation + STOP) & Status.CMD_END_REACHED
    strict = Bench(checks=Checks(excluded=True))
    status = strict.run(operation + STOP)
    assert bool(status & Status.CMD_PARSE_ERROR) is bool(excluded)
    assert excluded in str(strict.device.last_fault or "")


def transfer(source: int, target: int, *, to_shram: bool = False) -> bytes:
    """Return a transfer of 64 bytes within region 0, or to SHRAM."""
    settings = {
        cmd0.NPU_SET_DMA0_SRC_REGION: 0,
        cmd0.NPU_SET_DMA0_DST_REGION: to_shram << 8,
        cmd1.NPU_SET_DMA0_SRC: source,
        cmd1.NPU_SET_DMA0_DST: target,
        cmd1.NPU_SET_DMA0_LEN: 64,
    }
    return encode(settings) + word(cmd0.NPU_OP_DMA_START)


ELSEWHERE, BEYOND = 0x6000, 0x7000
TABLE_END = 24 * 1024 - 64
KERNEL = minimum("i1")
LOOK_UP = encode({cmd0.NPU_SET_ACTIVATION: 16})
KERNEL_WAIT, DMA_WAIT = word(cmd0.NPU_OP_KERNEL_WAIT, 0), word(cmd0.NPU_OP_DMA_WAIT, 0)


@pytest.mark.parametrize(
    ("first", "wait", "second", "fault"),
    [
        (transfer(ELSEWHERE, IFM), DMA_WAIT, KERNEL, "reads what NPU_OP_DMA_START"),
        (transfer(OFM, ELSEWHERE), DMA_WAIT, KERNEL, "overwrites what NPU_OP_DMA_START"),
        (transfer(ELSEWHERE, OFM), DMA_WAIT, KERNEL, "overwrites what NPU_OP_DMA_START"),
        (KERNEL, KERNEL_WAIT, transfer(OFM, ELSEWHERE), "reads what NPU_OP_ELEMENTWISE"),
        (KERNEL, KERNEL_WAIT, transfer(ELSEWHERE, IFM), "overwrites what NPU_OP_ELEMENTWISE"),
        (KERNEL, KERNEL_WAIT, transfer(ELSEWHERE, OFM), "overwrites what NPU_OP_ELEMENTWISE"),
        (
            transfer(ELSEWHERE, TABLE_END, to_shram=True),
            DMA_WAIT,
            LOOK_UP + KERNEL,
            "at SHRAM 0x5fc0: NPU_OP_DMA_WAIT is missing",
        ),
        (transfer(ELSEWHERE, BEYOND), b"", KERNEL, ""),
        (KERNEL, b"", transfer(ELSEWHERE, BEYOND), ""),
        (transfer(ELSEWHERE, IFM) + transfer(ELSEWHERE, BEYOND), b"", KERNEL, ""),  # one at a time
    ],
)
def test_accesses_that_lack_a_wait_are_found(
    first: bytes, wait: bytes, second: bytes, fault: str
) -> None:
    assert Bench().run(first + second + STOP) & Status.CMD_END_REACHED
    checked = Bench(checks=Checks(ordering=True))
    assert checked.run(first + wait + second + STOP) & Status.CMD_END_REACHED
    checked = Bench(checks=Checks(ordering=True))
    status = checked.run(first + second + STOP)
    assert bool(status & Status.CMD_PARSE_ERROR) is bool(fault)
    assert fault in str(checked.device.last_fault or "")


def test_wait_for_all_but_one_leaves_the_last_kernel_outstanding() -> None:
    stream = KERNEL + word(cmd0.NPU_OP_KERNEL_WAIT, 1) + transfer(OFM, ELSEWHERE) + STOP
    assert Bench(checks=Checks(ordering=True)).run(stream) & Status.CMD_PARSE_ERROR


def test_spans_of_a_feature_map_leave_gaps_and_tiles_out() -> None:
    fm = FeatureMap(
        shape=Shape(3, 4, 5),
        dtype=np.dtype("i2"),
        layout=Layout.NHWC,
        tiles=Tiles(2, 3, 3, (0x1000, 0x2000, 0x3000, 0x4000)),
        stride_y=100,
        stride_x=12,
        stride_c=2,
        zero_point=0,
        port=AxiPort.AXI0,
    )
    expected = set()
    for y in range(3):
        for x in range(4):
            base = {(True, True): 0x1000, (False, True): 0x3000}.get((y < 2, x < 3), 0x2000)
            row = y - 2 if base == 0x3000 else y
            column = x if x < 3 else x - 3
            start = base + row * 100 + column * 12
            expected |= set(range(start, start + 10))
    found = {address for low, high in spans_of(fm) for address in range(low, high)}
    assert found == expected


def test_spans_meet_where_they_share_a_byte() -> None:
    both = union([span(10, 5), span(15, 5), span(40, 1)])
    assert both.tolist() == [[10, 20], [40, 41]]
    assert meeting(both, span(20, 20)) is None
    assert meeting(both, span(0, 11)) == 10
    assert meeting(both, union([span(25, 5), span(40, 9)])) == 40
    assert meeting(both, span(0, 0)) is None
