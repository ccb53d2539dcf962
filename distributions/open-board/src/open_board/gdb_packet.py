# SPDX-License-Identifier: Apache-2.0
"""Framing of the gdb remote serial protocol: packets, checksums, escapes.

The rules are those of the section "Remote Protocol" in gdb's manual.
"""

from __future__ import annotations

from collections.abc import Iterator

INTERRUPT = b"\x03"
ACKNOWLEDGE = b"+"
REPEAT_REQUEST = b"-"

_ESCAPE = 0x7D
_ESCAPE_MASK = 0x20
_RUN_LENGTH = 0x2A
_RUN_LENGTH_OFFSET = 29
_MUST_ESCAPE = b"#$}*"
_TRAILER_BYTES = 3  # '#' and two digits


class PacketError(Exception):
    """Bytes that are no packet of the protocol."""


def frame(payload: bytes) -> bytes:
    """Return the packet that carries ``payload``."""
    body = payload
    if len(payload.translate(None, _MUST_ESCAPE)) != len(payload):
        body = _escape(payload)
    return b"$%b#%02x" % (body, sum(body) & 0xFF)


def _escape(payload: bytes) -> bytes:
    body = bytearray()
    for byte in payload:
        if byte in _MUST_ESCAPE:
            body += bytes((_ESCAPE, byte ^ _ESCAPE_MASK))
        else:
            body.append(byte)
    return bytes(body)


class PacketReader:
    """Cut a stream of bytes into payloads."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self.interrupted = False

    @property
    def has_bytes(self) -> bool:
        """Bytes were fed that no payload has used up."""
        return bool(self._pending)

    def feed(self, data: bytes) -> None:
        """Take bytes from the stream."""
        self._pending += data

    def next(self) -> bytes | None:
        """Return the next payload, or None until more bytes come.

        An interrupt byte between packets sets ``interrupted``.

        Raises:
            PacketError: The packet's checksum or escapes are wrong.
        """
        pending = self._pending
        start = pending.find(b"$")
        if start:
            self._skip(start)
            if start < 0:
                return None
        end = pending.find(b"#")
        if end < 0 or len(pending) < end + _TRAILER_BYTES:
            return None
        packet = bytes(pending[: end + _TRAILER_BYTES])
        del pending[: end + _TRAILER_BYTES]
        return _unframe(packet)

    def _skip(self, start: int) -> None:
        """Drop what is before a packet, or all if none begins."""
        between = len(self._pending) if start < 0 else start
        self.interrupted |= self._pending.find(INTERRUPT, 0, between) >= 0
        del self._pending[:between]


def _unframe(packet: bytes) -> bytes:
    body, digits = packet[1:-_TRAILER_BYTES], packet[-2:]
    if digits.lower() != b"%02x" % (sum(body) & 0xFF):
        raise PacketError(f"wrong checksum in gdb packet {packet[:40]!r}")
    return _expand(body)


def _expand(body: bytes) -> bytes:
    """Undo escapes and run lengths."""
    if _ESCAPE not in body and _RUN_LENGTH not in body:
        return body
    payload = bytearray()
    items = iter(body)
    for byte in items:
        if byte == _ESCAPE:
            payload.append(_next_of(items) ^ _ESCAPE_MASK)
        elif byte == _RUN_LENGTH and payload:
            payload += payload[-1:] * (_next_of(items) - _RUN_LENGTH_OFFSET)
        else:
            payload.append(byte)
    return bytes(payload)


def _next_of(items: Iterator[int]) -> int:
    value = next(items, None)
    if value is None:
        raise PacketError("gdb packet ends inside an escape")
    return value
