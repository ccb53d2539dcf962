# SPDX-License-Identifier: Apache-2.0
"""Watch a program's use of the data cache and of the UART, and refuse what a board would not bear.

The CPU is stopped before each access to the maintenance registers, to CCR, to the UART, and before
it reads memory that the NPU has written and the CPU not invalidated.
"""

from __future__ import annotations

from collections.abc import Callable

from open_board import uart_device
from open_board.caches import FIRST_OPERATION, OPERATIONS_BYTES, CachedMemory
from open_board.emulation import Stopped, Stops, carry_out, loaded_value
from open_board.gdb_client import GdbClient, Stop, watch_packet, write_register
from open_board.instruction import MAX_INSTRUCTION_BYTES, Access, memory_operand
from open_board.job import RunError
from open_board.realism import Realism
from open_board.uart_device import UartDevice

_CCR, _CCR_BYTES = 0xE000ED14, 4
_CCR_DC, _CCR_IC = 1 << 16, 1 << 17
_UART_CHECKED_BYTES = 256  # a program polls in the same way ever after
_MAX_STALE_WATCHES = 16

_WRITES, _READS, _BOTH = 2, 3, 4
_UART_WATCH = (_BOTH, uart_device.ADDRESS, uart_device.SIZE_BYTES)


def _ignore(_access: Access, _value: int) -> None:
    """Carry out no store: there is none."""


class StrictBoard:
    """The checks of one run."""

    def __init__(
        self,
        gdb: GdbClient,
        memory: CachedMemory,
        realism: Realism,
        is_running: Callable[[], bool],
        place: Callable[[int], str],
        send: Callable[[bytes], None],
    ) -> None:
        """Check the CPU behind ``gdb``.

        Args:
            gdb: The CPU.
            memory: What the NPU sees.
            realism: Refuses what the checks find.
            is_running: Tells whether the NPU is at work.
            place: Names the function at an address.
            send: Takes the bytes on the UART that are checked.
        """
        self._gdb = gdb
        self._stops = Stops(gdb)
        self._memory = memory
        self._is_running = is_running
        self._place = place
        self._send = send
        self._uart = UartDevice(realism)
        self._cache_bits = 0
        self._stale: set[tuple[int, int]] = set()

    def start(self) -> None:
        """Set the watchpoints, before the program starts."""
        self._gdb.change([watch_packet(*watch) for watch in self._watches()])

    @staticmethod
    def _watches() -> tuple[tuple[int, int, int], ...]:
        return (
            (_WRITES, FIRST_OPERATION, OPERATIONS_BYTES),
            (_BOTH, _CCR, _CCR_BYTES),
            _UART_WATCH,
        )

    def stopped(self, stop: Stop) -> list[bytes] | None:
        """Check the access before which the CPU has stopped.

        Returns:
            What to tell gdb before the CPU goes on; None if the stop is not of a watchpoint here.

        Raises:
            RunError: The access is refused.
        """
        if stop.watch_address == FIRST_OPERATION:
            return [*self._carry_out(self._stops.look(), 0, self._maintain), *self.packets()]
        if stop.watch_address == _CCR:
            return self._configure()
        if stop.watch_address == uart_device.ADDRESS:
            return self._serve_uart()
        watch = next((span for span in self._stale if span[0] == stop.watch_address), None)
        return self._check_read(watch) if watch is not None else None

    def packets(self) -> list[bytes]:
        """Return the packets that watch what has become stale, and no longer what has not."""
        wanted = set(_fewest(self._memory.stale()))
        gone, new = self._stale - wanted, wanted - self._stale
        self._stale = wanted
        return [
            *(watch_packet(_READS, a, b - a, remove=True) for a, b in sorted(gone)),
            *(watch_packet(_READS, a, b - a) for a, b in sorted(new)),
        ]

    def _maintain(self, access: Access, value: int) -> None:
        offset = access.address - FIRST_OPERATION
        self._memory.maintain(offset, value, self._is_running())

    def _configure(self) -> list[bytes]:
        """Serve an access to CCR: QEMU forgets the caches' bits, and programs ask for them."""
        stopped = self._stops.look()
        access = stopped.accesses[0]
        if access.is_load:
            known = int.from_bytes(self._gdb.read_memory(_CCR, _CCR_BYTES), "little")
            value = known | self._cache_bits
            return self._carry_out(stopped, value)
        self._cache_bits = stopped.registers.general[access.register] & (_CCR_DC | _CCR_IC)
        if self._cache_bits & _CCR_DC:
            self._memory.enable()
        return self._step_over((_BOTH, _CCR, _CCR_BYTES))

    def _serve_uart(self) -> list[bytes]:
        stopped = self._stops.look()
        access = stopped.accesses[0]
        offset = access.address - uart_device.ADDRESS
        if access.is_load and offset == uart_device.STATE:
            state = self._uart.read_state()
            return self._carry_out(stopped, state)
        value = stopped.registers.general[access.register]
        if not access.is_load:
            self._uart.write(offset, value)
        if not access.is_load and offset == uart_device.DATA and not self._uart.interrupts:
            # A step in QEMU would make it translate all code anew.
            self._send(bytes([value & 0xFF]))
            return [*self._carry_out(stopped, 0), *self._unwatched()]
        if self._uart.sent >= _UART_CHECKED_BYTES:
            return self._unwatched()
        return self._step_over(_UART_WATCH)

    def _unwatched(self) -> list[bytes]:
        """Watch the UART no longer, once enough has been checked."""
        if self._uart.sent < _UART_CHECKED_BYTES:
            return []
        return [watch_packet(*_UART_WATCH, remove=True)]

    @staticmethod
    def _carry_out(
        stopped: Stopped, word: int, store: Callable[[Access, int], None] = _ignore
    ) -> list[bytes]:
        """Carry out an access in the CPU's stead; loads find ``word``."""
        changes = carry_out(stopped, lambda each: loaded_value(each, word), store)
        return [write_register(number, value) for number, value in changes.items()]

    def _check_read(self, watch: tuple[int, int]) -> list[bytes]:
        registers = self._gdb.read_registers()
        code = self._gdb.read_memory(registers.pc, MAX_INSTRUCTION_BYTES)
        for address, size_bytes in _reads(code, registers.pc, registers.general):
            self._memory.check_cpu_read(address, size_bytes, lambda: self._place(registers.pc))
        return self._step_over((_READS, watch[0], watch[1] - watch[0]))

    def _step_over(self, watch: tuple[int, int, int]) -> list[bytes]:
        """Let the CPU itself carry out the access."""
        self._gdb.change([watch_packet(*watch, remove=True)])
        self._gdb.step()
        return [watch_packet(*watch)]


def _reads(code: bytes, pc: int, general: tuple[int, ...]) -> list[tuple[int, int]]:
    """Return address and size of what an instruction reads, vector loads among it."""
    try:
        from open_board.instruction import decode  # noqa: PLC0415

        accesses = decode(code, pc).accesses(general)
        return [(each.address, each.size_bytes) for each in accesses if each.is_load]
    except RunError:
        operand = memory_operand(code, pc, general)
        return [operand] if operand is not None else []


def _fewest(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join the nearest spans until QEMU need not watch too many."""
    joined = sorted(spans)
    while len(joined) > _MAX_STALE_WATCHES:
        gaps = [joined[i + 1][0] - joined[i][1] for i in range(len(joined) - 1)]
        at = gaps.index(min(gaps))
        joined[at : at + 2] = [(joined[at][0], joined[at + 1][1])]
    return joined
