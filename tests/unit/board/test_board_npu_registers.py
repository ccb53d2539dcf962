# SPDX-License-Identifier: Apache-2.0
"""What stands between the CPU and the NPU model."""

from __future__ import annotations

import pytest

from ethosu_model.memory import ArrayMemory, Memory
from open_board.job import Outcome, RunError
from open_board.npu_registers import GuardedNpu
from tests.support.board.fake_npu import CMD, FakeNpu


def test_a_failure_of_the_model_is_a_named_end_and_no_traceback() -> None:
    def fail(_memory: Memory) -> None:
        raise IndexError("index 3 is out of bounds")

    npu = GuardedNpu(FakeNpu(ArrayMemory(), fail))
    with pytest.raises(RunError, match="the NPU model failed: IndexError: index 3") as caught:
        npu.write_register(CMD, 1)
    assert caught.value.outcome is Outcome.SIMULATOR_FAILED
