# SPDX-License-Identifier: Apache-2.0
"""Command streams written by hand, and a device to run them on."""

from __future__ import annotations

import struct

from ethosu.vela.ethos_u55_regs.ethos_u55_regs import BASE, BASE_POINTERS, cmd0, cmd1

from ethosu_model.checks import NO_CHECKS, Checks
from ethosu_model.config import AcceleratorConfig
from ethosu_model.device import NpuDevice
from ethosu_model.memory import ArrayMemory
from ethosu_model.registers import Command
from ethosu_model.trace import Trace

STREAM = 0x1000_0000
REGION = 0x2000_0000
REGION_BYTES = 0x10000


def word(command: cmd0, parameter: int = 0) -> bytes:
    """Encode a command without payload."""
    return struct.pack("<I", command.value | (parameter & 0xFFFF) << 16)


def words(command: cmd1, payload: int, parameter: int = 0) -> bytes:
    """Encode a command with a payload; negative payloads are two's complement of 48 bits."""
    first = command.value | 0x4000 | ((parameter | payload >> 32) & 0xFFFF) << 16
    return struct.pack("<II", first, payload & 0xFFFFFFFF)


def encode(settings: dict[cmd0 | cmd1, int]) -> bytes:
    """Encode a set of NPU_SET commands."""
    return b"".join(
        word(code, value) if isinstance(code, cmd0) else words(code, value)
        for code, value in settings.items()
    )


class Bench:
    """A device with one region, as a driver sets it up."""

    def __init__(
        self,
        accelerator: str = "ethos-u55-128",
        trace: Trace | None = None,
        checks: Checks = NO_CHECKS,
    ) -> None:
        self.memory = ArrayMemory()
        self.memory.add(STREAM, REGION_BYTES)
        self.memory.add(REGION, REGION_BYTES)
        config = AcceleratorConfig.parse(accelerator)
        self.device = NpuDevice(config, self.memory, trace=trace, checks=checks)

    def run(self, stream: bytes, *, region_config: int = 0) -> int:
        """Run a stream and return STATUS."""
        self.memory.write(STREAM, stream)
        for register, value in (
            (BASE.QBASE0.value, STREAM),
            (BASE.QSIZE.value, len(stream)),
            (BASE_POINTERS.BASEP0.value, REGION),
            (BASE.REGIONCFG.value, region_config),
            (BASE.CMD.value, int(Command.RUN)),
        ):
            self.device.write_register(register, value)
        return self.device.read_register(BASE.STATUS.value)


STOP = word(cmd0.NPU_OP_STOP, 0xFFFF)
