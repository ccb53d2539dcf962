# SPDX-License-Identifier: Apache-2.0
"""Follow the program from one access that the bridge serves to the next, without starting the CPU.

A stop of QEMU's costs as much as hundreds of instructions here. So the few between two accesses are
carried out on copies of registers and memory. What is found on the way and not known, or reaches
other than memory, ends it: the CPU then goes on behind the last access, as if nobody had looked.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

from open_board.emulation import Stopped, advance_it
from open_board.gdb_client import CoreRegisters
from open_board.guest_lines import LINE_BYTES, LINE_SHIFT, GuestLines
from open_board.instruction import MAX_INSTRUCTION_BYTES, LoadStore, decode_memory
from open_board.machine import is_memory, is_npu_memory
from open_board.paths import Recording, Step
from open_board.spans import Span
from open_board.thumb import IT_MASK, PC, SP, Cpu, Effect, condition_holds, decode_plain, is_code

_MAX_BETWEEN = 256  # instructions from one access to the next
_MAX_AHEAD = 12  # instructions to a place that is right ahead
_MAX_INSTRUCTIONS = 4096  # in one stop
_MAX_DECODED = 1 << 16
_MAX_FAILURES = 2  # in a row, behind the same access
# ICIALLU to BPIALL: QEMU has no caches, and ignores what is written there.
_MAINTENANCE = range(0xE000EF50, 0xE000EF7C)
_STACK_SHIFT = _PAGE_SHIFT = 12
_LAST_HALF = LINE_BYTES - 2


@dataclass(frozen=True, slots=True)
class _Decoded:
    """An instruction: either one that reaches memory, or one with another effect."""

    size_bytes: int
    memory: LoadStore | None
    effect: Effect | None
    begins_it: bool = False


class Lookahead:
    """Finds the next access that is served.

    Attributes:
        instructions: How many were carried out that QEMU has not seen.
        lines: Memory as the CPU sees it.
    """

    def __init__(
        self,
        lines: GuestLines,
        served: Sequence[Span],
        breakpoints: set[int],
        read_only: Sequence[Span] = (),
        *,
        careful: bool = False,
    ) -> None:
        """Look at the stopped CPU.

        Args:
            lines: Its memory.
            served: Start and size in bytes of what is served.
            breakpoints: Where the CPU has to stop.
            read_only: Parts of the program, start and end, that the CPU may not be able to write.
            careful: Leave what the NPU reaches, and the cache's maintenance, to the CPU.
        """
        self.instructions = 0
        self.lines = lines
        self._served = [(start, start + size_bytes) for start, size_bytes in served]
        self._served_pages = {
            page
            for start, end in self._served
            for page in range(start >> _PAGE_SHIFT, (end - 1 >> _PAGE_SHIFT) + 1)
        }
        self._breakpoints = breakpoints
        self._read_only = read_only
        self._careful = careful
        self._decoded: dict[int, _Decoded | None] = {}
        self._code: dict[int, bytes] = {}  # lines that these were decoded from
        self._unchanged: set[int] = set()  # those that are so still, in this stop
        self._failures: dict[int, int] = {}
        # Where the CPU itself has been: its stack is at least as large. By part of memory.
        self._lowest_sp: dict[int, int] = {}
        self._left = 0

    def begin(self, registers: CoreRegisters) -> None:
        """Note a stop of the CPU."""
        self._left = _MAX_INSTRUCTIONS
        self._unchanged.clear()
        sp = registers.general[SP]
        part = sp >> _STACK_SHIFT
        self._lowest_sp[part] = min(sp, self._lowest_sp.get(part, sp))

    def end(self) -> list[bytes]:
        """Return the packets that write what the instructions have written to memory."""
        self.lines.end()
        return self.lines.take_writes()

    def next_access(
        self, registers: CoreRegisters, behind: int, recording: Recording | None = None
    ) -> Stopped | None:
        """Return the next access that is served; None if it is not near, and nothing is changed.

        Args:
            registers: The CPU's.
            behind: Address of the last access's instruction.
            recording: Notes what it depends on.
        """
        self.lines.mark()
        if self._failures.get(behind, 0) >= _MAX_FAILURES:
            return None
        general = recording.begin(registers) if recording else list(registers.general)
        cpu = Cpu(general, registers.xpsr)
        found, passed = self._follow(cpu)
        if recording is not None:
            recording.followed(cpu.general, passed, found=found is not None)
        if found is None:
            self._failures[behind] = self._failures.get(behind, 0) + passed
            self.lines.undo()
            return None
        self._failures[behind] = 0
        self.instructions += passed
        self._left -= passed
        return Stopped(found, CoreRegisters(tuple(cpu.general), cpu.xpsr), b"")

    def repeat(self, step: Step) -> None:
        """Do again what a path did between two accesses; all that it depends on is as it was."""
        self.lines.mark()
        for address, data in step.writes:
            self.lines.write(address, data)
        self.instructions += step.passed
        self._left -= step.passed

    def reach(self, registers: CoreRegisters, addresses: Container[int]) -> CoreRegisters | None:
        """Return the registers at the first of ``addresses`` that the CPU comes to right ahead.

        None if it does not, or what it does until then is not known.
        """
        cpu = Cpu(list(registers.general), registers.xpsr)
        self.lines.mark()
        for passed in range(_MAX_AHEAD):
            if cpu.general[PC] in addresses:
                self.instructions += passed
                return CoreRegisters(tuple(cpu.general), cpu.xpsr)
            decoded = self._decode(cpu.general[PC])
            if decoded is None or self._step(cpu, decoded) is not None:
                break
        self.lines.undo()
        return None

    def load(self, registers: CoreRegisters) -> CoreRegisters | None:
        """Return the registers behind the next instruction, a load; None if it is not known."""
        decoded = self._decode(registers.pc)
        memory = decoded.memory if decoded is not None else None
        return self.reach(registers, {registers.pc + memory.size_bytes}) if memory else None

    def address_before(self, registers: CoreRegisters) -> int | None:
        """Return what the last load before the CPU's instruction has read, to all appearances.

        None if no load of one register is near, or it was not of memory.
        """
        self.lines.begin(registers.pc, 0)
        self.begin(registers)
        for start in range(registers.pc - 4, registers.pc - 2 * _MAX_AHEAD, -2):
            load = self._load_at(start, registers.pc)
            if load is not None:
                address = load.start(registers.general)
                known = is_memory(address, load.span_bytes)
                return address if known and (not self._careful or self._is_own(address)) else None
        return None

    def _load_at(self, start: int, end: int) -> LoadStore | None:
        """Return the load at ``start``, if others without memory follow up to ``end``."""
        decoded = self._decode(start)
        load = decoded.memory if decoded is not None else None
        if load is None or not load.form.is_load or len(load.registers) > 1 or load.base == PC:
            return None
        at = start + load.size_bytes
        while at < end:
            decoded = self._decode(at)
            if decoded is None or decoded.memory is not None:
                return None
            at += decoded.size_bytes
        return load if at == end else None

    def _follow(self, cpu: Cpu) -> tuple[LoadStore | None, int]:
        """Carry instructions out up to a served access; return it and their number.

        Without an access the number is 0 if it may be found another time.
        """
        general = cpu.general
        lowest = self._lowest_sp.get(general[SP] >> _STACK_SHIFT, general[SP])
        for passed in range(min(self._left, _MAX_BETWEEN)):
            pc = general[PC]
            decoded = self._decoded.get(pc) if pc >> LINE_SHIFT in self._unchanged else None
            decoded = decoded or self._decode(pc)
            if decoded is None or pc in self._breakpoints:
                break
            if decoded.effect is not None and not cpu.xpsr & IT_MASK:
                general[PC] = pc + decoded.size_bytes
                decoded.effect(cpu)
            elif (ended := self._step(cpu, decoded)) is not None:
                if ended:
                    return decoded.memory, passed
                break
            if general[SP] < lowest:
                return None, 0
        return None, 1

    def _step(self, cpu: Cpu, decoded: _Decoded) -> bool | None:
        """Carry one instruction out; True if it reaches what is served, False if the CPU has to."""
        general, memory, pc = cpu.general, decoded.memory, cpu.general[PC]
        in_block = cpu.xpsr & IT_MASK
        runs = not in_block or condition_holds(cpu)
        address = memory.start(general) if runs and memory is not None else 0
        if address >> _PAGE_SHIFT in self._served_pages and self._is_served(memory, address):
            return True
        general[PC] = pc + decoded.size_bytes
        if runs and memory is not None:
            if not self._reach_memory(general, memory, address):
                return False
        elif runs and decoded.effect is not None:
            decoded.effect(cpu)
        if in_block and not decoded.begins_it:
            cpu.xpsr = advance_it(cpu.xpsr)
        return None

    def _is_served(self, memory: LoadStore | None, address: int) -> bool:
        if memory is None:
            return False
        end = address + memory.span_bytes
        return any(start <= address and end <= stop for start, stop in self._served)

    # -- code ----------------------------------------------------------------------------

    def _decode(self, pc: int) -> _Decoded | None:
        """Return the instruction at an address; it is decoded again where memory has changed."""
        number = pc >> LINE_SHIFT
        if not self._is_unchanged(number) or (
            pc % LINE_BYTES == _LAST_HALF and not self._is_unchanged(number + 1)
        ):
            return None
        if pc in self._decoded:
            return self._decoded[pc]
        code = self.lines.read(pc, MAX_INSTRUCTION_BYTES)
        if len(self._decoded) >= _MAX_DECODED:
            self._decoded.clear()
        decoded = self._decoded[pc] = None if code is None else _decode(code, pc)
        return decoded

    def _is_unchanged(self, number: int) -> bool:
        """Forget what was decoded from a line if it has changed; False if there is none."""
        if number in self._unchanged:
            return True
        line = self.lines.line(number) if number >= 0 else None
        if line is None:
            return False
        if self._code.get(number, b"") != line:
            start = number << LINE_SHIFT
            for pc in range(start - 2, start + LINE_BYTES, 2):
                self._decoded.pop(pc, None)
            self._code[number] = bytes(line)
        self._unchanged.add(number)
        self.lines.note_line(number)
        return True

    # -- memory --------------------------------------------------------------------------

    @staticmethod
    def _is_own(address: int) -> bool:
        """Tell whether memory is the CPU's alone."""
        return is_memory(address, 1) and not is_npu_memory(address)

    def _reach_memory(self, general: list[int], memory: LoadStore, address: int) -> bool:
        """Load or store; False if the CPU has to do it."""
        if self._careful and not self._is_own(address):
            return False
        form, size_bytes = memory.form, memory.form.size_bytes
        base = memory.base_after(general)
        if not form.is_load:
            data = b"".join(
                (general[register] & (1 << 8 * size_bytes) - 1).to_bytes(size_bytes, "little")
                for register in memory.registers
            )
            if not self._store(address, data):
                return False
        if base is not None:
            general[memory.base] = base
        return not form.is_load or self._load(general, memory, address)

    def _load(self, general: list[int], memory: LoadStore, address: int) -> bool:
        size_bytes, signed = memory.form.size_bytes, memory.form.is_signed
        if len(memory.registers) == 1 and memory.registers[0] != PC:
            data = self.lines.read(address, size_bytes)
            if data is None:
                return False
            value = int.from_bytes(data, "little", signed=signed) & 0xFFFFFFFF
            general[memory.registers[0]] = value
            return True
        data = self.lines.read(address, memory.span_bytes)
        if data is None:
            return False
        for position, register in enumerate(memory.registers):
            part = data[position * size_bytes : (position + 1) * size_bytes]
            value = int.from_bytes(part, "little", signed=signed) & 0xFFFFFFFF
            if register == PC:
                if not is_code(value):
                    return False
                value &= ~1
            general[register] = value
        return True

    def _store(self, address: int, data: bytes) -> bool:
        if address in _MAINTENANCE:
            return True
        end = address + len(data)
        for start, stop in self._read_only:
            if start < end and address < stop:
                return False
        self._unchanged.discard(address >> LINE_SHIFT)
        self._unchanged.discard(end - 1 >> LINE_SHIFT)
        return self.lines.write(address, data)


def _decode(code: bytes, address: int) -> _Decoded | None:
    plain = decode_plain(code, address)
    if plain is not None:
        return _Decoded(*plain)
    memory = decode_memory(code, address)
    return None if memory is None else _Decoded(memory.size_bytes, memory, None)
