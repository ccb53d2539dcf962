# SPDX-License-Identifier: Apache-2.0
"""Talk to QEMU's gdb stub: registers, memory, watchpoints, run and stop."""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from open_board.channel import Channel, ChannelClosedError
from open_board.deadline import Deadline
from open_board.gdb_packet import INTERRUPT, PacketError, PacketReader, frame
from open_board.job import Outcome, RunError

PC = 15
XPSR = 25
EXCEPTION_MASK = 0x1FF
SIGNAL_INTERRUPT = 2

_CORE_REGISTERS = 16
_WORD_DIGITS = 8
_WORDS = struct.Struct(f"<{_CORE_REGISTERS + 1}I")
CONTINUE = b"c"
READ_REGISTERS = b"g"
_WATCH_KEYS = (b"awatch", b"watch", b"rwatch")


@dataclass(frozen=True)
class Stop:
    """Why the CPU has stopped.

    Attributes:
        packet: The stop reply as the stub sent it.
        signal: Signal number of the reply; 2 after an interrupt, 5 at a trap.
        watch_address: Address of the watchpoint that was hit.
    """

    packet: bytes
    signal: int
    watch_address: int | None

    @classmethod
    def parse(cls, packet: bytes) -> Stop:
        """Read a stop reply of kind T or S.

        Raises:
            ChannelClosedError: The simulator says that it ends.
            RunError: The packet is something else.
        """
        if packet[:1] in (b"W", b"X"):
            raise ChannelClosedError("gdb")
        if packet[:1] not in (b"T", b"S"):
            raise _unexpected("stop reply", packet)
        fields = (item.partition(b":") for item in packet[3:].split(b";"))
        values = {key: value for key, _, value in fields}
        watch = next((values[key] for key in _WATCH_KEYS if key in values), None)
        return cls(packet, int(packet[1:3], 16), None if watch is None else int(watch, 16))


class CoreRegisters(NamedTuple):
    """R0 to R12, SP, LR, PC and xPSR.

    Attributes:
        general: R0 to R15.
        xpsr: The combined program status register.
    """

    general: tuple[int, ...]
    xpsr: int

    def changed(self, changes: Mapping[int, int]) -> CoreRegisters:
        """Return the registers with new values by number."""
        general = list(self.general)
        for number, value in changes.items():
            if number != XPSR:
                general[number] = value
        return CoreRegisters(tuple(general), changes.get(XPSR, self.xpsr))

    @property
    def pc(self) -> int:
        """Address of the instruction that runs next."""
        return self.general[PC]

    @property
    def exception(self) -> int:
        """Number of the exception being handled; 0 in thread mode."""
        return self.xpsr & EXCEPTION_MASK


