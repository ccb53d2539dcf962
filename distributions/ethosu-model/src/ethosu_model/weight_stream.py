# SPDX-License-Identifier: Apache-2.0
"""Decodes a compressed weight stream into weights, in the order the hardware takes them.

The format is that of ``ethosu.mlw_codec``, whose own decoder ends the process on a bad
stream; this one bounds everything and raises instead. A stream is a run of slices; a
slice has a header, then chunks. A chunk holds, in this order: the unary parts of up to 12
weights, the unary parts of zero runs, the second unary bits of the weights, then the
remainders of the *previous* chunk's weights and zero runs. Finding the chunks is a short
sequential loop; taking the symbols out of them is done for a whole slice at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ethosu_model.faults import WeightFault

Int64Array = NDArray[np.int64]

_ZDIV_DISABLE = 6
_ZDIV_END = 7
_WDIV_UNCOMPRESSED = 7
_UNARY_BITS = 12
_SHORT_UNARY_BITS = 8
_MAX_INDEX = 512
_WINDOW_BYTES = 8
_POPCOUNT = tuple(value.bit_count() for value in range(1 << _UNARY_BITS))
_MASKS = tuple((1 << n) - 1 for n in range(16))


class _Bits:
    """Little-endian bits of a byte string, read one field at a time."""

    def __init__(self, data: bytes) -> None:
        self.size_bits = 8 * len(data)
        self.padded = data + bytes(_WINDOW_BYTES)
        self.position = 0

    def take(self, count: int) -> int:
        """Return the next ``count`` bits (at most 32)."""
        first = self.position
        self.position += count
        if self.position > self.size_bits:
            raise WeightFault(f"weight stream ends inside a field at bit {first}")
        word = int.from_bytes(self.padded[first >> 3 : (first >> 3) + _WINDOW_BYTES], "little")
        return word >> (first & 7) & (1 << count) - 1

    def align(self) -> None:
        """Go to the next byte."""
        self.position = self.position + 7 & ~7


@dataclass(frozen=True)
class _Palette:
    """How weight indices become weights, until a slice brings another one."""

    values: Int64Array
    direct_offset: int
    index_bits: int
    zero_runs: bool


@dataclass(frozen=True)
class _Slice:
    """Header of a slice."""

    weights: int
    zero_divisor: int
    weight_divisor: int
    truncated: bool
    uncompressed: bool
    new_palette: bool
    palette: _Palette

    @property
    def zero_runs(self) -> int:
        """Number of zero runs coded: one behind each weight, one first with a new palette."""
        if self.zero_divisor == _ZDIV_DISABLE:
            return 0
        return self.weights + int(self.new_palette)


def decode_weight_stream(data: bytes, max_weights: int) -> NDArray[np.int16]:
    """Return the weights of a stream, 9-bit signed values in stream order.

    Args:
        data: The whole stream, as WEIGHT_BASE and WEIGHT_LENGTH give it.
        max_weights: More weights than this are a fault.

    Raises:
        WeightFault: The stream breaks the format, or is too long.
    """
    bits = _Bits(data)
    slices: list[NDArray[np.int16]] = []
    palette: _Palette | None = None
    total = 0
    while (divisor := _next_divisor(bits)) is not None:
        zero_divisor, restarted = divisor
        header = _read_header(bits, zero_divisor, None if restarted else palette)
        palette = header.palette
        weights = _decode_slice(bits, header, max_weights - total)
        total += len(weights)
        slices.append(weights)
    return np.concatenate(slices) if slices else np.empty(0, dtype=np.int16)


def _next_divisor(bits: _Bits) -> tuple[int, bool] | None:
    """Read ZDIV of the next slice, passing over ends of streams; None when all is read.

    Also tells whether a stream ended before, so that a palette has to come.
    """
    restarted = bits.position == 0
    while bits.position < bits.size_bits:
        divisor = bits.take(3)
        if divisor != _ZDIV_END:
            return divisor, restarted
        bits.align()
        restarted = True
    return None


def _read_header(bits: _Bits, zero_divisor: int, palette: _Palette | None) -> _Slice:
    if zero_divisor in (4, 5):
        raise WeightFault(f"reserved ZDIV {zero_divisor}")
    weights = bits.take(15) + 1
    weight_divisor = bits.take(3)
    truncated, new_palette = bool(bits.take(1)), bool(bits.take(1))
    zero_runs = zero_divisor != _ZDIV_DISABLE
    if new_palette:
        palette = _read_palette(bits, zero_runs=zero_runs)
    if palette is None or palette.zero_runs != zero_runs:
        raise WeightFault("slice without a palette that fits it")
    uncompressed = weight_divisor == _WDIV_UNCOMPRESSED
    if weight_divisor == _WDIV_UNCOMPRESSED - 1:
        raise WeightFault("reserved WDIV 6")
    return _Slice(
        weights=weights,
        zero_divisor=zero_divisor,
        weight_divisor=palette.index_bits if uncompressed else weight_divisor,
        truncated=truncated,
        uncompressed=uncompressed,
        new_palette=new_palette,
        palette=palette,
    )


def _read_palette(bits: _Bits, *, zero_runs: bool) -> _Palette:
    direct_offset = bits.take(5)
    size = bits.take(5)
    size += size > 0
    entry_bits = bits.take(3) + 2
    values = np.array([bits.take(entry_bits) for _ in range(size)], dtype=np.int64)
    index_bits = (size - 1).bit_length() if size else entry_bits
    return _Palette(values, direct_offset, index_bits, zero_runs)


@dataclass
class _Chunks:
    """Where the fields of a slice's chunks begin, in bits; -1 where a chunk lacks one."""

    weight_unary: list[int] = field(default_factory=list)
    second_unary: list[int] = field(default_factory=list)
    weight_remainders: list[int] = field(default_factory=list)
    zero_unary: list[int] = field(default_factory=list)
    zero_remainders: list[int] = field(default_factory=list)


