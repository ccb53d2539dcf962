# SPDX-License-Identifier: Apache-2.0
"""Decode the loads and stores with which a Cortex-M program reaches device registers.

Supported are the Thumb-2 forms that a compiler emits for memory-mapped I/O: single,
dual and multiple, bytes to words, with immediate or register offset, with or without
writeback. Names and semantics are those of the Armv8-M Architecture Reference Manual.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from open_board.job import Outcome, RunError

MAX_INSTRUCTION_BYTES = 4
_MEMORY_OPERAND = 3  # capstone's ARM_OP_MEM
_LONGEST_BYTES = 16

_PC = 15
_NAMED_REGISTERS = {"sb": 9, "sl": 10, "fp": 11, "ip": 12, "sp": 13, "lr": 14, "pc": 15}
_MASK = 0xFFFFFFFF


@dataclass(frozen=True)
class _Form:
    """What one mnemonic transfers.

    Attributes:
        is_load: Memory to register, or the other way.
        size_bytes: Bytes per register.
        is_signed: A load extends the sign.
        count: Registers named before the address; 0 for a register list behind it.
        descends: A register list below the base address.
    """

    is_load: bool
    size_bytes: int
    is_signed: bool = False
    count: int = 1
    descends: bool = False


_FORMS = {
    **dict.fromkeys(("ldr", "ldrt", "lda"), _Form(True, 4)),
    **dict.fromkeys(("ldrh", "ldrht", "ldah"), _Form(True, 2)),
    **dict.fromkeys(("ldrb", "ldrbt", "ldab"), _Form(True, 1)),
    **dict.fromkeys(("ldrsh", "ldrsht"), _Form(True, 2, is_signed=True)),
    **dict.fromkeys(("ldrsb", "ldrsbt"), _Form(True, 1, is_signed=True)),
    **dict.fromkeys(("str", "strt", "stl"), _Form(False, 4)),
    **dict.fromkeys(("strh", "strht", "stlh"), _Form(False, 2)),
    **dict.fromkeys(("strb", "strbt", "stlb"), _Form(False, 1)),
    "ldrd": _Form(True, 4, count=2),
    "strd": _Form(False, 4, count=2),
    "ldm": _Form(True, 4, count=0),
    "ldmdb": _Form(True, 4, count=0, descends=True),
    "stm": _Form(False, 4, count=0),
    "stmdb": _Form(False, 4, count=0, descends=True),
}
_STACK_FORMS = {"pop": _FORMS["ldm"], "push": _FORMS["stmdb"]}
_SP = 13


class Access(NamedTuple):
    """One transfer between a register and memory.

    Attributes:
        register: Number of the core register.
        address: Address of the transfer.
        size_bytes: 1, 2 or 4.
        is_load: From memory to the register.
        is_signed: The load extends the sign.
    """

    register: int
    address: int
    size_bytes: int
    is_load: bool
    is_signed: bool


@dataclass(frozen=True)
class LoadStore:
    """A decoded load or store.

    Attributes:
        text: The instruction in assembly language.
        size_bytes: Its length.
        form: What it transfers.
        registers: Registers transferred, in the order of their addresses.
        base: Base register.
        index: Index register, if any.
        index_shift: Left shift of the index.
        offset: Added to the base for the first address.
        writeback: Added to the base afterwards; None leaves the base alone.
    """

    text: str
    size_bytes: int
    form: _Form
    registers: tuple[int, ...]
    base: int
    index: int | None
    index_shift: int
    offset: int
    writeback: int | None

    @property
    def span_bytes(self) -> int:
        """Bytes from the first transfer to the end of the last."""
        return self.form.size_bytes * len(self.registers)

    def start(self, registers: Sequence[int]) -> int:
        """Return the address of the first transfer with these register values."""
        address = self.offset
        if self.base != _PC:
            address += registers[self.base]
        else:
            address += (registers[_PC] + 4) & ~3  # PC reads as the next word's address, aligned
        if self.index is not None:
            address += registers[self.index] << self.index_shift
        return address & _MASK

    def accesses(self, registers: Sequence[int]) -> Iterator[Access]:
        """Yield the transfers that the instruction makes with these register values."""
        form = self.form
        address = self.start(registers)
        for position, register in enumerate(self.registers):
            at = (address + position * form.size_bytes) & _MASK
            yield Access(register, at, form.size_bytes, form.is_load, form.is_signed)

    def base_after(self, registers: Sequence[int]) -> int | None:
        """Return the base register's new value, or None if it keeps the old one."""
        if self.writeback is None:
            return None
        return (registers[self.base] + self.writeback) & _MASK


@lru_cache(maxsize=1024)
def decode(code: bytes, address: int) -> LoadStore:
    """Decode the instruction that begins ``code``.

    Args:
        code: At least the instruction's bytes.
        address: Where it lies, for messages.

    Raises:
        RunError: It is not a load or store that this module knows.
    """
    instruction = disassemble(code, address)
    if instruction is None:
        raise _unsupported(f"0x{int.from_bytes(code, 'little'):08x}", address)
    result = _load_store(instruction)
    if result is None or _PC in result.registers:
        raise _unsupported(_text(instruction), address)
    return result


