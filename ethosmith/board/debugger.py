# SPDX-License-Identifier: Apache-2.0
"""A gdb server for debugging the firmware while the NPU is served.

It stands between the user's gdb and QEMU's stub. Packets pass through, except those that
would disturb the watchpoints over the NPU's registers: stops at these are handled here and
shown only if the user asked for them.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence

from ethosmith.board.gdb_client import CONTINUE, GdbClient, Stop, check_ok
from ethosmith.board.gdb_packet import ACKNOWLEDGE, PacketError, PacketReader, frame
from ethosmith.board.job import Outcome, RunError
from ethosmith.board.machine import NPU_PAGE_BYTES, NPU_PAGES
from ethosmith.errors import EthosmithError

_RESUME = re.compile(rb"[cCsS]|vCont;")
_STEP = re.compile(rb"[sS]|vCont;[sS]")
_WATCHPOINT = re.compile(rb"([zZ])[234],([0-9a-fA-F]+),([0-9a-fA-F]+)")
_STOPPED = b"T05thread:01;"
_CHUNK_BYTES = 1 << 16


class Debugger:
    """One connected debugger.

    Attributes:
        attached: False after the debugger has detached; the program then runs on.
    """

    def __init__(self, connection: socket.socket, gdb: GdbClient) -> None:
        """Serve ``connection`` from the halted CPU behind ``gdb``."""
        self._connection = connection
        self._gdb = gdb
        self._reader = PacketReader()
        self._resumed_by: bytes | None = None
        self._last_stop = _STOPPED
        self._watched: set[tuple[int, int]] = set()
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
                self._gdb.interrupt()

    def _next_packet(self) -> bytes | None:
        try:
            return self._reader.next()
        except PacketError as cause:
            raise RunError(Outcome.STOPPED, f"the debugger sent a bad packet: {cause}") from cause

    def stopped(self, stop: Stop) -> None:
        """Tell the debugger that the CPU has stopped."""
        self._report(stop.packet)

    def npu_served(self, changes: Sequence[bytes], offsets: Sequence[int]) -> None:
        """Go on behind an access to the NPU, or stop there if the debugger wants it.

        Args:
            changes: Packets that give the CPU its new register values.
            offsets: The registers accessed, as offsets in the NPU's page.
        """
        resumed_by = self._resumed_by or CONTINUE
        watched = self._watched_address(offsets)
        if watched is None and not _STEP.match(resumed_by):
            self._gdb.resume(changes, resumed_by)
            return
        for change, answer in zip(changes, self._gdb.request_all(changes), strict=True):
            check_ok(change, answer)
        self._report(_STOPPED if watched is None else b"T05thread:01;awatch:%x;" % watched)

    def _watched_address(self, offsets: Sequence[int]) -> int | None:
        for address, size_bytes in sorted(self._watched):
            for page in NPU_PAGES:
                if any(address <= page + offset < address + size_bytes for offset in offsets):
                    return address
        return None

    def _report(self, packet: bytes) -> None:
        self._resumed_by = None
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
        watchpoint = _WATCHPOINT.match(packet)
        if watchpoint is not None:
            address, size_bytes = (int(text, 16) for text in watchpoint.group(2, 3))
            if _in_npu(address, size_bytes):
                change = self._watched.add if watchpoint[1] == b"Z" else self._watched.discard
                change((address, size_bytes))
                return b"OK"
        return self._gdb.request(packet)

    def _send(self, packet: bytes) -> None:
        try:
            self._connection.sendall(frame(packet))
        except OSError as cause:
            raise RunError(Outcome.STOPPED, "the debugger closed its connection") from cause

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _in_npu(address: int, size_bytes: int) -> bool:
    return any(
        page < address + size_bytes and address < page + NPU_PAGE_BYTES for page in NPU_PAGES
    )


class DebugPort:
    """A listening port of this machine for one debugger.

    Attributes:
        port: The port number.
    """

    def __init__(self, port: int) -> None:
        """Listen on ``port``, or on any free port if it is 0.

        Raises:
            EthosmithError: The port is not free.
        """
        try:
            self._listener = socket.create_server(("127.0.0.1", port))
        except OSError as cause:
            raise EthosmithError(
                f"port {port} cannot be used for gdb: {cause.strerror}; choose another"
            ) from cause
        self.port: int = self._listener.getsockname()[1]

    def accept(self, timeout_s: float | None) -> socket.socket:
        """Wait for a debugger.

        Raises:
            RunError: None came in time.
        """
        self._listener.settimeout(timeout_s)
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
