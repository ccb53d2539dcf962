# SPDX-License-Identifier: Apache-2.0
"""Carry out Thumb instructions that reach no memory: moves, arithmetic, branches, IT.

Names and semantics are those of the Armv8-M Architecture Reference Manual. What is not known here
is left to QEMU: the decoder returns None.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from open_board.instruction import disassemble, register_number

SP, LR, PC = 13, 14, 15
_MASK, _SIGN = 0xFFFFFFFF, 0x80000000
_N, _Z, _C, _V = 1 << 31, 1 << 30, 1 << 29, 1 << 28
IT_MASK = 0b11 << 25 | 0x3F << 10
_REGISTER, _IMMEDIATE = 1, 2  # capstone's ARM_OP_REG and ARM_OP_IMM
_ALWAYS = 15  # capstone's ARM_CC_AL
_SHIFTS = {1: "asr", 2: "lsl", 3: "lsr", 4: "ror"}  # capstone's arm_shifter
_MAX_BYTE = 0xFF
_CONDITIONS = ["eq", "ne", "hs", "lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le"]
_BRANCHES = {"b", *(f"b{condition}" for condition in _CONDITIONS), "cbz", "cbnz", "bl", "bx", "blx"}


@dataclass(slots=True)
class Cpu:
    """The registers that these instructions change.

    Attributes:
        general: R0 to R15; PC is the address of the instruction that runs next.
        xpsr: Flags, ITSTATE and exception number.
    """

    general: list[int]
    xpsr: int

    def set_flags(self, result: int, carry: int, overflow: int | None = None) -> None:
        """Set N, Z and C, and V unless ``overflow`` is None."""
        kept = ~(_N | _Z | _C) if overflow is None else ~(_N | _Z | _C | _V)
        flags = result & _N | (0 if result else _Z) | (_C if carry else 0)
        self.xpsr = self.xpsr & kept & _MASK | flags | (_V if overflow else 0)


Effect = Callable[[Cpu], None]
_Operand = Callable[[Cpu], tuple[int, int]]  # its value, and the carry behind it


class _UnknownError(Exception):
    """An instruction, or a form of it, that is left to QEMU."""


def condition_holds(cpu: Cpu) -> bool:
    """Tell whether the next instruction runs: always, but for what an IT block excludes."""
    state = cpu.xpsr >> 25 & 0b11 | cpu.xpsr >> 8 & 0xFC
    return not state & 0xF or _holds(state >> 4, cpu.xpsr)


def _test(condition: int, flags: int) -> bool:
    """Evaluate a condition for N, Z, C and V, in this order from bit 3."""
    n, z, c, v = (bool(flags >> bit & 1) for bit in (3, 2, 1, 0))
    tests = (z, c, n, v, c and not z, n == v, n == v and not z, True)
    return tests[condition >> 1] != bool(condition & 1 and condition < 0xF)


_HOLDS = tuple(tuple(_test(condition, flags) for flags in range(16)) for condition in range(16))


def _holds(condition: int, xpsr: int) -> bool:
    return _HOLDS[condition][xpsr >> 28]


def decode_plain(code: bytes, address: int) -> tuple[int, None, Effect, bool] | None:
    """Return size in bytes, None, effect, and whether it is IT, of what begins ``code``.

    The effect is for a CPU whose PC is behind the instruction already, and sets it only for a
    branch that is taken. None if the instruction is not known here.
    """
    if code[1] == 0xBF and code[0] & 0xF:
        return 2, None, _it(code[0]), True
    instruction = disassemble(code, address)
    if instruction is None:
        return None
    name = instruction.mnemonic.removesuffix(".w")
    try:
        return instruction.size, None, _effect(name, instruction, address), False
    except _UnknownError:
        return None


def _it(state: int) -> Effect:
    bits = (state & 0b11) << 25 | (state & 0xFC) << 8

    def begin(cpu: Cpu) -> None:
        cpu.xpsr = cpu.xpsr & ~IT_MASK | bits

    return begin


def _effect(name: str, instruction: Any, address: int) -> Effect:
    if name in ("nop", "dsb", "dmb", "isb"):
        return lambda _cpu: None
    if name in _BRANCHES:
        return _branch(name, instruction, address)
    if name in _COMPARISONS:
        return _comparison(name, instruction)
    if name in _WHOLE:
        return _whole(name, instruction)
    # By the name: capstone's update_flags is set for the wide ADC and SBC, too.
    sets = name.removesuffix("s") if name.endswith("s") else None
    flags = _never if sets is None else _outside_it if instruction.size == 2 else _ever
    for table, make in _FLAGGED:
        if (sets or name) in table:
            return make(sets or name, instruction, flags)
    raise _UnknownError


def _branch(name: str, instruction: Any, address: int) -> Effect:
    *tested, target = instruction.operands
    behind = address + instruction.size
    link = behind | 1 if name in ("bl", "blx") else None
    if target.type == _REGISTER:
        return _branch_to_register(_register(target), link)
    to = target.imm & _MASK

    def jump(cpu: Cpu) -> None:
        if link is not None:
            cpu.general[LR] = link
        cpu.general[PC] = to

    if tested:
        register, wanted = _register(tested[0]), name == "cbz"
        return lambda cpu: jump(cpu) if (cpu.general[register] == 0) == wanted else None
    if instruction.cc != _ALWAYS:
        condition = instruction.cc - 1
        return lambda cpu: jump(cpu) if _holds(condition, cpu.xpsr) else None
    return jump


def _branch_to_register(register: int, link: int | None) -> Effect:
    def jump(cpu: Cpu) -> None:
        target = cpu.general[register]
        if link is not None:
            cpu.general[LR] = link
        # Bit 0 clear or EXC_RETURN: no instruction will be found there, and QEMU carries it out.
        cpu.general[PC] = target & ~1 if is_code(target) else -1

    return jump


def is_code(target: int) -> bool:
    """Tell whether a branch to a register's value is a plain one, to Thumb code."""
    return bool(target & 1) and target < 0xF0000000


