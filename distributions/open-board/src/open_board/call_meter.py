# SPDX-License-Identifier: Apache-2.0
"""Count the instructions that the CPU carries out in each call of one function.

QEMU's clock advances by a fixed time per instruction, and a counter of the board shows it.
But whenever the CPU stands at a breakpoint, QEMU lets the clock jump to the next timer event.
So no timer may run during a call: SysTick is switched off, which also keeps its interrupts out
of the count, and the others are given the chance to run out. A debugger's writes do not reach
devices: the CPU itself is made to carry out the store that switches SysTick.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from open_board.gdb_client import (
    PC,
    CoreRegisters,
    GdbClient,
    write_memory,
    write_register,
)
from open_board.job import Outcome, RunError

# The FPGAIO block of AN547: COUNTER advances at PRESCALE's rate, in QEMU at 20 MHz while that is 0.
_CLK100HZ, _COUNTER, _PRESCALE = 0x49302014, 0x49302018, 0x4930201C
_TICK_NS = 50
_WORD_MASK = 0xFFFFFFFF
_SYSTICK_CONTROL, _SYSTICK_ENABLE = 0xE000E010, 1

_STORE, _NOP = bytes.fromhex("0860"), bytes.fromhex("00bf")  # str r0, [r1]; nop
_LINK = 14
_STEADY_TICKS = 20
# The board's watchdog counts 37 hours from reset, twice.
_MOST_JUMPS = 4


class CallMeter:
    """Counts the instructions of each call of one function.

    Interrupts inside a call count too, but for SysTick's. The bridge carries out accesses to
    the NPU; QEMU does not count these.

    Attributes:
        counts: of the calls that have returned, each right to within two instructions.
    """

    def __init__(
        self,
        gdb: GdbClient,
        entry: int,
        instruction_ns: int,
        carried_out: Callable[[], int] = lambda: 0,
    ) -> None:
        """Stop the halted CPU behind ``gdb`` whenever it comes to ``entry``.

        Args:
            gdb: the CPU.
            entry: address of the function's first instruction.
            instruction_ns: what QEMU's clock advances by for each.
            carried_out: how many instructions were carried out so far in QEMU's stead.
        """
        self._gdb = gdb
        self._entry = entry
        self._instruction_ns = instruction_ns
        self._waiting_at = entry
        self._carried_out = carried_out
        self._systick = self._start_ticks = self._start_carried_out = 0
        self.counts: list[int] = []
        gdb.insert_breakpoint(entry)

    def serve(self) -> bool:
        """Count, if the stopped CPU is where it was waited for; then let it run on."""
        registers = self._gdb.read_registers()
        if registers.pc != self._waiting_at:
            return False
        self._gdb.remove_breakpoint(self._waiting_at)
        if registers.pc == self._entry:
            self._begin(registers)
        else:
            self._end(registers)
        self._gdb.insert_breakpoint(self._waiting_at)
        self._gdb.resume()
        return True

    def _begin(self, registers: CoreRegisters) -> None:
        self._waiting_at = registers.general[_LINK] & ~1
        self._systick = self._read(_SYSTICK_CONTROL)
        self._set_systick(registers, self._systick & ~_SYSTICK_ENABLE)
        self._wait_for_timers(registers)
        self._start_ticks = self._read(_COUNTER)
        self._start_carried_out = self._carried_out()

    def _end(self, registers: CoreRegisters) -> None:
        passed = self._read(_COUNTER) - self._start_ticks & _WORD_MASK
        carried_out = self._carried_out() - self._start_carried_out
        self.counts.append(round(passed * _TICK_NS / self._instruction_ns) + carried_out)
        self._waiting_at = self._entry
        self._set_systick(registers, self._systick)

    def _set_systick(self, registers: CoreRegisters, control: int) -> None:
        if self._systick & _SYSTICK_ENABLE:
            self._carry_out(_STORE, registers, {0: control, 1: _SYSTICK_CONTROL})

    def _wait_for_timers(self, registers: CoreRegisters) -> None:
        """Stop the CPU again and again until the clock no longer jumps."""
        for _ in range(_MOST_JUMPS):
            before = self._read(_COUNTER), self._read(_CLK100HZ)
            self._carry_out(_NOP, registers, {})
            after = self._read(_COUNTER), self._read(_CLK100HZ)
            passed, hundredths = (
                new - old & _WORD_MASK for old, new in zip(before, after, strict=True)
            )
            if passed <= _STEADY_TICKS and hundredths <= 1 and not self._read(_PRESCALE):
                return
        raise RunError(
            Outcome.SIMULATOR_FAILED,
            "instructions cannot be counted while a timer of the board other than SysTick runs",
        )

    def _carry_out(self, code: bytes, at: CoreRegisters, values: Mapping[int, int]) -> None:
        """Let the CPU run ``code`` with ``values`` in registers; all is as before afterwards."""
        place, end = at.pc, at.pc + len(code)
        original = self._gdb.read_memory(place, len(code))
        self._gdb.change([write_memory(place, code), *_writes(values)])
        self._gdb.insert_breakpoint(end)
        self._gdb.run_to_stop()
        if self._gdb.read_registers().pc != end:
            raise RunError(Outcome.SIMULATOR_FAILED, "QEMU did not stop at a breakpoint")
        self._gdb.remove_breakpoint(end)
        before = {number: at.general[number] for number in values}
        self._gdb.change([write_memory(place, original), *_writes({**before, PC: place})])

    def _read(self, address: int) -> int:
        return int.from_bytes(self._gdb.read_memory(address, 4), "little")


def _writes(values: Mapping[int, int]) -> list[bytes]:
    return [write_register(number, value) for number, value in values.items()]
