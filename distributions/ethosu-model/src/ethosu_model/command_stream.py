# SPDX-License-Identifier: Apache-2.0
"""The words of a command stream: decoding, and the registers that the commands set."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from ethosu.vela.ethos_u55_regs.ethos_u55_regs import cmd0, cmd1

from ethosu_model.faults import CommandFault

_OPCODE_MASK = 0x3FF
_RESERVED_MASK = 0x3C00
_PAYLOAD_SHIFT = 14
_SET_BIT = 0x100  # among the commands without payload, operations lie below and SETs above

CMD0: Final = {command.value: command for command in cmd0}
CMD1: Final = {command.value: command for command in cmd1}


@dataclass(frozen=True)
class Command:
    """One command of a stream.

    Attributes:
        offset: Byte offset of its first word.
        code: Which command.
        parameter: Upper 16 bits of the first word.
        payload: The second word, or 0 if the command has none.
        size_bytes: 4, or 8 with a payload.
        is_operation: True for NPU_OP commands, false for NPU_SET commands.
    """

    offset: int
    code: cmd0 | cmd1
    parameter: int
    payload: int
    size_bytes: int

    is_operation: bool = False


@dataclass(frozen=True)
class DecodedStream:
    """The commands of a stream up to its end or to the first word that is none.

    Attributes:
        commands: In order.
        fault: What is wrong behind the last one, if anything.
    """

    commands: tuple[Command, ...]
    fault: CommandFault | None

    @property
    def size_bytes(self) -> int:
        """Bytes of the commands, up to the fault if there is one."""
        return self.commands[-1].offset + self.commands[-1].size_bytes if self.commands else 0


def decode(stream: bytes) -> DecodedStream:
    """Decode a command stream."""
    commands: list[Command] = []
    offset = 0
    while offset < len(stream):
        try:
            commands.append(_decode_at(stream, offset))
        except CommandFault as fault:
            return DecodedStream(tuple(commands), fault)
        offset += commands[-1].size_bytes
    return DecodedStream(tuple(commands), None)


def _decode_at(stream: bytes, offset: int) -> Command:
    words = struct.unpack_from(f"<{min(2, (len(stream) - offset) // 4)}I", stream, offset)
    if not words:
        raise CommandFault(f"stream ends inside a word at 0x{offset:x}")
    first = words[0]
    payload_words = first >> _PAYLOAD_SHIFT & 0b11
    code = first & _OPCODE_MASK
    if first & _RESERVED_MASK or payload_words > 1:
        raise CommandFault(f"no command: 0x{first:08x} at 0x{offset:x}")
    if payload_words == 0 and code in CMD0:
        return Command(offset, CMD0[code], first >> 16, 0, 4, code < _SET_BIT)
    if payload_words == 1 and code in CMD1:
        if len(words) < 2:
            raise CommandFault(f"{CMD1[code].name} at 0x{offset:x} lacks its payload")
        return Command(offset, CMD1[code], first >> 16, words[1], 8)
    raise CommandFault(f"unknown command 0x{first:08x} at 0x{offset:x}")


class CommandState:
    """The registers behind NPU_SET commands, all zero when a job starts.

    Commands without a payload set 16 bits. Those with one set 32, and keep the parameter
    as the upper bits: address bits 39:32, or a shift.
    """

    def __init__(self) -> None:
        self._values: dict[cmd0 | cmd1, int] = {}

    def copy(self) -> CommandState:
        """Return a copy that later commands leave alone."""
        twin = CommandState()
        twin._values = self._values.copy()
        return twin

    def set(self, command: Command) -> None:
        """Apply an NPU_SET command."""
        if isinstance(command.code, cmd0):
            self._values[command.code] = command.parameter
        else:
            self._values[command.code] = command.parameter << 32 | command.payload

    def value(self, code: cmd0 | cmd1) -> int:
        """Return a register's bits, unsigned."""
        return self._values.get(code, 0)

    def signed(self, code: cmd0) -> int:
        """Return a 16-bit register as a two's complement number."""
        value = self._values.get(code, 0)
        return value - 0x10000 if value & 0x8000 else value

    def address(self, code: cmd1, bits: int) -> int:
        """Return an address or length register, cut to the width of the bus."""
        return self._values.get(code, 0) & (1 << bits) - 1

    def stride(self, code: cmd1, bits: int) -> int:
        """Return a stride register: two's complement at the width of the bus.

        Vela reverses a feature map with negative strides
        (regor, EthosU55RCSGenerator::GenerateOFM).
        """
        value = self.address(code, bits)
        return value - (1 << bits) if value >> bits - 1 else value

    def scale(self, code: cmd1) -> tuple[int, int]:
        """Return a scale register: multiplier, unsigned, and shift, 6 bits."""
        value = self._values.get(code, 0)
        return value & 0xFFFFFFFF, value >> 32 & 0x3F
