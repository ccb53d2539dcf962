# SPDX-License-Identifier: Apache-2.0
"""Our tables of registers and commands against Vela's, and against facts of the driver's headers.

Vela's Python table is of architecture 1.0.6, the facts are of the core driver's interface headers
for Ethos-U55 (1.1.0) and U65 (1.0.6).
"""

from __future__ import annotations

import re
from ctypes import Union
from enum import Enum, IntEnum
from pathlib import Path

import pytest
from ethosu.vela.ethos_u55_regs import ethos_u55_regs as vela

import ethosu_model
from ethosu_model import enums
from ethosu_model.command_words import Command
from ethosu_model.commands import COMMANDS, Cmd0, Cmd1, command_set
from ethosu_model.enums import Product
from ethosu_model.fields import Word, words_of
from ethosu_model.pmu_events import PmuEvent
from ethosu_model.register_words import Register
from ethosu_model.registers import REGISTERS, SHARED_BUFFER_REGISTERS, Reg
from ethosu_model.registers import Status as StatusFlags
from ethosu_model.tsu_registers import TSU_REGISTERS

_U65_COMMANDS = {
    "NPU_SET_PARALLEL_MODE",
    "NPU_SET_DMA0_SKIP0",
    "NPU_SET_DMA0_SKIP1",
    "NPU_SET_WEIGHT1_BASE",
    "NPU_SET_WEIGHT1_LENGTH",
    "NPU_SET_SCALE1_BASE",
    "NPU_SET_SCALE1_LENGTH",
}
_U55_COMMANDS = {f"NPU_SET_USER_DEFINED{number}" for number in range(8)}

# Command, then its fields from bit 0 on; a field without a name is reserved.
_HEADER_FIELDS = """
NPU_OP_STOP             mask:16
NPU_OP_IRQ              mask:16
NPU_OP_CONV             :16
NPU_OP_DEPTHWISE        :16
NPU_OP_POOL             pooling_mode:3 :13
NPU_OP_ELEMENTWISE      elementwise_mode:6 :10
NPU_OP_DMA_START        :16
NPU_OP_DMA_WAIT         k:4 :12
NPU_OP_KERNEL_WAIT      n:2 :14
NPU_OP_PMU_MASK         enable:1 :15
NPU_SET_IFM_PAD_TOP     pad:7 :9
NPU_SET_IFM_PAD_LEFT    pad:7 :9
NPU_SET_IFM_PAD_RIGHT   pad:8 :8
NPU_SET_IFM_PAD_BOTTOM  pad:8 :8
NPU_SET_IFM_DEPTH_M1    depth_m1:16
NPU_SET_IFM_PRECISION   activation_type:1 :1 activation_precision:2 :2 activation_format:2 scale_mode:2 :4 round_mode:2
NPU_SET_IFM_UPSCALE     mode:2 :14
NPU_SET_IFM_ZERO_POINT  zero_point:16
NPU_SET_IFM_IB_END      ib_end:6 :10
NPU_SET_IFM_REGION      region:3 :12 custom_dma_cs:1
NPU_SET_OFM_PRECISION   activation_type:1 activation_precision:2 :3 activation_format:2 scale_mode:1 :5 round_mode:2
NPU_SET_OFM_BLK_WIDTH_M1  width_m1:6 :10
NPU_SET_OFM_BLK_HEIGHT_M1 height_m1:5 :11
NPU_SET_OFM_BLK_DEPTH_M1  depth_m1:7 :9
NPU_SET_OFM_REGION      region:3 :12 custom_dma_cs:1
NPU_SET_KERNEL_STRIDE   stride_x_lsb:1 stride_y_lsb:1 weight_order:1 dilation_x:1 dilation_y:1 decomposition:1 stride_x_msb:1 :2 stride_y_msb:1 :6
NPU_SET_ACC_FORMAT      acc_format:2 :14
NPU_SET_ACTIVATION      activation_function:5 :7 activation_clip_range:3 :1
NPU_SET_ACTIVATION_MIN  clip_boundary:16
NPU_SET_WEIGHT_REGION   region:3 :12 custom_dma_cs:1
NPU_SET_SCALE_REGION    region:3 :12 custom_dma_cs:1
NPU_SET_AB_START        ab_start:6 :10
NPU_SET_BLOCKDEP        blockdep:2 :14
NPU_SET_DMA0_SRC_REGION region:3 :5 region_mode:1 stride_mode:2 :4 custom_dma_cs:1
NPU_SET_DMA0_DST_REGION region:3 :5 region_mode:1 stride_mode:2 :4 custom_dma_cs:1
NPU_SET_DMA0_SIZE0      size:16
NPU_SET_IFM2_BROADCAST  broadcast_h:1 broadcast_w:1 broadcast_c:1 :3 operand_order:1 broadcast_constant:1 :8
NPU_SET_IFM2_SCALAR     scalar:16
NPU_SET_IFM2_PRECISION  activation_type:1 :1 activation_precision:2 :2 activation_format:2 :8
NPU_SET_IFM2_IB_START   ib_start:6 :10
NPU_SET_IFM2_REGION     region:3 :13
NPU_SET_WEIGHT_LENGTH   length:32
NPU_SET_OFM_SCALE       scale:32 shift:6
NPU_SET_OPA_SCALE       scale:32 shift:6
NPU_SET_OPB_SCALE       scale:16
"""  # noqa: E501 - a table
_RENAMED_FIELDS = {"mask": "irq_mask", "ib_end": "kib", "ib_start": "kib", "ab_start": "kib"}


