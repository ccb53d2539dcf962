# SPDX-License-Identifier: Apache-2.0
"""A gdb server for debugging the firmware while the NPU is served.

It stands between the user's gdb and QEMU's stub. Packets pass through, except those that
would disturb the watchpoints over the NPU's registers: stops at these are handled here and
shown only if the user asked for them.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from dataclasses import dataclass

from open_board.board import Board
from open_board.errors import BoardError
from open_board.gdb_client import CONTINUE, GdbClient, Stop
from open_board.gdb_packet import ACKNOWLEDGE, PacketError, PacketReader, frame
from open_board.job import Outcome, RunError
from open_board.served import NpuAccess, Served

_RESUME = re.compile(rb"[cCsS]|vCont;")
_STEP = re.compile(rb"[sS]|vCont;[sS]")
_WATCHPOINT = re.compile(rb"([zZ])([234]),([0-9a-fA-F]+),([0-9a-fA-F]+)")
_MEMORY = re.compile(rb"([mMX])([0-9a-fA-F]+),([0-9a-fA-F]+)")
_STOPPED = b"T05thread:01;"
_INTERRUPTED = b"T02thread:01;"
_REFUSED = b"E01"
_WORD_BYTES = 4
_CHUNK_BYTES = 1 << 16
_MIN_TIMEOUT_S = 0.01


@dataclass(frozen=True)
class _Watch:
    """A watchpoint of the user's on the NPU's registers: 2 writes, 3 reads, 4 both."""

    kind: int
    address: int
    size_bytes: int

    def sees(self, access: NpuAccess, board: Board) -> bool:
        right_kind = self.kind == 4 or (self.kind == 3) == access.is_load
        here = (page + access.offset for page in board.npu_pages)
        end = self.address + self.size_bytes
        return right_kind and any(self.address <= address < end for address in here)

    @property
    def stop_reply(self) -> bytes:
        key = {2: b"watch", 3: b"rwatch", 4: b"awatch"}[self.kind]
        return b"T05thread:01;%b:%x;" % (key, self.address)


class Debugger:
    """One connected debugger.

    Attributes:
        attached: False after the debugger has detached; the program then runs on.
    """

    def __init__(
        self,
        connection: socket.socket,
        gdb: GdbClient,
        board: Board,
        read_npu: Callable[[int], int],
    ) -> None:
        """Serve a connection.

        Args:
            connection: The user's gdb.
            gdb: The halted CPU.
            board: Where the NPU is.
            read_npu: Returns the word at an offset of the NPU's page.
        """
        self._board = board
        self._connection = connection
        self._read_npu = read_npu
        self._gdb = gdb
        self._reader = PacketReader()
        self._resumed_by: bytes | None = None
        self._interrupt_wanted = False
        self._last_stop = _STOPPED
        self._watches: list[_Watch] = []
        self.attached = True

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when the debugger speaks."""
        return self._connection.fileno()

    def receive(self) -> None:
        """Take what the debugger has sent and answer it.

        Raises:
            RunError: The debugger killed the program or went away.
        """
        try:
            data = self._connection.recv(_CHUNK_BYTES)
        except OSError:
            data = b""
        if not data:
            raise RunError(Outcome.STOPPED, "the debugger closed its connection")
        self._reader.feed(data)
        while (packet := self._next_packet()) is not None:
            self._handle(packet)
        if self._reader.interrupted:
            self._reader.interrupted = False
            if self._resumed_by is not None:
                # If QEMU happens to stand at an access to the NPU, it ignores this.
                self._interrupt_wanted = True
                self._gdb.interrupt()

    def _next_packet(self) -> bytes | None:
        try:
            return self._reader.next()
        except PacketError as cause:
            raise RunError(Outcome.STOPPED, f"the debugger sent a bad packet: {cause}") from cause

    def stopped(self, stop: Stop) -> None:
        """Tell the debugger that the CPU has stopped."""
        self._report(stop.packet)

    def npu_served(self, served: Served) -> None:
        """Go on behind an access to the NPU, or stop there if the debugger wants it."""
        resumed_by = self._resumed_by or CONTINUE
        stop = self._stop_after(served, resumed_by)
        if stop is None:
            self._gdb.resume(served.packets, resumed_by)
        else:
            self._gdb.change(served.packets)
            self._report(stop)

    def _stop_after(self, served: Served, resumed_by: bytes) -> bytes | None:
        """Return the stop to report behind an access to the NPU, if any."""
        for watch in self._watches:
            if any(watch.sees(access, self._board) for access in served.accesses):
                return watch.stop_reply
        if self._interrupt_wanted:
            return _INTERRUPTED
        return _STOPPED if _STEP.match(resumed_by) else None

    def exited(self, code: int) -> None:
        """Tell the debugger that the program has ended by itself."""
        self._send(b"W%02x" % code)

    def _report(self, packet: bytes) -> None:
        self._resumed_by = None
        self._interrupt_wanted = False
        self._last_stop = packet
        self._send(packet)

    def _handle(self, packet: bytes) -> None:
        self._connection.sendall(ACKNOWLEDGE)
        if self._resumed_by is not None:
            return  # a running CPU answers nothing but an interrupt
        if _RESUME.match(packet):
            self._resumed_by = packet
            self._gdb.resume(packet=packet)
        elif packet in (b"k", b"R00") or packet.startswith(b"vKill"):
            raise RunError(Outcome.STOPPED, "the debugger killed the program")
        elif packet.startswith(b"D"):
            self._send(b"OK")
            self.attached = False
            self._gdb.resume()
        else:
            self._send(self._answer(packet))

    def _answer(self, packet: bytes) -> bytes:
        if packet == b"?":
            # QEMU would drop all watchpoints at this question, ours among them.
            return self._last_stop
        watch = _WATCHPOINT.match(packet)
        if watch is not None and self._in_npu(int(watch[3], 16), int(watch[4], 16)):
            self._change_watches(
                watch[1] == b"Z", _Watch(*(int(t, 16) for t in watch.groups()[1:]))
            )
            return b"OK"
        memory = _MEMORY.match(packet)
        if memory is not None and self._in_npu(int(memory[2], 16), int(memory[3], 16)):
            is_read = memory[1] == b"m"
            return self._npu_bytes(int(memory[2], 16), int(memory[3], 16)) if is_read else _REFUSED
        return self._gdb.request(packet)

    def _change_watches(self, is_new: bool, watch: _Watch) -> None:
        self._watches = [known for known in self._watches if known != watch]
        if is_new:
            self._watches.append(watch)

    def _npu_bytes(self, address: int, size_bytes: int) -> bytes:
        """Return registers in hexadecimal; a range that leaves the page is refused."""
        start = self._board.npu_register(address, size_bytes)
        if start is None:
            return _REFUSED
        first = start // _WORD_BYTES * _WORD_BYTES
        words = range(first, start + size_bytes, _WORD_BYTES)
        page = b"".join(self._read_npu(at).to_bytes(_WORD_BYTES, "little") for at in words)
        return page[start - first :][:size_bytes].hex().encode("ascii")

    def _in_npu(self, address: int, size_bytes: int) -> bool:
        return any(
            page < address + size_bytes and address < page + self._board.npu_page_bytes
            for page in self._board.npu_pages
        )

    def _send(self, packet: bytes) -> None:
        try:
            self._connection.sendall(frame(packet))
        except OSError as cause:
            raise RunError(Outcome.STOPPED, "the debugger closed its connection") from cause

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class DebugPort:
    """A listening port of this machine for one debugger.

    Attributes:
        port: The port number.
    """

    def __init__(self, port: int) -> None:
        """Listen on ``port``, or on any free port if it is 0.

        Raises:
            BoardError: The port is not free.
        """
        try:
            self._listener = socket.create_server(("127.0.0.1", port))
        except OSError as cause:
            raise BoardError(
                f"port {port} cannot be used for gdb: {cause.strerror}; choose another"
            ) from cause
        self.port: int = self._listener.getsockname()[1]

    def accept(self, timeout_s: float | None) -> socket.socket:
        """Wait for a debugger.

        Raises:
            RunError: None came in time.
        """
        # Zero would mean not to wait.
        self._listener.settimeout(None if timeout_s is None else max(timeout_s, _MIN_TIMEOUT_S))
        try:
            connection, _ = self._listener.accept()
        except TimeoutError as cause:
            raise RunError(
                Outcome.TIME_LIMIT, f"no debugger came to port {self.port} within the time limit"
            ) from cause
        connection.settimeout(None)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()
