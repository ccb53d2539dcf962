# SPDX-License-Identifier: Apache-2.0
"""Find the sound in a WAV file, whatever its chunks and sizes are like.

Programs write odd chunks with and without the padding byte that RIFF asks for, and sizes of 0 or
0xFFFFFFFF when they stream. Libraries read what they can of a file that was cut off and say
nothing; here the declared size is compared with what is there.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_FORM_BYTES = 12
_CHUNK = struct.Struct("<4sI")
_BIG_CHUNK = struct.Struct(">4sI")
_FORMAT = "HHIIHH"
_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_CODINGS = (_PCM, _FLOAT, _ALAW, _MULAW)
# Of WAVE_FORMAT_EXTENSIBLE: where the coding is, and the GUID behind it.
_SUBFORMAT_OFFSET = 24
_SUBFORMAT_TAIL = bytes.fromhex("000000001000800000aa00389b71")
# Writers to a pipe declare the most that they can: 0xFFFFFFFF, or something below 2 GiB.
_MIN_UNKNOWN_BYTES = 0x7FFF0000
_IDS_BEHIND_A_PAD = (
    b"fmt ",
    b"data",
    b"LIST",
    b"fact",
    b"bext",
    b"cue ",
    b"id3 ",
    b"ID3 ",
    b"JUNK",
)
_FORMS = {b"RIFF": _CHUNK, b"RIFX": _BIG_CHUNK, b"RF64": _CHUNK, b"BW64": _CHUNK}


class WavError(ValueError):
    """The file is damaged, or of a kind that is not read."""


@dataclass(frozen=True)
class WavSound:
    """The sound of a WAV file.

    Attributes:
        coding: format tag: PCM, IEEE float, A-law or mu-law.
        channels: samples of a frame.
        rate_hz: frames a second.
        width_bytes: of one sample.
        big_endian: the byte order of ``data``.
        data: whole frames, interleaved.
    """

    coding: int
    channels: int
    rate_hz: int
    width_bytes: int
    big_endian: bool
    data: bytes

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of every channel."""
        return self.channels * self.width_bytes

    def plain_file(self) -> bytes:
        """Return the same sound as a WAV file with two chunks and true sizes."""
        order, form = (">", b"RIFX") if self.big_endian else ("<", b"RIFF")
        pad = b"\0" * (len(self.data) % 2)
        fields = struct.pack(
            f"{order}{_FORMAT}",
            self.coding,
            self.channels,
            self.rate_hz,
            # Of no meaning where it does not fit, and nobody reads it.
            min(self.rate_hz * self.frame_bytes, 0xFFFFFFFF),
            self.frame_bytes,
            8 * self.width_bytes,
        )
        chunks = b"WAVEfmt " + struct.pack(f"{order}I", len(fields)) + fields
        chunks += b"data" + struct.pack(f"{order}I", len(self.data)) + self.data + pad
        return form + struct.pack(f"{order}I", len(chunks)) + chunks


def is_wav(content: bytes) -> bool:
    """Say whether ``content`` begins as a WAV file does."""
    return content[:4] in _FORMS and content[8:12] == b"WAVE"


def find_sound(content: bytes) -> WavSound:
    """Return the sound of a WAV file's ``content``.

    Raises:
        WavError: it is cut off (with seconds declared and found), contradicts itself, or holds a
            coding other than PCM, float, A-law and mu-law.
    """
    chunk = _FORMS[content[:4]]
    order = "<" if chunk is _CHUNK else ">"
    fields: tuple[int, ...] | None = None
    long_size = 0
    at = _FORM_BYTES
    while at + chunk.size <= len(content):
        name, size = chunk.unpack_from(content, at)
        start = at + chunk.size
        if name == b"data":
            return _sound(content, start, long_size or size, fields, order)
        if name == b"fmt ":
            fields = _format_fields(content[start : start + size], order)
        elif name == b"ds64":
            long_size = _long_data_size(content[start : start + size])
        at = _next_chunk(content, start + size, odd=bool(size % 2))
    raise WavError("no sound: it ends before its 'data' chunk")


def _next_chunk(content: bytes, end: int, *, odd: bool) -> int:
    if not odd or content[end : end + 1] == b"\0":
        return end + odd
    padded = content[end + 1 : end + 5] in _IDS_BEHIND_A_PAD
    return end + 1 if padded or not content[end : end + 4].isascii() else end


def _long_data_size(payload: bytes) -> int:
    return int(struct.unpack_from("<Q", payload, 8)[0]) if len(payload) >= 16 else 0


def _format_fields(payload: bytes, order: str) -> tuple[int, ...]:
    """Return coding, channels, rate, bytes a second, bytes a frame and bits a sample."""
    if len(payload) < struct.calcsize(_FORMAT):
        raise WavError("its 'fmt ' chunk is cut off")
    coding, *others = struct.unpack_from(f"{order}{_FORMAT}", payload)
    if coding == _EXTENSIBLE:
        subformat = payload[_SUBFORMAT_OFFSET : _SUBFORMAT_OFFSET + 16]
        if len(subformat) < 16 or (order == "<" and subformat[2:] != _SUBFORMAT_TAIL):
            raise WavError("its WAVE_FORMAT_EXTENSIBLE coding is unknown; save it as PCM")
        coding = struct.unpack_from(f"{order}H", subformat)[0]
    return (coding, *others)


def _sound(
    content: bytes, start: int, declared: int, fields: tuple[int, ...] | None, order: str
) -> WavSound:
    if fields is None:
        raise WavError("its 'data' chunk comes before a 'fmt ' chunk")
    coding, channels, rate_hz, _, frame_bytes, bits = fields
    if coding not in _CODINGS:
        raise WavError(f"its coding (format tag {coding:#x}) is not PCM; save it as PCM")
    if not channels or frame_bytes % channels or not rate_hz:
        raise WavError(
            f"its 'fmt ' chunk contradicts itself: {channels} channels, {rate_hz} Hz,"
            f" {frame_bytes} bytes a frame"
        )
    width_bytes = frame_bytes // channels
    if not 0 < bits <= 8 * width_bytes:
        raise WavError(f"its 'fmt ' chunk contradicts itself: {bits} bits in {width_bytes} bytes")
    available = len(content) - start
    # A stream's sound lasts to the end of the file. A size of 0 in a file whose own size is right
    # is no stream, but a sound without samples.
    whole = struct.unpack_from(f"{order}I", content, 4)[0] == len(content) - _CHUNK.size
    streamed = declared == 0 and not whole
    size = available if streamed or _MIN_UNKNOWN_BYTES <= declared < 1 << 32 else declared
    if size > available:
        declared_s, found_s = (count / frame_bytes / rate_hz for count in (size, available))
        raise WavError(f"cut off: {declared_s:.3f} s declared, {found_s:.3f} s found")
    if size % frame_bytes:
        raise WavError(
            f"cut off inside a sample: {size} bytes are not a whole number of"
            f" {frame_bytes}-byte frames"
        )
    data = content[start : start + size]
    return WavSound(coding, channels, rate_hz, width_bytes, order == ">", data)