def _decode_slice(bits: _Bits, header: _Slice, room: int) -> NDArray[np.int16]:
    chunks = _find_chunks(bits, header)
    buffer = np.frombuffer(bits.padded + bytes(_WINDOW_BYTES), dtype=np.uint8)
    indices = _weight_indices(buffer, chunks, header)
    weights = _look_up(indices, header.palette)
    if header.zero_runs == 0:
        _check_room(len(weights), room)
        return weights
    return _insert_zeros(weights, _zero_counts(buffer, chunks, header), header, room)


def _check_room(count: int, room: int) -> None:
    if count > room:
        raise WeightFault("weight stream holds more weights than the operation takes")


def _find_chunks(bits: _Bits, header: _Slice) -> _Chunks:  # noqa: C901, PLR0915
    """Walk over the chunks of a slice; leaves ``bits`` behind it.

    This is the one sequential part of decoding, so it is one loop without calls: about a
    microsecond per chunk.
    """
    chunks = _Chunks()
    padded, end, position = bits.padded, bits.size_bits, bits.position
    weights, zeros = header.weights, header.zero_runs
    weight_bits, zero_bits = header.weight_divisor, header.zero_divisor
    zero_unary_bits = _UNARY_BITS if zero_bits < 3 else _SHORT_UNARY_BITS
    zero_mask = _MASKS[zero_unary_bits]
    uncompressed_symbols = _SHORT_UNARY_BITS if weight_bits > 5 else _UNARY_BITS
    weight_at = zero_at = weight_done = zero_done = 0
    previous_weights = previous_zeros = -1
    while True:
        balance = weight_at - zero_at if zeros else 0
        take_weights = balance < 8 and weight_at < weights
        take_zeros = balance >= 0 and zero_at < zeros
        word = int.from_bytes(padded[position >> 3 : (position >> 3) + 8], "little")
        word >>= position & 7
        new_weights = new_zeros = 0
        first = 0
        if take_weights:
            chunks.weight_unary.append(position)
            if not header.uncompressed:
                first = word & 0xFFF
                word >>= 12
                position += 12
        if take_zeros:
            chunks.zero_unary.append(position)
            new_zeros = zero_unary_bits - _POPCOUNT[word & zero_mask]
            word >>= zero_unary_bits
            position += zero_unary_bits
            zero_at += new_zeros
        if take_weights:
            chunks.second_unary.append(position)
            if header.uncompressed:
                new_weights = uncompressed_symbols
            else:
                ones = _POPCOUNT[first]
                twos = _POPCOUNT[word & _MASKS[ones]]
                new_weights = 12 if header.truncated else 12 - twos
                position += ones
            weight_at += new_weights
        if previous_weights >= 0:
            chunks.weight_remainders.append(position)
            count = min(previous_weights, weights - weight_done)
            weight_done += count
            position += count * weight_bits
        if previous_zeros >= 0 and zeros:
            chunks.zero_remainders.append(position)
            count = min(previous_zeros, zeros - zero_done)
            zero_done += count
            position += count * zero_bits
        if position > end:
            raise WeightFault("weight stream ends inside a chunk")
        previous_weights = new_weights if take_weights else -1
        previous_zeros = new_zeros if take_zeros else -1
        if not (take_weights or take_zeros):
            break
    bits.position = position
    return chunks


