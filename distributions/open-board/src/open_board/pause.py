# SPDX-License-Identifier: Apache-2.0
"""Let a caller exchange data with the program whenever that calls one function.

The board stands still meanwhile, as long as the caller likes, and costs no processor time. So a
program that is booted once can work on one input after another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ethosu_model.memory import Memory
from open_board.channel import Channel
from open_board.deadline import Deadline
from open_board.gdb_client import PC, GdbClient, Stop, write_register
from open_board.job import Outcome, RunError
from open_board.uart import UartWatch

_LINK = 14
_LINE_TIMEOUT_S = 2.0

# Called with the board's memory and with what the UART has sent since the last call. When it
# returns, the program goes on; it may raise a RunError, which ends the run.
Exchange = Callable[[Memory, bytes], None]


@dataclass(frozen=True)
class Pause:
    """Where the board stands still, and who is called then.

    Attributes:
        function: of the program, by its symbol; it is not executed, but returns to its caller.
        exchange: called in the thread of the run.
        last_line: what the program prints at the end of a line before it calls the function: all
            output up to there is waited for.
    """

    function: str
    exchange: Exchange
    last_line: bytes


class Pauses:
    """Carries out a `Pause` in one run."""

    def __init__(
        self,
        pause: Pause,
        entry: int,
        *,
        gdb: GdbClient,
        memory: Memory,
        channel: Channel,
        uart: UartWatch,
        deadline: Deadline,
    ) -> None:
        """Stop the halted CPU behind ``gdb`` whenever it comes to ``entry``.

        Args:
            pause: what to do there.
            entry: address of the function's first instruction.
            gdb: the CPU.
            memory: the board's.
            channel: the UART's bytes.
            uart: takes them; what it has collected is handed on and forgotten.
            deadline: begins again whenever the program goes on.
        """
        self._pause = pause
        self._entry = entry
        self._gdb = gdb
        self._memory = memory
        self._channel = channel
        self._uart = uart
        self._deadline = deadline
        gdb.insert_breakpoint(entry)

    def stopped(self, stop: Stop) -> list[bytes] | None:
        """Call the caller, if the CPU has stopped at the function.

        Returns:
            What to tell gdb before the CPU goes on; None if the stop has another cause.

        Raises:
            RunError: the caller ends the run, or the program's output is not complete.
        """
        if stop.watch_address is not None:
            return None
        registers = self._gdb.read_registers()
        if registers.pc != self._entry:
            return None
        self._receive()
        output = bytes(self._uart.output)
        self._uart.output.clear()
        self._pause.exchange(self._memory, output)
        self._deadline.restart()
        return [write_register(PC, registers.general[_LINK] & ~1)]

    def _receive(self) -> None:
        """Take from the UART what the program has printed before it stopped."""
        while not self._uart.output.endswith(self._pause.last_line):
            if not self._channel.readable(_LINE_TIMEOUT_S):
                raise RunError(
                    Outcome.SIMULATOR_FAILED,
                    f"the program called {self._pause.function}() without printing"
                    f" '{self._pause.last_line.decode().strip()}' before",
                )
            self._uart.feed(self._channel.receive(0))