def _header_fields(text: str) -> dict[str, tuple[int, int]]:
    found, low = {}, 0
    for word in text.split():
        name, _, width = word.partition(":")
        if name:
            found[_RENAMED_FIELDS.get(name, name)] = (low, int(width))
        low += int(width)
    return found


def _places(word: Word) -> dict[str, tuple[int, int]]:
    return {field.name: (field.low, field.width) for field in word.fields}


def _codes(table: type[Enum]) -> dict[str, int]:
    return {member.name: member.value for member in table if member.name != "SIZE"}


def test_commands_are_those_of_velas_table_and_the_custom_dmas() -> None:
    ours0 = {command.name: command.code for command in words_of(Cmd0, Command)}
    ours1 = {command.name: command.code for command in words_of(Cmd1, Command)}
    assert ours0 == _codes(vela.cmd0)
    assert {n: c for n, c in ours1.items() if n not in _U55_COMMANDS} == _codes(vela.cmd1)
    assert {c.name for c in COMMANDS if c.is_operation} == {n for n in ours0 if "_OP_" in n}
    assert {c.name for c in COMMANDS if c.has_payload} == set(ours1)


def test_products_have_the_commands_of_their_headers() -> None:
    everything = {command.name for command in COMMANDS}
    u55 = {command.name for command in command_set(Product.U55).values()}
    u65 = {command.name for command in command_set(Product.U65).values()}
    assert u55 == everything - _U65_COMMANDS
    assert u65 == everything - _U55_COMMANDS
    assert (len(u55), len(u65)) == (98, 97)
    codes = [c.code for c in COMMANDS if c.name in _U55_COMMANDS]
    assert codes == list(range(0xA0, 0xA8))


@pytest.mark.parametrize("line", _HEADER_FIELDS.strip().splitlines())
def test_command_has_the_fields_of_the_headers(line: str) -> None:
    name, fields = line.split(maxsplit=1)
    (command,) = (command for command in COMMANDS if command.name == name)
    assert _places(command) == _header_fields(fields)


def test_every_size_and_address_is_as_wide_as_in_the_headers() -> None:
    covered = {line.split()[0] for line in _HEADER_FIELDS.strip().splitlines()}
    for command in COMMANDS:
        if command.name not in covered and not command.has_payload:
            wide = 1 if command.name == "NPU_SET_PARALLEL_MODE" else 16
            assert command.mask == (1 << wide) - 1, command


def test_registers_have_the_names_and_offsets_of_velas_table() -> None:
    ours = {register.name: register.offset for register in words_of(Reg, Register)}
    ours |= {register.name: register.offset for register in TSU_REGISTERS.values()}
    theirs: dict[str, int] = {}
    for table in (vela.BASE, vela.BASE_POINTERS, vela.DEBUG, vela.ID, vela.PMU, vela.TSU):
        theirs |= _codes(table)
    theirs |= _codes(vela.TSU_DEBUG)
    window = _codes(vela.SHARED_BUFFER)
    assert ours.pop("SHARED_BUFFER") == window["SHARED_BUFFER0"]
    assert len(window) == SHARED_BUFFER_REGISTERS
    assert ours == theirs


