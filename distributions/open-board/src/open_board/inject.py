# SPDX-License-Identifier: Apache-2.0
"""Faults that a driver's tests ask the NPU to show, in front of an otherwise sound model."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from ethosu_model.memory import BusFault, Memory
from open_board.npu_registers import NpuRegisters, NpuWrapper

_STATUS = 0x04
_QBASE_LOW = 0x10
_STATUS_RESET = 1 << 3
_WORD_BYTES = 4
_NO_COMMAND = b"\xff\xff\xff\xff"


class Fault(Enum):
    """What can go wrong on request.

    Members:
        NO_IRQ: Jobs run, but the interrupt line never rises.
        BUS_FAULT: No memory answers the NPU.
        PARSE_ERROR: The first word of each command stream reads as no command.
        STUCK_RESET: STATUS says for ever that the reset goes on.
        EARLY_IRQ: Jobs are over, and interrupt, before the CPU's next instruction.
        LATE_IRQ: Jobs are over at the program's fourth sleep; a timer ends the others.
    """

    NO_IRQ = "no-irq"
    BUS_FAULT = "bus-fault"
    PARSE_ERROR = "parse-error"
    STUCK_RESET = "stuck-reset"
    EARLY_IRQ = "early-irq"
    LATE_IRQ = "late-irq"


NpuFactory = Callable[[Memory], NpuRegisters]


def with_fault(make_npu: NpuFactory, fault: Fault) -> NpuFactory:
    """Return a factory of NPUs that show ``fault``."""
    if fault in (Fault.EARLY_IRQ, Fault.LATE_IRQ):
        return make_npu  # `realism` is what changes
    if fault is Fault.NO_IRQ:
        return lambda memory: _NoInterrupt(make_npu(memory))
    if fault is Fault.STUCK_RESET:
        return lambda memory: _StuckReset(make_npu(memory))
    if fault is Fault.BUS_FAULT:
        return lambda _memory: make_npu(_SilentBus())
    return lambda memory: _with_parse_error(make_npu, memory)


class _NoInterrupt(NpuWrapper):
    @property
    def irq(self) -> bool:
        return False


class _StuckReset(NpuWrapper):
    def read_register(self, offset: int) -> int:
        value = super().read_register(offset)
        return value | _STATUS_RESET if offset == _STATUS else value


class _SilentBus:
    """Memory that never answers."""

    def read(self, address: int, size_bytes: int) -> bytes:  # noqa: ARG002
        raise BusFault(address)

    def write(self, address: int, data: bytes) -> None:  # noqa: ARG002
        raise BusFault(address)


class _CorruptStream:
    """Memory whose word at ``stream_address`` reads as no command."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.stream_address: Callable[[], int] = lambda: -1

    def read(self, address: int, size_bytes: int) -> bytes:
        data = self._memory.read(address, size_bytes)
        at = self.stream_address() - address
        if 0 <= at <= size_bytes - _WORD_BYTES:
            return data[:at] + _NO_COMMAND + data[at + _WORD_BYTES :]
        return data

    def write(self, address: int, data: bytes) -> None:
        self._memory.write(address, data)


def _with_parse_error(make_npu: NpuFactory, memory: Memory) -> NpuRegisters:
    corrupt = _CorruptStream(memory)
    npu = make_npu(corrupt)
    corrupt.stream_address = lambda: npu.read_register(_QBASE_LOW)
    return npu
