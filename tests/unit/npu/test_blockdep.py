# SPDX-License-Identifier: Apache-2.0
"""How many jobs of two operations NPU_SET_BLOCKDEP may let overlap, by blocks of 4x4x16."""

from __future__ import annotations

import numpy as np
import pytest
from ethosu.vela.ethos_u55_regs.ethos_u55_regs import cmd0, elementwise_mode, pooling_mode

from ethosu_model.checks import Checks
from ethosu_model.registers import Status
from tests.support.npu.operations import IFM, OFM, Kernel, feature_map, kernel_settings
from tests.support.npu.streams import STOP, Bench, encode, word

Shape = tuple[int, int, int]

RESULT, ELSEWHERE = 0x6000, 0x9000
POINT, WIDE = Kernel(1, 1), Kernel(3, 3)


def zeros(shape: Shape) -> np.ndarray:
    return np.zeros(shape, dtype=np.int8)


def producer(shape: Shape) -> bytes:
    """Return an element-wise operation that writes ``shape`` at OFM, in blocks of 4x4x16."""
    settings = feature_map("IFM", zeros(shape), IFM) | feature_map("OFM", zeros(shape), OFM)
    return encode(settings) + word(cmd0.NPU_OP_ELEMENTWISE, elementwise_mode.ABS.value)


def consumer(shape: Shape, kernel: Kernel, blockdep: int, address: int = OFM) -> bytes:
    """Return a pooling that keeps the size of what it reads at ``address``."""
    pad = (kernel.height - 1) // 2
    settings = feature_map("IFM", zeros(shape), address)
    settings |= feature_map("OFM", zeros(shape), RESULT)
    settings |= kernel_settings(kernel, (pad, pad, pad, pad))
    settings[cmd0.NPU_SET_BLOCKDEP] = blockdep
    return encode(settings) + word(cmd0.NPU_OP_POOL, pooling_mode.MAX.value)


def fault_of(stream: bytes, accelerator: str = "ethos-u55-128") -> str:
    bench = Bench(accelerator, checks=Checks(ordering=True))
    status = bench.run(stream + STOP)
    assert bool(status & Status.CMD_PARSE_ERROR) is (bench.device.last_fault is not None)
    return str(bench.device.last_fault or "")


@pytest.mark.parametrize(
    ("shape", "kernel", "most"),
    [
        ((4, 4, 16), POINT, 0),  # one block: the first job reads what the last one writes
        (
            (12, 4, 16),
            POINT,
            2,
        ),  # the first job reads the last but two, the second the last but one
        ((4, 12, 16), POINT, 2),
        ((4, 4, 48), POINT, 2),
        ((16, 4, 16), POINT, 3),
        ((12, 4, 16), WIDE, 1),  # the first job reads rows of the second block too
        ((4, 12, 16), WIDE, 1),
        ((4, 4, 48), WIDE, 2),  # a kernel does not reach other channels
        ((8, 8, 16), WIDE, 0),  # blocks 0 to 3 in two rows: the first job reads all of them
        ((16, 4, 16), WIDE, 2),
        ((20, 4, 16), WIDE, 3),
    ],
)
def test_no_job_may_read_what_an_outstanding_one_writes(
    shape: Shape, kernel: Kernel, most: int
) -> None:
    for blockdep in range(4):
        fault = fault_of(producer(shape) + consumer(shape, kernel, blockdep))
        if blockdep <= most:
            assert fault == ""
        else:
            assert "NPU_OP_POOL at 0x" in fault
            assert f"BLOCKDEP is {blockdep}, at most {most}" in fault


def test_only_the_operation_before_counts() -> None:
    shape = (4, 4, 16)
    assert not fault_of(producer(shape) + consumer(shape, WIDE, 3, ELSEWHERE))
    between = consumer(shape, POINT, 0, ELSEWHERE)
    assert not fault_of(producer(shape) + between + consumer(shape, POINT, 3))
    wait = word(cmd0.NPU_OP_KERNEL_WAIT, 0)
    assert not fault_of(producer(shape) + wait + consumer(shape, POINT, 3))


def test_sixteen_kibibytes_have_no_place_for_tables_beside_accumulators() -> None:
    look_up, shape = encode({cmd0.NPU_SET_ACTIVATION: 16}), (4, 4, 16)
    plain = encode({cmd0.NPU_SET_ACTIVATION: 0})
    stream = look_up + producer(shape) + plain + consumer(shape, POINT, 1, ELSEWHERE)
    assert not fault_of(stream)
    assert "overwrites the table of NPU_OP_ELEMENTWISE" in fault_of(stream, "ethos-u55-64")
