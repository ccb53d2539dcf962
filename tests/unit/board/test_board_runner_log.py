# SPDX-License-Identifier: Apache-2.0
"""A failed inference of Arm's runner, whose exit code is 0, is told with the runner's reason."""

from __future__ import annotations

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.verify.runner import read_runner_log

_DONE = """\
INFO - Activation buffer (a.k.a tensor arena) size used: 6916
INFO - NPU ACTIVE: 5870 cycles
INFO - NPU AXI0_RD_DATA_BEAT_RECEIVED: 832 beats
INFO - NPU AXI0_WR_DATA_BEAT_WRITTEN: 802 beats
INFO - NPU AXI1_RD_DATA_BEAT_RECEIVED: 864 beats
INFO - NPU IDLE: 7 cycles
INFO - NPU TOTAL: 5877 cycles
INFO - 2 output tensor/s worth 10 bytes copied to 0x93000000
INFO - Inference completed.
"""


def test_counts_have_the_names_of_our_own_log() -> None:
    log = read_runner_log(_DONE)
    assert (log.arena_bytes, log.output_bytes) == (6916, 10)
    assert log.counts == {
        "npu_cycles": 5877,
        "npu_active": 5870,
        "axi0_rd": 832,
        "axi0_wr": 802,
        "axi1_rd": 864,
    }


# As the runner with ExecuTorch prints them, at the end of the preparation and of the inference.
_EXECUTORCH = _DONE.replace(
    "INFO - Activation buffer (a.k.a tensor arena) size used: 6916\n",
    "INFO - \tMethod memory: Used: 1293; Peak: 1293; Available: 2097152\n"
    "INFO - \tTemp memory: Used: 0; Peak: 0; Available: 33554432\n",
)
_EXECUTORCH += (
    "INFO - \tMethod memory: Used: 1293; Peak: 1300; Available: 2097152\n"
    "INFO - \tTemp memory: Used: 0; Peak: 9216; Available: 33554432\n"
)


def test_executorchs_memories_count_at_their_peaks() -> None:
    assert read_runner_log(_EXECUTORCH).arena_bytes == 1300 + 9216


FAILURES = {
    "ExecuTorch lacks an operator": (
        "INFO - Model buffer loaded\nE [ExecuTorch: method.cpp:700 resolve_operator()] Missing"
        " operator: [0] aten::sort.values\nINFO - program terminating...\n",
        "Missing operator: [0] aten::sort.values",
    ),
    "the arena is too small": (
        "TFLM - Failed to resize buffer. Requested: 9, available 8, missing: 1\n"
        "TFLM - \nERROR - tensor allocation failed!\nERROR - Failed to initialise model\n",
        "Failed to resize buffer. Requested: 9, available 8, missing: 1; tensor allocation failed;"
        " Failed to initialise model",
    ),
    "no line end": (
        "ERROR - Model's schema version 0.ERROR - Failed to initialise model\n",
        "Model's schema version 0; Failed to initialise model",
    ),
    "silence": ("INFO - program terminating...\n", "no reason given"),
    "a line is missing": (_DONE.replace("Inference completed.", ""), "no reason given"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_has_the_runners_own_words(name: str) -> None:
    text, reason = FAILURES[name]
    with pytest.raises(EthosmithError) as caught:
        read_runner_log(text)
    assert str(caught.value) == f"the inference failed: {reason}"
