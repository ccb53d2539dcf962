# SPDX-License-Identifier: Apache-2.0
"""Command streams made to keep the model busy or to fill memory: both stay bounded."""

from __future__ import annotations

import contextlib
import time

import pytest
from ethosu.vela.ethos_u55_regs.ethos_u55_regs import cmd0, cmd1

from ethosu_model.harness import HostRunner, NpuJobError
from tests.support.npu_fuzz.fuzzer import resident_bytes, victims
from tests.support.npu_fuzz.mutations import Words, with_commands

LONGEST_S = 120.0  # of processor time; seen: 23
MAX_GROWTH_BYTES = 1 << 30  # seen: 435 MiB
_PAYLOAD_BIT = 1 << 14
_SIDE_M1 = 4095


def _set(name: str, value: int) -> Words:
    """Return NPU_SET_``name`` with a parameter, or with a payload where it takes one."""
    if f"NPU_SET_{name}" in cmd1.__members__:
        return [int(cmd1[f"NPU_SET_{name}"].value) | _PAYLOAD_BIT, value]
    return [int(cmd0[f"NPU_SET_{name}"].value) | value << 16]


def _overlapping_maps(scratch_region: int) -> Words:
    """Return commands for feature maps of 4096x4096 elements that all lie in one byte."""
    words: Words = []
    for fm in ("IFM", "IFM2", "OFM"):
        words += _set(f"{fm}_REGION", scratch_region) + _set(f"{fm}_PRECISION", 1)
        for name in ("HEIGHT0_M1", "HEIGHT1_M1", "WIDTH0_M1"):
            words += _set(f"{fm}_{name}", 0xFFFF)
        for name in ("STRIDE_X", "STRIDE_Y", "STRIDE_C", "BASE0", "BASE1", "BASE2", "BASE3"):
            words += _set(f"{fm}_{name}", 0)
    words += _set("OFM_HEIGHT_M1", _SIDE_M1) + _set("OFM_WIDTH_M1", _SIDE_M1)
    return words + _set("ACTIVATION_MIN", 0x8000) + _set("ACTIVATION_MAX", 0x7FFF)


_ADD, _MAXIMUM = 1, 4
_ENDLESS = {
    "add": lambda region: (
        _overlapping_maps(region) + [int(cmd0.NPU_OP_ELEMENTWISE.value) | _ADD << 16] * 2000
    ),
    "maximum": lambda region: (
        _overlapping_maps(region) + [int(cmd0.NPU_OP_ELEMENTWISE.value) | _MAXIMUM << 16] * 2000
    ),
    "dma": lambda region: (
        _set("DMA0_SRC_REGION", region)
        + _set("DMA0_DST_REGION", region)
        + _set("DMA0_LEN", 16)
        + [int(cmd0.NPU_OP_DMA_START.value)] * 3_000_000
    ),
    "settings": lambda region: _set("IFM_REGION", region) * 4_000_000,
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", _ENDLESS)
def test_endless_work_is_cut_short(kind: str) -> None:
    victim = victims()[0]
    words = _ENDLESS[kind](victim.model.scratch_region)
    runner = HostRunner(with_commands(victim.model, words), victim.target.config)
    before, start = resident_bytes(), time.process_time()
    with contextlib.suppress(NpuJobError):
        runner.run(victim.inputs)
    assert time.process_time() - start < LONGEST_S
    assert resident_bytes() - before < MAX_GROWTH_BYTES
