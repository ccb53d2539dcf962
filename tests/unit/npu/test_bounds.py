# SPDX-License-Identifier: Apache-2.0
"""Long and ever different command streams end in time and are not kept."""

from __future__ import annotations

import pytest
from ethosu.vela.ethos_u55_regs.ethos_u55_regs import cmd0

from ethosu_model.command_stream import instructions
from ethosu_model.enums import Product
from ethosu_model.program import MAX_KEPT_ACTIONS, Program
from tests.support.npu.streams import word


class _LateError(Exception):
    """The time is over."""


def test_time_is_checked_while_a_stream_is_decoded() -> None:
    calls = 0

    def check_time() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise _LateError

    decoded = 0
    with pytest.raises(_LateError):
        for _ in instructions(word(cmd0.NPU_SET_IFM_PAD_TOP) * 100_000, Product.U55, check_time):
            decoded += 1
    assert decoded < 10_000


@pytest.mark.parametrize(
    "stream",
    [
        word(cmd0.NPU_SET_IFM_PAD_TOP) * (1 << 18) + word(cmd0.NPU_OP_STOP),
        word(cmd0.NPU_OP_DMA_WAIT) * (MAX_KEPT_ACTIONS + 1),
    ],
    ids=["long", "many operations"],
)
def test_a_stream_beyond_the_bounds_is_run_but_not_kept(stream: bytes) -> None:
    program = Program(stream, Product.U55)
    assert program.kept_actions == 0
    for _ in range(2):
        assert sum(1 for _ in program.actions()) in (1, MAX_KEPT_ACTIONS + 1)
        assert (program.size_bytes, program.fault) == (len(stream), None)


def test_a_fault_is_found_behind_the_actions_before_it() -> None:
    good = word(cmd0.NPU_OP_STOP)
    program = Program(good + b"\xff\xff\xff\xff" + good, Product.U55)
    assert len(list(program.actions())) == 1
    assert program.size_bytes == len(good)
    assert "no command: 0xffffffff at 0x4" in str(program.fault)
