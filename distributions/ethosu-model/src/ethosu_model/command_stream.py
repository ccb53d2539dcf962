# SPDX-License-Identifier: Apache-2.0
"""The words of a command stream: decoding, and the registers that the commands set."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from ethosu_model.command_words import Address, Command, PayloadCommand, Scale
from ethosu_model.commands import command_set
from ethosu_model.enums import Product
from ethosu_model.faults import CommandFault
from ethosu_model.fields import Field, Word, bits
from ethosu_model.u85.commands import COMMAND_SET as U85_COMMAND_SET

T = TypeVar("T")


class _FirstWord(Word):
    """The first word of a command."""

    opcode = bits(0, 10)
    must_be_zero = bits(10, 4)
    payload_words = bits(14, 2)
    parameter = bits(16, 16)


_FIRST = _FirstWord()
_PAYLOAD_BITS = 32
_COMMANDS_PER_CHECK = 1024
_COMMAND_SETS: Mapping[Product, Mapping[tuple[bool, int], Command]] = {
    Product.U55: command_set(Product.U55),
    Product.U65: command_set(Product.U65),
    Product.U85: U85_COMMAND_SET,
}


@dataclass(frozen=True)
class Instruction:
    """One command of a stream, with its values.

    Attributes:
        offset: Byte offset of its first word.
        command: Which command.
        parameter: Upper 16 bits of the first word.
        payload: The second word, or 0 if the command has none.
    """

    offset: int
    command: Command
    parameter: int
    payload: int = 0

    @property
    def size_bytes(self) -> int:
        """4, or 8 with a payload."""
        return 8 if self.command.has_payload else 4

    @property
    def value(self) -> int:
        """What fields of the command are read from."""
        if self.command.has_payload:
            return self.parameter << _PAYLOAD_BITS | self.payload
        return self.parameter

    def get(self, field: Field[T]) -> T:
        """Return a field.

        Raises:
            CommandFault: Its value is reserved.
        """
        return _decoded(field, self.value)


@dataclass(frozen=True)
class DecodedStream:
    """The commands of a stream up to its end or to the first word that is none.

    Attributes:
        commands: In order.
        fault: What is wrong behind the last one, if anything.
    """

    commands: tuple[Instruction, ...]
    fault: CommandFault | None

    @property
    def size_bytes(self) -> int:
        """Bytes of the commands, up to the fault if there is one."""
        return self.commands[-1].offset + self.commands[-1].size_bytes if self.commands else 0


def no_pace() -> None:
    """Let decoding take as long as it takes."""


def instructions(
    stream: bytes, product: Product, check_time: Callable[[], None] = no_pace
) -> Iterator[Instruction]:
    """Yield the commands of a stream for a product.

    Args:
        stream: Its bytes.
        product: Whose commands they are.
        check_time: Called now and then; raises when it takes too long.

    Raises:
        CommandFault: A word is no command.
    """
    offset = 0
    until_check = 0
    while offset < len(stream):
        if until_check == 0:
            check_time()
            until_check = _COMMANDS_PER_CHECK
        until_check -= 1
        instruction = _decode_at(stream, offset, product)
        yield instruction
        offset += instruction.size_bytes


def decode(stream: bytes, product: Product) -> DecodedStream:
    """Decode a command stream for a product."""
    commands: list[Instruction] = []
    try:
        commands.extend(instructions(stream, product))
    except CommandFault as fault:
        return DecodedStream(tuple(commands), fault)
    return DecodedStream(tuple(commands), None)


def _decode_at(stream: bytes, offset: int, product: Product) -> Instruction:
    words = struct.unpack_from(f"<{min(2, (len(stream) - offset) // 4)}I", stream, offset)
    if not words:
        raise CommandFault(f"stream ends inside a word at 0x{offset:x}")
    first = words[0]
    payload_words = _FIRST.payload_words.get(first)
    if _FIRST.must_be_zero.get(first) or payload_words > 1:
        raise CommandFault(f"no command: 0x{first:08x} at 0x{offset:x}")
    command = _COMMAND_SETS[product].get((payload_words == 1, _FIRST.opcode.get(first)))
    if command is None:
        raise CommandFault(f"Ethos-{product.name} has no command 0x{first:08x} (at 0x{offset:x})")
    parameter = _FIRST.parameter.get(first)
    if isinstance(command, PayloadCommand):
        if len(words) < 2:
            raise CommandFault(f"{command.name} at 0x{offset:x} lacks its payload")
        instruction = Instruction(offset, command, parameter, words[1])
        if product is not Product.U85:
            return instruction
    else:
        instruction = Instruction(offset, command, parameter)
    reserved = instruction.value & ~command.mask
    if reserved:
        raise CommandFault(f"{command.name} at 0x{offset:x} sets reserved bits: 0x{reserved:04x}")
    return instruction


def _decoded(field: Field[T], value: int) -> T:
    try:
        return field.get(value)
    except ValueError:
        raise CommandFault(f"reserved {field}: 0x{value:x}") from None


class CommandState:
    """The registers behind NPU_SET commands, all zero when a job starts.

    Commands without a payload set 16 bits. Those with one set 32, and keep the parameter
    as the upper bits: address bits 39:32, or a shift.
    """

    def __init__(self) -> None:
        self._values: dict[Word, int] = {}

    def copy(self) -> CommandState:
        """Return a copy that later commands leave alone."""
        twin = CommandState()
        twin._values = self._values.copy()
        return twin

    def set(self, instruction: Instruction) -> None:
        """Apply an NPU_SET command."""
        self._values[instruction.command] = instruction.value

    def value(self, command: Command) -> int:
        """Return all bits that a command has set."""
        return self._values.get(command, 0)

    def get(self, field: Field[T]) -> T:
        """Return a field of a command's value.

        Raises:
            CommandFault: Its value is reserved.
        """
        return _decoded(field, self._values.get(field.word, 0))

    def signed(self, field: Field[int]) -> int:
        """Return a field as a two's complement number."""
        value = self.get(field)
        return value - (1 << field.width) if value >> field.width - 1 else value

    def address(self, command: Address, bits: int) -> int:
        """Return an address or length, cut to the width of the bus."""
        return self.get(command.addr) & (1 << bits) - 1

    def stride(self, command: Address, bits: int) -> int:
        """Return a stride: two's complement at the width of the bus.

        Vela reverses a feature map with negative strides
        (regor, EthosU55RCSGenerator::GenerateOFM).
        """
        value = self.address(command, bits)
        return value - (1 << bits) if value >> bits - 1 else value

    def scale(self, command: Scale) -> tuple[int, int]:
        """Return a scale: multiplier, unsigned, and shift."""
        return self.get(command.scale), self.get(command.shift)