# -- operands -----------------------------------------------------------------------------


def _register(operand: Any) -> int:
    if operand.type != _REGISTER:
        raise _UnknownError
    number = register_number(operand.reg)
    if number is None or number == PC:
        raise _UnknownError
    return number


def _operand(operand: Any) -> _Operand:
    if operand.type == _IMMEDIATE:
        return _immediate(operand.imm & _MASK)
    register = _register(operand)
    if not operand.shift.type:
        return lambda cpu: (cpu.general[register], cpu.xpsr & _C)
    kind, amount = _SHIFTS.get(operand.shift.type), operand.shift.value
    if kind is None:
        raise _UnknownError
    return lambda cpu: shifted(kind, cpu.general[register], amount, cpu.xpsr & _C)


def _immediate(value: int) -> _Operand:
    """Return a modified immediate; one that is a rotated byte has a carry of its own."""
    byte = value & _MAX_BYTE or value >> 8 & _MAX_BYTE
    copies = (byte * 0x00010001, byte * 0x01000100, byte * 0x01010101)
    if value <= _MAX_BYTE or value in copies:
        return lambda cpu: (value, cpu.xpsr & _C)
    return lambda _cpu: (value, value & _SIGN)


def shifted(kind: str, value: int, amount: int, carry: int) -> tuple[int, int]:
    """Return a register's value after a shift by 0 to 255, and the carry."""
    if amount == 0:
        return value, carry
    if kind == "ror":
        amount %= 32
        result = (value >> amount | value << 32 - amount) & _MASK
        return result, result & _SIGN
    if kind == "lsl":
        wide = value << min(amount, 33)
        return wide & _MASK, wide >> 32 & 1
    if kind == "asr" and value & _SIGN:
        value -= 1 << 32
    amount = min(amount, 33)
    return value >> amount & _MASK, value >> amount - 1 & 1


def _set(cpu: Cpu, register: int, value: int) -> None:
    cpu.general[register] = value & (~3 if register == SP else _MASK)


def _never(_cpu: Cpu) -> bool:
    return False


def _outside_it(cpu: Cpu) -> bool:
    """A 16-bit instruction sets no flags inside of an IT block."""
    return not cpu.xpsr & IT_MASK


def _ever(_cpu: Cpu) -> bool:
    return True


def _three(instruction: Any) -> tuple[int, int, _Operand]:
    """Return destination, first and second operand of ``op Rd{, Rn}, operand``."""
    operands = instruction.operands
    if len(operands) not in (2, 3):
        raise _UnknownError
    target = _register(operands[0])
    return target, _register(operands[-2]), _operand(operands[-1])


# -- kinds of instructions ----------------------------------------------------------------


def _add(x: int, y: int, carry: int) -> tuple[int, int, int]:
    """Return sum, carry and overflow."""
    wide = x + y + carry
    result = wide & _MASK
    return result, wide >> 32, (~(x ^ y) & (x ^ result)) >> 31 & 1


_SUMS: Mapping[str, Callable[[int, int, int], tuple[int, int, int]]] = {
    "add": lambda x, y, _c: _add(x, y, 0),
    "addw": lambda x, y, _c: _add(x, y, 0),
    "adc": _add,
    "sub": lambda x, y, _c: _add(x, y ^ _MASK, 1),
    "subw": lambda x, y, _c: _add(x, y ^ _MASK, 1),
    "sbc": lambda x, y, c: _add(x, y ^ _MASK, c),
    "rsb": lambda x, y, _c: _add(x ^ _MASK, y, 1),
}
_PLAIN_SUMS = {"add": 1, "addw": 1, "sub": -1, "subw": -1}
_LOGICAL: Mapping[str, Callable[[int, int], int]] = {
    "and": lambda x, y: x & y,
    "orr": lambda x, y: x | y,
    "eor": lambda x, y: x ^ y,
    "bic": lambda x, y: x & ~y,
    "orn": lambda x, y: x | y ^ _MASK,
}
_COMPARISONS = {"cmp": _SUMS["sub"], "cmn": _SUMS["add"], "tst": None, "teq": None}
_MOVES = {"mov": 0, "movw": 0, "mvn": _MASK}
_SHIFTED = ("lsl", "lsr", "asr", "ror")


