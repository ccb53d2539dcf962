# SPDX-License-Identifier: Apache-2.0
"""What Ethos-U85 does with single commands: indexed transfers, and forms that it refuses."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from ethosu_model.command_words import Command
from ethosu_model.device import NpuDevice
from ethosu_model.u85.commands import Cmd0, Cmd1
from ethosu_model.u85.enums import (
    AccumulatorInput,
    AccumulatorOutput,
    ElementwiseMode,
    PoolingMode,
    Storage,
)
from tests.support.npu.u85_streams import Words, run

_ELEMENTWISE = (
    (Cmd0.NPU_SET_IFM_PRECISION, 1),
    (Cmd0.NPU_SET_IFM2_PRECISION, 1),
    (Cmd0.NPU_SET_OFM_PRECISION, 0x101),
    (Cmd1.NPU_SET_OFM_SCALE, 1),
)


@pytest.mark.parametrize(
    ("commands", "message"),
    [
        (((Cmd1.NPU_OP_BRANCH, 0),), "NPU_OP_BRANCH at 0x0 is not modelled"),
        (
            (*_ELEMENTWISE, (Cmd0.NPU_OP_ELEMENTWISE, ElementwiseMode.LSR)),
            "NPU_OP_ELEMENTWISE LSR is not modelled",
        ),
        (
            (*_ELEMENTWISE, (Cmd0.NPU_OP_ELEMENTWISE, ElementwiseMode.DIV)),
            "NPU_OP_ELEMENTWISE DIV by zero is not modelled",
        ),
        (
            (
                *_ELEMENTWISE,
                (Cmd0.NPU_SET_IFM_PRECISION, 1 | Storage.TILE3X1 << 14),
                (Cmd0.NPU_OP_ELEMENTWISE, ElementwiseMode.ADD),
            ),
            "NPU_SET_IFM_PRECISION: activation_storage TILE3X1 is not modelled here",
        ),
        (
            (
                *_ELEMENTWISE,
                (Cmd0.NPU_SET_IFM_PRECISION, 1 | Storage.CHAINED << 14),
                (Cmd0.NPU_OP_ELEMENTWISE, ElementwiseMode.ABS),
            ),
            r"NPU_OP_ELEMENTWISE: chaining buffer 0 holds nothing, int8 \(1, 1, 1\) wanted",
        ),
        (
            (
                *_ELEMENTWISE,
                (Cmd0.NPU_SET_ACC_FORMAT, AccumulatorInput.KEEP << 4),
                (Cmd0.NPU_OP_POOL, PoolingMode.SUM),
            ),
            "NPU_OP_POOL: NPU_SET_ACC_FORMAT.acc_input KEEP is not modelled",
        ),
        (
            (
                *_ELEMENTWISE,
                (Cmd0.NPU_SET_ACC_FORMAT, AccumulatorOutput.DISABLE << 6),
                (Cmd0.NPU_OP_CONV, 0),
            ),
            "NPU_OP_CONV: NPU_SET_ACC_FORMAT.acc_output DISABLE is not modelled",
        ),
        (
            (*_ELEMENTWISE, (Cmd1.NPU_SET_OFM_SCALE, 3), (Cmd0.NPU_OP_POOL, PoolingMode.MAX)),
            "NPU_OP_POOL MAX: NPU_SET_OFM_SCALE 3>>0 is not modelled",
        ),
        (
            (*_ELEMENTWISE, (Cmd0.NPU_SET_OFM_BLK_DEPTH_M1, 8), (Cmd0.NPU_OP_CONV, 0)),
            "NPU_SET_ACC_FORMAT.microblock U1X1 on ethos-u85-256",
        ),
    ],
)
def test_what_is_not_modelled_is_refused_by_name(commands: Words, message: str) -> None:
    device, memory = run(commands)
    with pytest.raises(Exception, match=message) as caught:
        assert device.last_fault is not None
        raise device.last_fault
    assert "\n" not in str(caught.value)
    assert not any(memory)


def _transfer(*more: tuple[Command, int]) -> Words:
    """Return a transfer of three rows of 16 bytes that 32 lie between, to 0x400 on."""
    return (
        (Cmd0.NPU_SET_DMA0_SRC_REGION, 1 << 9),
        (Cmd1.NPU_SET_DMA0_DST, 0x400),
        (Cmd1.NPU_SET_DMA0_LEN, 16),
        (Cmd0.NPU_SET_DMA0_SIZE0, 3),
        (Cmd1.NPU_SET_DMA0_SRC_STRIDE0, 32),
        (Cmd1.NPU_SET_DMA0_DST_STRIDE0, 16),
        *more,
        (Cmd0.NPU_OP_DMA_START, 0),
    )


_ROWS = np.arange(16 * 16, dtype=np.uint8).reshape(16, 16)


def test_transfers_have_a_distance_between_rows_for_each_side() -> None:
    device, memory = run(_transfer(), _ROWS.tobytes())
    assert device.last_fault is None
    assert memory[0x400 : 0x400 + 48] == _ROWS[:6:2].tobytes()


def _indexed(largest: int) -> tuple[NpuDevice, bytes]:
    indices = struct.pack("<3i", 4, 0, 2)
    data = _ROWS.tobytes().ljust(0x800, b"\0") + indices
    return run(
        _transfer(
            (Cmd0.NPU_SET_DMA0_SRC_REGION, 1 << 9 | 1 << 11),
            (Cmd1.NPU_SET_DMA0_IDX, 0x800),
            (Cmd1.NPU_SET_DMA0_IDX_MAX, largest),
        ),
        data,
    )


def test_an_indexed_transfer_gathers_rows() -> None:
    device, memory = _indexed(4)
    assert device.last_fault is None
    assert memory[0x400 : 0x400 + 48] == _ROWS[[8, 0, 4]].tobytes()


def test_an_index_beyond_the_largest_is_refused() -> None:
    device, memory = _indexed(3)
    assert "an index beyond NPU_SET_DMA0_IDX_MAX 3" in str(device.last_fault)
    assert not any(memory[0x400 : 0x400 + 48])