@lru_cache(maxsize=1024)
def decode_if_known(code: bytes, address: int) -> LoadStore | None:
    """Decode as `decode` does; None if it is no load or store that this module knows."""
    try:
        return decode(code, address)
    except RunError:
        return None


def decode_memory(code: bytes, address: int) -> LoadStore | None:
    """Decode as `decode_if_known` does, also what loads PC."""
    instruction = disassemble(code, address)
    return None if instruction is None else _load_store(instruction)


def memory_operand(code: bytes, address: int, registers: Sequence[int]) -> tuple[int, int] | None:
    """Return address and size in bytes of what an instruction with a memory operand reaches.

    For instructions that `decode` does not know, of the FPU and of Helium: at most 16 bytes, and no
    gathers and scatters. None if there is no such operand.
    """
    instruction = disassemble(code, address)
    if instruction is None:
        return None
    for operand in instruction.operands:
        if operand.type == _MEMORY_OPERAND and not operand.mem.index:
            base = registers[_number(operand.mem.base)]
            return (base + operand.mem.disp) & _MASK, _LONGEST_BYTES
    return None


def disassemble(code: bytes, address: int) -> Any:
    """Return capstone's instruction that begins ``code``, or None."""
    return next(_disassembler().disasm(code, address, 1), None)


@lru_cache(maxsize=1)
def _disassembler() -> Any:
    import capstone  # noqa: PLC0415 - loads while the program boots

    mode = capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS | capstone.CS_MODE_V8
    disassembler = capstone.Cs(capstone.CS_ARCH_ARM, mode)
    disassembler.detail = True
    return disassembler


def _text(instruction: Any) -> str:
    return f"{instruction.mnemonic} {instruction.op_str}".strip()


def _load_store(instruction: Any) -> LoadStore | None:
    name = instruction.mnemonic.removesuffix(".w")
    if name in _STACK_FORMS:
        return _stack_form(instruction, _STACK_FORMS[name])
    form = _FORMS.get(name)
    if form is None:
        return None
    load_store = _list_form if form.count == 0 else _address_form
    return load_store(_text(instruction), instruction, form)


def _stack_form(instruction: Any, form: _Form) -> LoadStore:
    """Read ``{Ra, Rb, ...}`` of PUSH and POP."""
    listed = sorted(_number(operand.reg) for operand in instruction.operands)
    span = form.size_bytes * len(listed)
    return LoadStore(
        text=_text(instruction),
        size_bytes=instruction.size,
        form=form,
        registers=tuple(listed),
        base=_SP,
        index=None,
        index_shift=0,
        offset=-span if form.descends else 0,
        writeback=-span if form.descends else span,
    )


def _address_form(text: str, instruction: Any, form: _Form) -> LoadStore:
    """Read ``Rt{, Rt2}, [Rn, ...]`` with an optional offset behind the brackets."""
    operands = instruction.operands
    memory = operands[form.count].mem
    behind = operands[form.count + 1].imm if instruction.post_index else 0
    return LoadStore(
        text=text,
        size_bytes=instruction.size,
        form=form,
        registers=tuple(_number(operand.reg) for operand in operands[: form.count]),
        base=_number(memory.base),
        index=_number(memory.index) if memory.index else None,
        index_shift=operands[form.count].shift.value,
        offset=memory.disp,
        writeback=memory.disp + behind if instruction.writeback else None,
    )


def _list_form(text: str, instruction: Any, form: _Form) -> LoadStore:
    """Read ``Rn{!}, {Ra, Rb, ...}``; the lowest register has the lowest address."""
    base, *listed = (_number(operand.reg) for operand in instruction.operands)
    span = form.size_bytes * len(listed)
    return LoadStore(
        text=text,
        size_bytes=instruction.size,
        form=form,
        registers=tuple(sorted(listed)),
        base=base,
        index=None,
        index_shift=0,
        offset=-span if form.descends else 0,
        writeback=(-span if form.descends else span) if instruction.writeback else None,
    )


@lru_cache(maxsize=32)
def _number(register: int) -> int:
    """Return the number of a core register from capstone's constant for it."""
    name = _disassembler().reg_name(register)
    return _NAMED_REGISTERS.get(name) or int(name.removeprefix("r"))


@lru_cache(maxsize=64)
def register_number(register: int) -> int | None:
    """Return the number of a core register from capstone's constant, None for any other."""
    name = _disassembler().reg_name(register) or ""
    if name in _NAMED_REGISTERS:
        return _NAMED_REGISTERS[name]
    return int(name[1:]) if name[:1] == "r" and name[1:].isdigit() else None


def _unsupported(text: str, address: int) -> RunError:
    return RunError(
        Outcome.BAD_ACCESS,
        f"the instruction at 0x{address:08x} reaches the NPU's registers in a way that is not "
        f"modelled: {text}; use ordinary 32-bit loads and stores",
    )