def _gather(buffer: NDArray[np.uint8], positions: Int64Array, count: int) -> Int64Array:
    """Return ``count`` bits (at most 32) from each bit position."""
    if len(positions) == 0:
        return np.empty(0, dtype=np.int64)
    windows: NDArray[np.uint64] = np.ndarray(
        (len(buffer) - _WINDOW_BYTES + 1,), dtype="<u8", buffer=buffer, strides=(1,)
    )
    words = windows[positions >> 3] >> (positions & 7).astype(np.uint64)
    return np.asarray(words & np.uint64((1 << count) - 1), dtype=np.int64)


def _bit_table(words: Int64Array, count: int) -> Int64Array:
    """Return bits [word, bit], least significant first."""
    return np.asarray(words[:, None] >> np.arange(count) & 1)


def _weight_indices(buffer: NDArray[np.uint8], chunks: _Chunks, header: _Slice) -> Int64Array:
    """Return the palette index of every weight of a slice."""
    slots = _UNARY_BITS
    if header.uncompressed:
        slots = _SHORT_UNARY_BITS if header.weight_divisor > 5 else _UNARY_BITS
        codes = np.zeros((len(chunks.weight_unary), slots), dtype=np.int64)
    else:
        codes = _unary_codes(buffer, chunks)
    ends = np.ones_like(codes) if header.truncated else (codes < 2).astype(np.int64)
    return _symbols(
        buffer, codes, ends, chunks.weight_remainders, header.weight_divisor, header.weights
    )


def _unary_codes(buffer: NDArray[np.uint8], chunks: _Chunks) -> Int64Array:
    """Return the unary code 0, 1 or 2 of each slot [chunk, slot]."""
    first = _bit_table(_gather(buffer, np.array(chunks.weight_unary), _UNARY_BITS), _UNARY_BITS)
    second = _gather(buffer, np.array(chunks.second_unary), _UNARY_BITS)
    rank = np.cumsum(first, axis=1) - first
    return np.asarray(first + (first & second[:, None] >> rank))


def _zero_counts(buffer: NDArray[np.uint8], chunks: _Chunks, header: _Slice) -> Int64Array:
    """Return the length of every zero run of a slice."""
    slots = _UNARY_BITS if header.zero_divisor < 3 else _SHORT_UNARY_BITS
    ones = _bit_table(_gather(buffer, np.array(chunks.zero_unary), slots), slots)
    return _symbols(
        buffer, ones, 1 - ones, chunks.zero_remainders, header.zero_divisor, header.zero_runs
    )


def _symbols(
    buffer: NDArray[np.uint8],
    codes: Int64Array,
    ends: Int64Array,
    remainders: list[int],
    remainder_bits: int,
    count: int,
) -> Int64Array:
    """Add up the unary codes to each symbol's end, and append the symbol's remainder."""
    total = np.cumsum(codes.ravel())
    last = np.flatnonzero(ends.ravel())[:count]
    if len(last) < count:
        raise WeightFault("weight stream ends before its slice is complete")
    quotients = np.diff(total[last], prepend=0)
    if remainder_bits == 0:
        return quotients
    place = (np.cumsum(ends, axis=1) - ends).ravel()[last]
    chunk = last // codes.shape[1]
    positions = np.array(remainders)[chunk] + place * remainder_bits
    return (quotients << remainder_bits) + _gather(buffer, positions, remainder_bits)


def _look_up(indices: Int64Array, palette: _Palette) -> NDArray[np.int16]:
    """Turn indices into weights: palette entries first, then values counted up from an offset."""
    if indices.size and int(indices.max()) >= _MAX_INDEX:
        raise WeightFault("weight index beyond 9 bits")
    direct = np.arange(_MAX_INDEX - len(palette.values)) + palette.direct_offset
    values = np.concatenate([palette.values, direct])[indices]
    magnitude = values >> 1
    return np.where(values & 1, -magnitude, magnitude).astype(np.int16)


def _insert_zeros(
    weights: NDArray[np.int16], zeros: Int64Array, header: _Slice, room: int
) -> NDArray[np.int16]:
    """Spread the weights out over the zero runs between them."""
    initial = int(zeros[0]) if header.new_palette else 0
    behind = zeros[1:] if header.new_palette else zeros
    _check_room(initial + len(weights) + int(behind.sum()), room)
    result = np.zeros(initial + len(weights) + int(behind.sum()), dtype=np.int16)
    result[initial + np.arange(len(weights)) + np.cumsum(behind) - behind] = weights
    return result
