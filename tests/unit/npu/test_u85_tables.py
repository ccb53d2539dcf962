# SPDX-License-Identifier: Apache-2.0
"""Ethos-U85's registers, commands and builds against facts of the core driver's header.

tests/component/npu_u85 compares every field of the commands with Vela's disassembly.
"""

from __future__ import annotations

import struct

import pytest

from ethosu_model import commands as older
from ethosu_model.command_stream import decode
from ethosu_model.command_words import Command
from ethosu_model.config import AcceleratorConfig
from ethosu_model.device import NpuDevice
from ethosu_model.enums import Product
from ethosu_model.errors import ModelError
from ethosu_model.fields import words_of
from ethosu_model.memory import ArrayMemory
from ethosu_model.register_words import Register
from ethosu_model.u85.commands import COMMANDS, Cmd0, Cmd1
from ethosu_model.u85.config import U85_ACCELERATORS, U85Config
from ethosu_model.u85.registers import COUNTER_REGISTERS, TYPE_REGISTERS, Reg

# The words that Vela's payloads carry, and that one of them was read as on a board (1024).
_CONFIG_WORDS = {
    "ethos-u85-128": 0x20000117,
    "ethos-u85-256": 0x20000118,
    "ethos-u85-512": 0x20001119,
    "ethos-u85-1024": 0x2000251A,
    "ethos-u85-2048": 0x2000261B,
}
_GONE = """IFM_IB_END IFM2_IB_START AB_START IFM2_SCALAR OPA_SCALE OPB_SCALE PARALLEL_MODE
DMA0_SKIP0 DMA0_SKIP1 SCALE1_BASE SCALE1_LENGTH"""
_NEW = """IFM_BROADCAST WEIGHT_FORMAT RESIZE_X_SCALE_N_M1 RESIZE_Y_SCALE_N_M1 RESIZE_X_OFFSET
RESIZE_Y_OFFSET DMA0_IDX_REGION IFM_SCALE IFM2_SCALE OP_SCALAR DMA0_SRC_STRIDE0 DMA0_SRC_STRIDE1
DMA0_DST_STRIDE0 DMA0_DST_STRIDE1 DMA0_IDX DMA0_IDX_MAX DMA0_IDX_SKIP1 WEIGHT2_BASE WEIGHT2_LENGTH
WEIGHT3_BASE WEIGHT3_LENGTH RESIZE_X_STEP RESIZE_Y_STEP"""
_REGISTERS = {
    "COND_STATUS": 0x30,
    "POWER_CTRL": 0x38,
    "MEM_ATTR0": 0x40,
    "MEM_ATTR3": 0x4C,
    "AXI_SRAM": 0x50,
    "AXI_EXT": 0x54,
    "BASEP15": 0xBC,
    "CLKFORCE": 0x140,
    "PID0": 0xFE0,
    "WD_STATUS": 0x1100,
    "PMCR": 0x1180,
    "PMCNTENSET": 0x1184,
    "PMCCNTR_LO": 0x11A0,
    "PMCCNTR_CFG": 0x11A8,
    "PMCAXI_CHAN": 0x11AC,
    "PMCLUT": 0x11B0,
}


def _device(name: str = "ethos-u85-256") -> NpuDevice:
    return NpuDevice(U85Config.parse(name), ArrayMemory())


def test_commands_are_111_of_which_the_named_are_new_and_gone() -> None:
    ours = {command.name for command in COMMANDS}
    older_names = {command.name for command in older.COMMANDS if "USER_DEFINED" not in command.name}
    assert len(COMMANDS) == len(ours) == 111
    operations = {"NPU_OP_RESIZE", "NPU_OP_BRANCH"}
    assert ours - older_names == {f"NPU_SET_{name}" for name in _NEW.split()} | operations
    assert older_names - ours == {f"NPU_SET_{name}" for name in _GONE.split()}


def test_commands_that_stayed_have_kept_their_codes() -> None:
    older_codes = {command.name: command.code for command in older.COMMANDS}
    for command in COMMANDS:
        assert command.code == older_codes.get(command.name, command.code), command


def test_codes_are_unique_and_of_ten_bits() -> None:
    for table in (Cmd0, Cmd1):
        codes = [command.code for command in words_of(table, Command)]
        assert len(set(codes)) == len(codes)
        assert max(codes) < 1 << 10


@pytest.mark.parametrize(("name", "word"), _CONFIG_WORDS.items())
def test_config_and_id_are_those_of_the_build(name: str, word: int) -> None:
    device = _device(name)
    assert device.read_register(Reg.CONFIG.offset) == word
    assert device.read_register(Reg.ID.offset) == 0x20007001
    assert device.read_register(Reg.PID0.offset) == 0x82


def test_another_build_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ModelError, match=r"ethos-u85-265.*did you mean 'ethos-u85-256'"):
        U85Config.parse("ethos-u85-265")
    assert {config.name for config in U85_ACCELERATORS} == set(_CONFIG_WORDS)


def test_boards_are_told_that_they_cannot_have_one() -> None:
    with pytest.raises(ModelError, match="has the Ethos-U85"):
        AcceleratorConfig.parse("ethos-u85-256")


def test_registers_are_at_the_headers_offsets() -> None:
    ours = {register.name: register.offset for register in words_of(Reg, Register)}
    assert {name: ours[name] for name in _REGISTERS} == _REGISTERS
    assert [r.offset for r in COUNTER_REGISTERS] == list(range(0x1300, 0x1320, 4))
    assert [r.offset for r in TYPE_REGISTERS] == list(range(0x1380, 0x13A0, 4))


def test_the_pmu_has_eight_counters_behind_the_first_page() -> None:
    device = _device()
    assert device.read_register(Reg.PMCR.offset) == 0x4000
    device.write_register(TYPE_REGISTERS[7].offset, 0x11)
    assert device.read_register(TYPE_REGISTERS[7].offset) == 0x11
    assert device.read_register(0x180) == 0  # where Ethos-U55 and U65 have PMCR


def _faults(*words: int) -> str:
    fault = decode(struct.pack(f"<{len(words)}I", *words), Product.U85).fault
    return str(fault)


def test_a_command_of_the_older_products_is_none_here() -> None:
    assert _faults(0x10D) == "Ethos-U85 has no command 0x0000010d (at 0x0)"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((0x0002_0105,), "NPU_SET_IFM_PRECISION at 0x0 sets reserved bits: 0x0002"),
        ((0x0800_4024, 1), "NPU_SET_OFM_SCALE at 0x0 sets reserved bits: 0x80000000000"),
        ((0x4024,), "NPU_SET_OFM_SCALE at 0x0 lacks its payload"),
    ],
)
def test_a_command_that_breaks_the_format_is_refused(words: tuple[int, ...], message: str) -> None:
    assert _faults(*words) == message
