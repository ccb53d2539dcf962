# SPDX-License-Identifier: Apache-2.0
"""Say in words what state a Cortex-M CPU is in: exception, fault bits, function."""

from __future__ import annotations

from open_board.gdb_client import CoreRegisters, GdbClient

# Exceptions that a program does not leave by itself if its handler is an endless loop.
FAULT_EXCEPTIONS = {
    3: "HardFault",
    4: "MemManage",
    5: "BusFault",
    6: "UsageFault",
    7: "SecureFault",
}

_CFSR = 0xE000ED28
_HFSR_OFFSET = 0x04
_HFSR_VECTTBL = 1 << 1
_HFSR_FORCED = 1 << 30
_BFAR_OFFSET = 0x10
_MMFAR_OFFSET = 0x0C
_FAULT_BLOCK_BYTES = 0x14  # CFSR, HFSR, DFSR, MMFAR, BFAR
_MMARVALID = 1 << 7
_BFARVALID = 1 << 15

# Bits of CFSR by position (Armv8-M ARM, "CFSR, Configurable Fault Status Register").
_CFSR_BITS = {
    0: "instruction access violation",
    1: "data access violation",
    3: "MPU fault while unstacking",
    4: "MPU fault while stacking",
    5: "MPU fault while saving FPU state",
    8: "bus error on an instruction fetch",
    9: "precise bus error",
    10: "imprecise bus error",
    11: "bus error while unstacking",
    12: "bus error while stacking",
    13: "bus error while saving FPU state",
    16: "undefined instruction",
    17: "invalid state (Thumb bit clear)",
    18: "invalid exception return",
    19: "no coprocessor",
    20: "stack overflow",
    24: "unaligned access",
    25: "division by zero",
}


def describe_fault(gdb: GdbClient) -> str:
    """Return the causes that the fault status registers name, in one line."""
    block = gdb.read_memory(_CFSR, _FAULT_BLOCK_BYTES)
    cfsr = int.from_bytes(block[:4], "little")
    causes = [text for bit, text in _CFSR_BITS.items() if cfsr >> bit & 1]
    hfsr = _word(block, _HFSR_OFFSET)
    if hfsr & _HFSR_VECTTBL:
        causes.append("vector table not readable")
    if hfsr & _HFSR_FORCED and not cfsr:
        # QEMU leaves DFSR at zero, so that is all that can be told.
        causes.append("breakpoint instruction (no semihosting here), or SVC while masked")
    if cfsr & _BFARVALID:
        causes.append(f"at address 0x{_word(block, _BFAR_OFFSET):08x}")
    elif cfsr & _MMARVALID:
        causes.append(f"at address 0x{_word(block, _MMFAR_OFFSET):08x}")
    return ", ".join(causes) or f"CFSR 0x{cfsr:08x}"


def _word(block: bytes, offset: int) -> int:
    return int.from_bytes(block[offset : offset + 4], "little")


def exception_name(registers: CoreRegisters) -> str:
    """Return the name of the exception being handled, or ``thread mode``."""
    number = registers.exception
    if number == 0:
        return "thread mode"
    return FAULT_EXCEPTIONS.get(number, f"the handler of exception {number}")