class GdbClient:
    """The debugger's side of the protocol.

    QEMU's stub abandons its wait for an acknowledgement when the next packet begins, so
    none is sent and packets can be queued: one round trip serves several.

    Attributes:
        running: The CPU has been started, and no stop has been seen since.
        breakpoints: Where the CPU stops, by `insert_breakpoint`.
    """

    def __init__(self, channel: Channel, deadline: Deadline) -> None:
        """Use ``channel``; answers are due as ``deadline`` says."""
        self._channel = channel
        self._reader = PacketReader()
        self._deadline = deadline
        self._unconfirmed: deque[bytes] = deque()
        self.running = False
        self.breakpoints: set[int] = set()

    def fileno(self) -> int:
        """Return the descriptor that becomes readable at a stop."""
        return self._channel.fileno()

    @property
    def has_received(self) -> bool:
        """Bytes have been taken from the channel that `poll_stop` has yet to look at."""
        return self._reader.has_bytes

    def request(self, payload: bytes) -> bytes:
        """Send one packet and return its answer."""
        return self.request_all([payload])[0]

    def request_all(self, payloads: Sequence[bytes]) -> list[bytes]:
        """Send packets in one go and return their answers in order."""
        if not payloads:
            return []
        self._channel.send(b"".join(map(frame, payloads)))
        return [self._answer() for _ in payloads]

    def _answer(self) -> bytes:
        while True:
            payload = self._next_payload()
            if payload is not None:
                return payload
            self._reader.feed(self._channel.receive(self._deadline.answer_timeout_s))

    def _next_payload(self) -> bytes | None:
        try:
            payload = self._reader.next()
            while payload is not None and self._unconfirmed:
                check_ok(self._unconfirmed.popleft(), payload)
                payload = self._reader.next()
        except PacketError as cause:
            raise RunError(Outcome.SIMULATOR_FAILED, str(cause)) from cause
        return payload

    def resume(self, changes: Sequence[bytes] = (), packet: bytes = CONTINUE) -> None:
        """Let the CPU run; `poll_stop` tells when it has stopped.

        Args:
            changes: Packets to carry out before, each of which answers OK; that is checked when the
                answer has come.
            packet: The packet that starts the CPU.
        """
        self._channel.send(b"".join(map(frame, [*changes, packet])))
        self._unconfirmed += changes
        self.running = True

    def change(self, changes: Sequence[bytes]) -> None:
        """Send packets that each answer OK."""
        for change, answer in zip(changes, self.request_all(changes), strict=True):
            check_ok(change, answer)

    def step(self) -> Stop:
        """Let the CPU carry out one instruction."""
        self.resume(packet=b"s")
        return self._stopped(self._answer())

    def run_to_stop(self) -> Stop:
        """Let the CPU run to the breakpoint or the like that is right ahead."""
        self.resume()
        return self._stopped(self._answer())

    def poll_stop(self) -> Stop | None:
        """Take what has arrived; return the stop, if there was one."""
        while True:
            payload = self._next_payload()
            if payload is not None:
                return self._stopped(payload)
            received = self._channel.take()
            if not received:
                return None
            self._reader.feed(received)

    def _stopped(self, packet: bytes) -> Stop:
        stop = Stop.parse(packet)
        self.running = False
        return stop

    def halt(self) -> None:
        """Stop the CPU wherever it is; no effect if it stands already."""
        if self.running:
            self.interrupt()
            self._stopped(self._answer())

    def interrupt(self) -> None:
        """Ask a running CPU to stop."""
        self._channel.send(INTERRUPT)

    def watch(self, address: int, size_bytes: int) -> None:
        """Stop before every access to the range."""
        self._expect_ok(watch_packet(4, address, size_bytes))

    def insert_breakpoint(self, address: int) -> None:
        """Stop before the instruction at ``address``, in whatever memory it is."""
        self._expect_ok(breakpoint_packet(address))
        self.breakpoints.add(address)

    def remove_breakpoint(self, address: int) -> None:
        """Undo `insert_breakpoint`."""
        self._expect_ok(breakpoint_packet(address, remove=True))
        self.breakpoints.discard(address)

    def read_description(self) -> None:
        """Fetch the target's description; QEMU accepts register writes only afterwards."""
        answer = self.request(b"qXfer:features:read:target.xml:0,ffb")
        if answer[:1] not in (b"l", b"m"):
            raise _unexpected("target description", answer)

    def read_registers(self) -> CoreRegisters:
        """Return the CPU's core registers."""
        return parse_registers(self.request(READ_REGISTERS))

    def read_memory(self, address: int, size_bytes: int) -> bytes:
        """Return memory as the CPU sees it."""
        return parse_memory(self.request(b"m%x,%x" % (address, size_bytes)))

    def _expect_ok(self, payload: bytes) -> None:
        check_ok(payload, self.request(payload))


def write_general(general: Sequence[int]) -> bytes:
    """Return the packet that sets R0 to R15."""
    return b"G%b" % struct.pack(f"<{_CORE_REGISTERS}I", *general).hex().encode()


def continue_at(address: int) -> bytes:
    """Return the packet that lets the CPU go on at another instruction."""
    return b"c%x" % (address | 1)  # QEMU takes the lowest bit for Thumb state


def write_register(number: int, value: int) -> bytes:
    """Return the packet that sets a core register."""
    return b"P%x=%b" % (number, value.to_bytes(4, "little").hex().encode())


def read_memory(address: int, size_bytes: int) -> bytes:
    """Return the packet that reads memory."""
    return b"m%x,%x" % (address, size_bytes)


def write_memory(address: int, data: bytes) -> bytes:
    """Return the packet that writes memory; it reaches RAM and ROM, but no device."""
    return b"M%x,%x:%b" % (address, len(data), data.hex().encode())


def breakpoint_packet(address: int, *, remove: bool = False) -> bytes:
    """Return the packet that stops the CPU before the instruction at ``address``, or undoes it."""
    return b"%b1,%x,2" % (b"z" if remove else b"Z", address)


def watch_packet(kind: int, address: int, size_bytes: int, *, remove: bool = False) -> bytes:
    """Return the packet that stops the CPU before an access: 2 a write, 3 a read, 4 any."""
    return b"%b%d,%x,%x" % (b"z" if remove else b"Z", kind, address, size_bytes)


def check_ok(payload: bytes, answer: bytes) -> None:
    """Raise RunError unless ``answer`` to ``payload`` is OK."""
    if answer != b"OK":
        raise _unexpected(f"answer to {payload[:40]!r}", answer)


def parse_memory(answer: bytes) -> bytes:
    """Return the bytes that a memory read answered."""
    try:
        return bytes.fromhex(answer.decode("ascii"))
    except ValueError as cause:
        raise _unexpected("answer to a memory read", answer) from cause


def parse_registers(answer: bytes) -> CoreRegisters:
    """Return the registers that a ``g`` packet answered."""
    data = parse_memory(answer[: _WORD_DIGITS * (_CORE_REGISTERS + 1)])
    if len(data) < _WORDS.size:
        raise _unexpected("answer to a register read", answer)
    *general, xpsr = _WORDS.unpack(data)
    return CoreRegisters(tuple(general), xpsr)


def _unexpected(what: str, packet: bytes) -> RunError:
    return RunError(
        Outcome.SIMULATOR_FAILED, f"the simulator sent an unexpected {what}: {packet[:60]!r}"
    )
