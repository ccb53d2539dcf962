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
from open_board.guest_lines import GuestLines
from open_board.instruction import (
    MAX_INSTRUCTION_BYTES,
    Access,
    LoadStore,
    decode,
    decode_if_known,
)

_WORD_BYTES = 4
_CODE_BYTES = 32  # asked for at a stop: what follows may be carried out with it
_IT_BLOCK = 0b11 << 25 | 0b11 << 10  # of xPSR: low bits of ITSTATE, zero outside of a block
_MAX_STOPS = 4096  # remembered; a program has a few dozen


@dataclass(frozen=True)
class Stopped:
    """The instruction before which the CPU stands.

    Attributes:
        instruction: Decoded.
        registers: The CPU's.
        code: The instruction's bytes and some behind it.
    """

    instruction: LoadStore
    registers: CoreRegisters
    code: bytes

    @property
    def accesses(self) -> list[Access]:
        """Its transfers."""
        return list(self.instruction.accesses(self.registers.general))

    def following(self, registers: CoreRegisters) -> Stopped | None:
        """Return the load or store right behind, where ``registers`` are those behind this one.

        None if there is none, if it is not known whole, or if it is conditional.
        """
        code = self.code[self.instruction.size_bytes :]
        if len(code) < MAX_INSTRUCTION_BYTES or registers.xpsr & _IT_BLOCK:
            return None
        instruction = decode_if_known(code[:MAX_INSTRUCTION_BYTES], registers.pc)
        return None if instruction is None else Stopped(instruction, registers, code)


def stopped_at(gdb: GdbClient, registers: CoreRegisters | None = None) -> Stopped:
    """Return the stopped CPU's next instruction.

    Args:
        gdb: The CPU.
        registers: Its registers, where they are known.

    Raises:
        RunError: It is no load or store that `instruction` knows.
    """
    registers = registers or gdb.read_registers()
    code = gdb.request(read_memory(registers.pc, _CODE_BYTES))
    if code.startswith(b"E"):  # the memory ends before
        code = gdb.request(read_memory(registers.pc, MAX_INSTRUCTION_BYTES))
    return _stopped(parse_memory(code), registers)


def _stopped(code: bytes, registers: CoreRegisters) -> Stopped:
    return Stopped(decode(code[:MAX_INSTRUCTION_BYTES], registers.pc), registers, code)


class Stops:
    """The stops of one CPU, which come in the same order again and again.

    So the instruction is asked for together with the registers, where the program stopped after
    these two stops the last time. It is read anew each time: programs may change it.
    """

    def __init__(self, gdb: GdbClient) -> None:
        """Look at the CPU behind ``gdb``."""
        self._gdb = gdb
        self._after: dict[tuple[int, int], int] = {}
        self._last = (0, 0)

    def look(self, lines: GuestLines | None = None) -> Stopped:
        """Return the stopped CPU's next instruction; raises as `stopped_at`.

        Args:
            lines: Begins anew, with what a stop here took the last time.
        """
        expected = self._after.get(self._last)
        if lines is not None:
            stopped = self._look_at_lines(expected or 0, lines)
        else:
            stopped = stopped_at(self._gdb) if expected is None else self._look_with(expected)
        if len(self._after) < _MAX_STOPS or self._last in self._after:
            self._after[self._last] = stopped.registers.pc
        self._last = self._last[1], stopped.registers.pc
        return stopped

    def _look_with(self, expected: int) -> Stopped:
        packets = [READ_REGISTERS, read_memory(expected, _CODE_BYTES)]
        answers = self._gdb.request_all(packets)
        registers = parse_registers(answers[0])
        if registers.pc == expected and not answers[1].startswith(b"E"):
            return _stopped(parse_memory(answers[1]), registers)
        return stopped_at(self._gdb, registers)

    def _look_at_lines(self, expected: int, lines: GuestLines) -> Stopped:
        registers, *memory = self._gdb.request_all([READ_REGISTERS, *lines.packets(expected)])
        core = parse_registers(registers)
        lines.begin(core.pc, expected, memory)
        code = lines.read(core.pc, MAX_INSTRUCTION_BYTES)
        return stopped_at(self._gdb, core) if code is None else _stopped(code, core)


def carry_out(
    stopped: Stopped, load: Callable[[Access], int], store: Callable[[Access, int], None]
) -> dict[int, int]:
    """Do what the instruction does.

    Args:
        stopped: The instruction.
        load: Returns the register's new value.
        store: Takes the register's value.

    Returns:
        The registers' new values by number, PC always among them.
    """
    instruction, registers = stopped.instruction, stopped.registers
    changes: dict[int, int] = {}
    base = instruction.base_after(registers.general)
    if base is not None:
        changes[instruction.base] = base
    for access in instruction.accesses(registers.general):
        if access.is_load:
            changes[access.register] = load(access)
        else:
            store(access, registers.general[access.register])
    changes[gdb_client.PC] = registers.pc + instruction.size_bytes
    after = advance_it(registers.xpsr)
    if after != registers.xpsr:
        changes[gdb_client.XPSR] = after
    return changes


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