def _sum(name: str, instruction: Any, flags: Callable[[Cpu], bool]) -> Effect:
    target, first, second = _three(instruction)
    if flags is _never and target != SP and name in _PLAIN_SUMS:
        return _plain_sum(target, first, instruction.operands[-1], _PLAIN_SUMS[name])
    add = _SUMS[name]

    def run(cpu: Cpu) -> None:
        value, _ = second(cpu)
        result, carry, overflow = add(cpu.general[first], value, cpu.xpsr >> 29 & 1)
        if flags(cpu):
            cpu.set_flags(result, carry, overflow)
        _set(cpu, target, result)

    return run


def _plain_sum(target: int, first: int, last: Any, sign: int) -> Effect:
    """Add or subtract without flags, which most address arithmetic is."""
    if last.type == _IMMEDIATE:
        offset = sign * last.imm

        def add_immediate(cpu: Cpu) -> None:
            cpu.general[target] = (cpu.general[first] + offset) & _MASK

        return add_immediate
    value = _operand(last)

    def add(cpu: Cpu) -> None:
        cpu.general[target] = (cpu.general[first] + sign * value(cpu)[0]) & _MASK

    return add


def _logical(name: str, instruction: Any, flags: Callable[[Cpu], bool]) -> Effect:
    target, first, second = _three(instruction)
    combine = _LOGICAL[name]

    def run(cpu: Cpu) -> None:
        value, carry = second(cpu)
        result = combine(cpu.general[first], value) & _MASK
        if flags(cpu):
            cpu.set_flags(result, carry)
        _set(cpu, target, result)

    return run


def _comparison(name: str, instruction: Any) -> Effect:
    first, second = _register(instruction.operands[0]), _operand(instruction.operands[1])
    add = _COMPARISONS[name]

    def compare(cpu: Cpu) -> None:
        value, carry = second(cpu)
        if add is not None:
            cpu.set_flags(*add(cpu.general[first], value, 0))
        elif name == "tst":
            cpu.set_flags(cpu.general[first] & value, carry)
        else:
            cpu.set_flags(cpu.general[first] ^ value, carry)

    return compare


def _move(name: str, instruction: Any, flags: Callable[[Cpu], bool]) -> Effect:
    target, source = _register(instruction.operands[0]), _operand(instruction.operands[1])
    turned = _MOVES[name]
    if flags is _never and target != SP and not turned:
        return lambda cpu: cpu.general.__setitem__(target, source(cpu)[0])

    def run(cpu: Cpu) -> None:
        value, carry = source(cpu)
        result = value ^ turned
        if flags(cpu):
            cpu.set_flags(result, carry)
        _set(cpu, target, result)

    return run


def _shift_operation(name: str, instruction: Any, flags: Callable[[Cpu], bool]) -> Effect:
    target, first, second = _three(instruction)

    def run(cpu: Cpu) -> None:
        amount = second(cpu)[0] & _MAX_BYTE
        result, carry = shifted(name, cpu.general[first], amount, cpu.xpsr & _C)
        if flags(cpu):
            cpu.set_flags(result, carry)
        _set(cpu, target, result)

    return run


_FLAGGED: Sequence[tuple[Container[str], Callable[[str, Any, Callable[[Cpu], bool]], Effect]]] = (
    (_SUMS, _sum),
    (_LOGICAL, _logical),
    (_MOVES, _move),
    (_SHIFTED, _shift_operation),
)


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> bits - 1 & 1 else value


_WHOLE: Mapping[str, Callable[..., int]] = {
    # Of the destination's old value and all other operands' values.
    "uxtb": lambda _old, x: x & 0xFF,
    "uxth": lambda _old, x: x & 0xFFFF,
    "sxtb": lambda _old, x: _signed(x & 0xFF, 8),
    "sxth": lambda _old, x: _signed(x & 0xFFFF, 16),
    "movt": lambda old, x: old & 0xFFFF | x << 16,
    "ubfx": lambda _old, x, lsb, width: x >> lsb & (1 << width) - 1,
    "sbfx": lambda _old, x, lsb, width: _signed(x >> lsb & (1 << width) - 1, width),
    "clz": lambda _old, x: 32 - x.bit_length(),
    "mul": lambda _old, x, y: x * y,
    "udiv": lambda _old, x, y: x // y if y else 0,
    "mla": lambda _old, x, y, z: x * y + z,
    "mls": lambda _old, x, y, z: z - x * y,
}


def _whole(name: str, instruction: Any) -> Effect:
    """An instruction that sets no flags."""
    target, *others = instruction.operands
    register, operation = _register(target), _WHOLE[name]
    if any(each.shift.type for each in others):
        raise _UnknownError
    operands = [_operand(each) for each in others]
    if len(operands) != operation.__code__.co_argcount - 1:
        raise _UnknownError

    def run(cpu: Cpu) -> None:
        values = [operand(cpu)[0] for operand in operands]
        _set(cpu, register, operation(cpu.general[register], *values))

    return run
