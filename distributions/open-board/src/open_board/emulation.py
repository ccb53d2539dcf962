# SPDX-License-Identifier: Apache-2.0
"""Carry out a load or store in the stopped CPU's stead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from open_board import gdb_client
from open_board.gdb_client import (
    READ_REGISTERS,
    CoreRegisters,
    GdbClient,
    parse_memory,
    parse_registers,
    read_memory,
)
from open_board.instruction import MAX_INSTRUCTION_BYTES, Access, LoadStore, decode

_WORD_BYTES = 4
_MAX_STOPS = 4096  # remembered; a program has a few dozen


@dataclass(frozen=True)
class Stopped:
    """The instruction before which the CPU stands.

    Attributes:
        instruction: Decoded.
        registers: The CPU's.
    """

    instruction: LoadStore
    registers: CoreRegisters

    @property
    def accesses(self) -> list[Access]:
        """Its transfers."""
        return list(self.instruction.accesses(self.registers.general))


def stopped_at(gdb: GdbClient) -> Stopped:
    """Return the stopped CPU's next instruction.

    Raises:
        RunError: It is no load or store that `instruction` knows.
    """
    registers = gdb.read_registers()
    return _stopped(gdb.read_memory(registers.pc, MAX_INSTRUCTION_BYTES), registers)


def _stopped(code: bytes, registers: CoreRegisters) -> Stopped:
    return Stopped(decode(code, registers.pc), registers)


class Stops:
    """The stops of one CPU, which come in the same order again and again.

    So the instruction is asked for together with the registers, where the program stopped after
    this stop the last time. It is read anew each time: programs may change it.
    """

    def __init__(self, gdb: GdbClient) -> None:
        """Look at the CPU behind ``gdb``."""
        self._gdb = gdb
        self._after: dict[int, int] = {}
        self._last = 0

    def look(self) -> Stopped:
        """Return the stopped CPU's next instruction; raises as `stopped_at`."""
        expected = self._after.get(self._last)
        stopped = stopped_at(self._gdb) if expected is None else self._look_with(expected)
        if len(self._after) < _MAX_STOPS or self._last in self._after:
            self._after[self._last] = stopped.registers.pc
        self._last = stopped.registers.pc
        return stopped

    def _look_with(self, expected: int) -> Stopped:
        packets = [READ_REGISTERS, read_memory(expected, MAX_INSTRUCTION_BYTES)]
        answers = self._gdb.request_all(packets)
        registers = parse_registers(answers[0])
        if registers.pc == expected:
            return _stopped(parse_memory(answers[1]), registers)
        return _stopped(self._gdb.read_memory(registers.pc, MAX_INSTRUCTION_BYTES), registers)


def carry_out(
    stopped: Stopped, load: Callable[[Access], int], store: Callable[[Access, int], None]
) -> list[bytes]:
    """Do what the instruction does.

    Args:
        stopped: The instruction.
        load: Returns the register's new value.
        store: Takes the register's value.

    Returns:
        The packets that give the CPU its new register values.
    """
    instruction, registers = stopped.instruction, stopped.registers
    changes: dict[int, int] = {}
    base = instruction.base_after(registers.general)
    if base is not None:
        changes[instruction.base] = base
    for access in stopped.accesses:
        if access.is_load:
            changes[access.register] = load(access)
        else:
            store(access, registers.general[access.register])
    changes[gdb_client.PC] = registers.pc + instruction.size_bytes
    after = advance_it(registers.xpsr)
    if after != registers.xpsr:
        changes[gdb_client.XPSR] = after
    return [gdb_client.write_register(number, value) for number, value in changes.items()]


def loaded_value(access: Access, word: int) -> int:
    """Return what a load of part of ``word``, the register at the access's word, gives."""
    lane = access.address % _WORD_BYTES
    field = word.to_bytes(_WORD_BYTES, "little")[lane : lane + access.size_bytes]
    return int.from_bytes(field, "little", signed=access.is_signed) & 0xFFFFFFFF


def advance_it(xpsr: int) -> int:
    """Return xPSR behind an instruction: the next condition of an IT block, if in one.

    ITSTATE lies in bits 26:25 and 15:10; with its low four bits zero it is no IT block but
    the beat state of a vector instruction (Armv8-M ARM, ITAdvance).
    """
    state = xpsr >> 25 & 0b11 | xpsr >> 8 & 0xFC
    if not state & 0xF:
        return xpsr
    state = 0 if not state & 0b111 else state & 0xE0 | state << 1 & 0x1F
    return xpsr & ~0x0600FC00 | (state & 0b11) << 25 | (state & 0xFC) << 8
