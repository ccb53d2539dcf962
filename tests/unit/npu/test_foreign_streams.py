# SPDX-License-Identifier: Apache-2.0
"""What other producers than Vela do: register set-ups and streams as open drivers write them."""

from __future__ import annotations

import pytest
from ethosu.vela.ethos_u55_regs.ethos_u55_regs import BASE, BASE_POINTERS, cmd0, cmd1

from ethosu_model.config import AcceleratorConfig
from ethosu_model.device import NpuDevice
from ethosu_model.memory import ArrayMemory
from ethosu_model.registers import Status
from tests.support.npu.streams import STOP, STREAM, encode, word

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
