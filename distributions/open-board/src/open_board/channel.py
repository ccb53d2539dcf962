# SPDX-License-Identifier: Apache-2.0
"""A private, connected byte stream to a child program, with a time limit on every wait."""

from __future__ import annotations

import fcntl
import os
import select
import socket

from open_board.job import Outcome, RunError
from open_board.supervisor import FIRST_PASSED_FD

_CHUNK_BYTES = 1 << 20


class ChannelClosedError(RunError):
    """The program at the other end has closed the stream, most likely by ending."""

    def __init__(self, name: str) -> None:
        super().__init__(Outcome.SIMULATOR_FAILED, f"the simulator closed its {name} channel")


class Channel:
    """One end of a socket pair; the other end's descriptor goes to the child.

    Attributes:
        child_fd: The child's end, until `release_child_end`.
    """

    def __init__(self, name: str) -> None:
        """Make a connected pair called ``name`` in messages."""
        self.name = name
        ours, theirs = socket.socketpair()
        self._socket = ours
        self.child_fd = fcntl.fcntl(theirs.fileno(), fcntl.F_DUPFD_CLOEXEC, FIRST_PASSED_FD)
        theirs.close()

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._socket.fileno()

    def release_child_end(self) -> None:
        """Close our copy of the child's end, so that the child's death closes the stream."""
        if self.child_fd >= 0:
            os.close(self.child_fd)
            self.child_fd = -1

    def close(self) -> None:
        """Close both ends."""
        self.release_child_end()
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send all of ``data``.

        Raises:
            ChannelClosedError: The other end is closed.
        """
        try:
            self._socket.sendall(data)
        except OSError as cause:
            raise ChannelClosedError(self.name) from cause

    def receive(self, timeout_s: float) -> bytes:
        """Return what has arrived, at least one byte.

        Raises:
            ChannelClosedError: The other end is closed.
            RunError: Nothing arrived in time.
        """
        data = self.take()
        if data:
            return data
        if not self.readable(timeout_s):
            raise RunError(
                Outcome.SIMULATOR_FAILED,
                f"the simulator did not answer on its {self.name} channel for {timeout_s:g} s",
            )
        return self.take()

    def take(self) -> bytes:
        """Return what has arrived, nothing if nothing has.

        Raises:
            ChannelClosedError: The other end is closed.
        """
        try:
            data = self._socket.recv(_CHUNK_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return b""
        except OSError as cause:
            raise ChannelClosedError(self.name) from cause
        if not data:
            raise ChannelClosedError(self.name)
        return data

    def readable(self, timeout_s: float) -> bool:
        """Wait until something has arrived or the stream has ended."""
        return bool(select.select([self._socket], [], [], timeout_s)[0])
