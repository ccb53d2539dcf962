# SPDX-License-Identifier: Apache-2.0
"""Talk to QEMU's qtest server: physical memory in bulk, and interrupt lines."""

from __future__ import annotations

import base64
import binascii

from open_board.channel import Channel
from open_board.deadline import Deadline
from open_board.job import Outcome, RunError


class QtestClient:
    """The client's side of QEMU's line protocol for device tests."""

    def __init__(self, channel: Channel, deadline: Deadline) -> None:
        """Use ``channel``; answers are due as ``deadline`` says."""
        self._channel = channel
        self._deadline = deadline
        self._pending = bytearray()

    def set_interrupt(self, device: str, name: str, line: int, level: bool) -> None:
        """Drive the input ``line`` of a device's named interrupt group."""
        self._request(f"set_irq_in {device} {name} {line} {int(level)}")

    def read(self, address: int, size_bytes: int) -> bytes:
        """Return physical memory."""
        if not size_bytes:
            return b""
        answer = self._request(f"b64read 0x{address:x} 0x{size_bytes:x}")
        try:
            return base64.b64decode(answer, validate=True)
        except binascii.Error as cause:
            raise RunError(
                Outcome.SIMULATOR_FAILED, f"qtest answered a memory read with {answer[:40]!r}"
            ) from cause

    def write(self, address: int, data: bytes) -> None:
        """Store ``data`` in physical memory."""
        if data:
            encoded = base64.b64encode(data).decode("ascii")
            self._request(f"b64write 0x{address:x} 0x{len(data):x} {encoded}")

    def write_word(self, address: int, value: int) -> None:
        """Write a word of a device's registers."""
        self._request(f"writel 0x{address:x} 0x{value:x}")

    def _request(self, line: str) -> bytes:
        self._channel.send(line.encode("ascii") + b"\n")
        status, _, answer = self._read_line().partition(b" ")
        if status != b"OK":
            raise RunError(
                Outcome.SIMULATOR_FAILED,
                f"qtest refused '{line[:60]}': {(status + b' ' + answer)[:60]!r}",
            )
        return answer

    def _read_line(self) -> bytes:
        searched = 0
        while (end := self._pending.find(b"\n", searched)) < 0:
            searched = len(self._pending)
            self._pending += self._channel.receive(self._deadline.answer_timeout_s)
        line = bytes(self._pending[:end])
        del self._pending[: end + 1]
        return line.rstrip(b"\r")