def test_registers_that_show_commands_show_all_of_each() -> None:
    for register in TSU_REGISTERS.values():
        assert register.command.name.startswith("NPU_SET_")
        assert register.name.startswith(register.command.name.removeprefix("NPU_SET_"))
    shown = {register.command for register in TSU_REGISTERS.values()}
    hidden = {c.name for c in COMMANDS if not c.is_operation and c not in shown}
    assert hidden == _U55_COMMANDS


_NEWER_THAN_VELA = {"functional_safety", "custom_dma"}


@pytest.mark.parametrize("offset", [o for o, r in REGISTERS.items() if len(r.fields) > 1])
def test_register_has_the_fields_of_velas_table(offset: int) -> None:
    register = REGISTERS[offset]
    union: type[Union] = getattr(vela, f"{register.name.lower()}_r")
    theirs, low = {}, 0
    for name, _, width in union._bitfield._fields_:  # type: ignore[attr-defined]
        if not name.startswith("reserved"):
            theirs[re.sub(r"_(ovf|int)$", "", name)] = (low, width)
        low += width
    ours = {n: place for n, place in _places(register).items() if n not in _NEWER_THAN_VELA}
    assert ours == theirs


def test_status_flags_are_bits_of_the_register() -> None:
    assert StatusFlags.CMD_END_REACHED == 1 << 5
    assert StatusFlags.FAULTING_AXI1 == 1 << 11


# Ours, Vela's, and what Vela calls otherwise than the headers.
_ENUMS: list[tuple[type[IntEnum], type[Enum], dict[str, str]]] = [
    (enums.MemAttr, vela.memory_type, {}),
    (enums.Layout, vela.data_format, {}),
    (enums.Upscale, vela.resampling_mode, {"ZEROS": "TRANSPOSE"}),
    (
        enums.ScaleMode,
        vela.ifm_scale_mode,
        {"OPA_OPB_16": "SCALE_16BIT", "OPA_32": "SCALE_OPA_32BIT", "OPB_32": "SCALE_OPB_32BIT"},
    ),
    (enums.Rounding, vela.rounding, {}),
    (enums.AccFormat, vela.acc_format, {"I32": "INT_32BIT", "I40": "INT_40BIT", "F16": "FP_S5_10"}),
    (enums.ClipRange, vela.clip_range, {}),
    (enums.PoolingMode, vela.pooling_mode, {}),
    (enums.ElementwiseMode, vela.elementwise_mode, {}),
    (
        enums.StrideMode,
        vela.stride_mode,
        {"D1": "STRIDE_MODE_1D", "D2": "STRIDE_MODE_2D", "D3": "STRIDE_MODE_3D"},
    ),
    (PmuEvent, vela.pmu_event_type, {}),
]


@pytest.mark.parametrize(("ours", "theirs", "renamed"), _ENUMS, ids=lambda item: str(item)[:30])
def test_enumeration_has_velas_values(
    ours: type[IntEnum], theirs: type[Enum], renamed: dict[str, str]
) -> None:
    assert {renamed.get(m.name, m.name): int(m) for m in ours} == _codes(theirs)


def test_tables_of_the_activation_are_between_velas_first_and_last() -> None:
    tables = [m for m in enums.ActivationFunction if m.name.startswith("TABLE_")]
    first, last = vela.activation.LUT_START.value, vela.activation.LUT_END.value
    assert tables == list(range(first, last + 1))
    assert vela.activation.TANH.value == enums.ActivationFunction.TANH
    assert vela.activation.SIGMOID.value == enums.ActivationFunction.SIGMOID


def test_every_name_is_declared_once_and_none_is_made_from_pieces() -> None:
    sources = "".join(
        path.read_text("utf-8") for path in Path(ethosu_model.__file__).parent.glob("*.py")
    )
    for command in COMMANDS:
        assert len(re.findall(rf"^    {command.name} = ", sources, re.MULTILINE)) == 1
    assert not re.search(r"NPU_(SET|OP)_\{|f\"NPU_", sources)
