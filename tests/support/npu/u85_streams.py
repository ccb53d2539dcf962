# SPDX-License-Identifier: Apache-2.0
"""Hand-written command streams of Ethos-U85, and a device with one region to run them."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from ethosu_model.command_words import Command
from ethosu_model.device import NpuDevice
from ethosu_model.memory import ArrayMemory
from ethosu_model.registers import Command as CommandFlags
from ethosu_model.u85.commands import Cmd0, Cmd1
from ethosu_model.u85.config import U85Config
from ethosu_model.u85.registers import Reg

Words = Iterable[tuple[Command, int]]

_STREAM, _DATA, SIZE = 0x1000, 0x10000, 0x1000


def encoded(commands: Words) -> bytes:
    """Return the stream of some commands with their parameters, or 16 + 32 bits of payload."""
    words = []
    for command, value in commands:
        first = command.code | command.has_payload << 14
        if command.has_payload:
            words += [first | value >> 32 << 16, value & 0xFFFFFFFF]
        else:
            words.append(first | value << 16)
    return struct.pack(f"<{len(words)}I", *words)


def run(commands: Words, data: bytes = b"") -> tuple[NpuDevice, bytes]:
    """Run commands on ethos-u85-256; return it, and region 0 behind the run."""
    stream = encoded([*commands, (Cmd0.NPU_OP_STOP, 0)])
    memory = ArrayMemory()
    memory.add(_STREAM, SIZE)
    memory.add(_DATA, SIZE)
    memory.write(_STREAM, stream)
    memory.write(_DATA, data)
    device = NpuDevice(U85Config.parse("ethos-u85-256"), memory)
    control = Reg.PMCR.cnt_en.mask | Reg.PMCR.mask_en.mask
    for register, value in (
        (Reg.PMCR, control),
        (Reg.PMCNTENSET, Reg.PMCNTENSET.mask),
        (Reg.QBASE0, _STREAM),
        (Reg.QSIZE, len(stream)),
        (Reg.BASEP0, _DATA),
    ):
        device.write_register(register.offset, value)
    device.write_register(Reg.CMD.offset, CommandFlags.RUN)
    return device, memory.read(_DATA, SIZE)


def feature_map(name: str, shape: tuple[int, int, int], element_bytes: int, offset: int) -> Words:
    """Return the settings of a dense NHWC feature map of region 0: IFM, IFM2 or OFM."""
    height, width, depth = shape
    words: list[tuple[Command, int]] = [
        (getattr(Cmd1, f"NPU_SET_{name}_BASE0"), offset),
        (getattr(Cmd0, f"NPU_SET_{name}_HEIGHT0_M1"), height - 1),
        (getattr(Cmd0, f"NPU_SET_{name}_HEIGHT1_M1"), height - 1),
        (getattr(Cmd0, f"NPU_SET_{name}_WIDTH0_M1"), width - 1),
        (getattr(Cmd1, f"NPU_SET_{name}_STRIDE_Y"), width * depth * element_bytes),
        (getattr(Cmd1, f"NPU_SET_{name}_STRIDE_X"), depth * element_bytes),
        (getattr(Cmd1, f"NPU_SET_{name}_STRIDE_C"), element_bytes),
    ]
    if name == "OFM":
        words += [
            (Cmd0.NPU_SET_OFM_HEIGHT_M1, height - 1),
            (Cmd0.NPU_SET_OFM_WIDTH_M1, width - 1),
            (Cmd0.NPU_SET_OFM_DEPTH_M1, depth - 1),
            (Cmd0.NPU_SET_OFM_BLK_DEPTH_M1, 15),
        ]
    return words
