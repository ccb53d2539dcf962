# SPDX-License-Identifier: Apache-2.0
"""Weights and scales of one operation: from their streams to arrays in the field's order."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethosu_model.faults import WeightFault
from ethosu_model.limits import MAX_WEIGHT_PIECE, MAX_WEIGHTS, check
from ethosu_model.rounding import ChannelRounding
from ethosu_model.weight_stream import decode_weight_stream

SCALE_ENTRY_BYTES = 10
_PART_KERNEL_IFM_DEPTH = 16
_IFM_BLOCK_DEPTH = {8: 32, 16: 16}
_CACHE_BYTES = 64 << 20


@dataclass(frozen=True)
class WeightGeometry:
    """What decides the order of the weights in a stream.

    Attributes:
        ofm_depth: Output channels in the stream.
        kernel_height: Rows of the kernel, not dilated.
        kernel_width: Columns of the kernel, not dilated.
        ifm_depth: Input channels; 1 for depthwise.
        ofm_block_depth: Output channels of a block (of one core).
        ofm_microblock_depth: The accelerator's.
        ifm_microblock_depth: The accelerator's.
        ifm_bits: 8 or 16.
        depthwise: One input channel for each output channel.
        part_kernel_first: The order of KERNEL_STRIDE bit 2.
        subkernel_height: Kernels are taken apart into pieces of at most this many rows.
        subkernel_width: And of at most this many columns.
    """

    ofm_depth: int
    kernel_height: int
    kernel_width: int
    ifm_depth: int
    ofm_block_depth: int
    ofm_microblock_depth: int
    ifm_microblock_depth: int
    ifm_bits: int
    depthwise: bool
    part_kernel_first: bool
    subkernel_height: int
    subkernel_width: int


@dataclass(frozen=True)
class _Piece:
    """One step of the traversal: a subkernel of an IFM block for an OFM block."""

    ofm_start: int
    ofm_count: int
    ifm_start: int
    ifm_count: int
    kernel_y: int
    kernel_x: int
    rows: int
    columns: int


def _pieces(geometry: WeightGeometry) -> list[_Piece]:
    """Return the steps of the traversal, in order.

    Source: the loops of ``reorder`` in ethos-u-vela's mlw_encode.c.
    """
    g = geometry
    block = _PART_KERNEL_IFM_DEPTH if g.part_kernel_first else _IFM_BLOCK_DEPTH[g.ifm_bits]
    return [
        _Piece(
            ofm_start=oz,
            ofm_count=min(g.ofm_block_depth, g.ofm_depth - oz),
            ifm_start=iz,
            ifm_count=_ifm_count(g, block, iz),
            kernel_y=ky,
            kernel_x=kx,
            rows=min(g.subkernel_height, g.kernel_height - ky),
            columns=min(g.subkernel_width, g.kernel_width - kx),
        )
        for oz in range(0, g.ofm_depth, g.ofm_block_depth)
        for iz in range(0, 1 if g.depthwise else g.ifm_depth, block)
        for ky in range(0, g.kernel_height, g.subkernel_height)
        for kx in range(0, g.kernel_width, g.subkernel_width)
    ]


def _ifm_count(geometry: WeightGeometry, block: int, start: int) -> int:
    """Return the input channels that a piece covers, padding included."""
    if geometry.depthwise:
        return geometry.ifm_microblock_depth
    if geometry.part_kernel_first:
        return min(block, geometry.ifm_depth - start)
    return block


def _kernel_slots(geometry: WeightGeometry, piece: _Piece) -> int:
    """Return the kernel elements of a piece, rounded up to what the MAC array takes at once."""
    elements = piece.rows * piece.columns
    if geometry.part_kernel_first:
        step = 2 if geometry.ifm_bits == 16 else 4
    elif geometry.depthwise:
        step = 4
    else:
        step = 1
    return -(-elements // step) * step


def _piece_indices(
    geometry: WeightGeometry, piece: _Piece
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the flat OHWI index of each weight of a piece, and which of them are real.

    Axes, outer to inner: IFM microblock (part kernel first), OFM microblock, kernel
    element, IFM microblock (depth first), OFM channel, IFM channel.
    """
    g = geometry
    ifm_step = 1 if g.depthwise else g.ifm_microblock_depth
    ifm_blocks = np.arange(0, piece.ifm_count, g.ifm_microblock_depth)
    outer, inner = (
        (ifm_blocks, np.zeros(1, int)) if g.part_kernel_first else (np.zeros(1, int), ifm_blocks)
    )
    ofm_blocks = np.arange(0, piece.ofm_count, g.ofm_microblock_depth)
    element = np.arange(_kernel_slots(g, piece)).reshape(1, 1, -1, 1, 1, 1)
    iz = (
        piece.ifm_start
        + outer.reshape(-1, 1, 1, 1, 1, 1)
        + inner.reshape(1, 1, 1, -1, 1, 1)
        + np.arange(ifm_step).reshape(1, 1, 1, 1, 1, -1)
    )
    oz = (
        piece.ofm_start
        + ofm_blocks.reshape(1, -1, 1, 1, 1, 1)
        + np.arange(g.ofm_microblock_depth).reshape(1, 1, 1, 1, -1, 1)
    )
    row, column = element // piece.columns, element % piece.columns
    valid = (iz < g.ifm_depth) & (oz < g.ofm_depth) & (row < piece.rows)
    y, x = piece.kernel_y + row, piece.kernel_x + column
    index = ((oz * g.kernel_height + y) * g.kernel_width + x) * g.ifm_depth + iz
    return np.broadcast_to(index, valid.shape).ravel(), valid.ravel()


def _piece_size(geometry: WeightGeometry, piece: _Piece) -> int:
    ifm_blocks = -(-piece.ifm_count // geometry.ifm_microblock_depth)
    ofm_blocks = -(-piece.ofm_count // geometry.ofm_microblock_depth)
    channels = 1 if geometry.depthwise else geometry.ifm_microblock_depth
    per_element = ofm_blocks * geometry.ofm_microblock_depth * ifm_blocks * channels
    return _kernel_slots(geometry, piece) * per_element


def decode_weights(stream: bytes, geometry: WeightGeometry) -> NDArray[np.int16]:
    """Return the weights [ofm depth, kernel height, kernel width, ifm depth] of a stream.

    Raises:
        WeightFault: The stream is malformed, or has not the number of weights that the
            geometry asks for.
        CommandFault: The geometry is beyond the model's limits.
    """
    g = geometry
    shape = (g.ofm_depth, g.kernel_height, g.kernel_width, g.ifm_depth)
    check(prod(shape), MAX_WEIGHTS, "weights")
    pieces = _pieces(g)
    sizes = [_piece_size(g, piece) for piece in pieces]
    check(sum(sizes), MAX_WEIGHTS, "weights")
    check(max(sizes), MAX_WEIGHT_PIECE, "weights in a block")
    flat = decode_weight_stream(stream, sum(sizes))
    if len(flat) < sum(sizes):
        raise WeightFault(f"weight stream ends after {len(flat)} of {sum(sizes)} weights")
    result = np.zeros(prod(shape), np.int16)
    start = 0
    for piece, size in zip(pieces, sizes, strict=True):
        index, valid = _piece_indices(g, piece)
        result[index[valid]] = flat[start : start + size][valid]
        start += size
    return result.reshape(shape)


class WeightVolume:
    """The weights of one operation, all cores together, in the forms that operations use.

    Attributes:
        values: [ofm depth, kernel height, kernel width, ifm depth].
        largest_sum: The largest sum of magnitudes over an output channel; times the
            largest input it bounds every partial sum.
    """

    def __init__(self, values: NDArray[np.int16]) -> None:
        self.values = values
        self.largest_sum = int(np.abs(values.astype(np.int32)).sum(axis=(1, 2, 3)).max())
        self._matrices: dict[tuple[type, bool], NDArray[Any]] = {}

    @property
    def size_bytes(self) -> int:
        """Memory it may come to take."""
        return 5 * self.values.nbytes

    def matrix(self, dtype: type) -> NDArray[Any]:
        """Return them as a matrix [kernel y, kernel x, ifm channel; ofm channel]."""
        key = (dtype, False)
        if key not in self._matrices:
            flat = self.values.reshape(self.values.shape[0], -1)
            self._matrices[key] = np.ascontiguousarray(flat.T, dtype=dtype)
        return self._matrices[key]

    def taps(self, dtype: type) -> NDArray[Any]:
        """Return depthwise weights as [kernel y, kernel x, channel]."""
        key = (dtype, True)
        if key not in self._matrices:
            volume = self.values[..., 0].transpose(1, 2, 0)
            self._matrices[key] = np.ascontiguousarray(volume, dtype=dtype)
        return self._matrices[key]


class WeightCache:
    """Decoded weights by their streams and geometry, least recently used out first."""

    def __init__(self, limit_bytes: int = _CACHE_BYTES) -> None:
        self._limit = limit_bytes
        self._size = 0
        self._entries: OrderedDict[_CacheKey, WeightVolume] = OrderedDict()

    def get(
        self, streams: tuple[bytes, ...], geometries: tuple[WeightGeometry, ...]
    ) -> WeightVolume:
        """Return the weights of one stream per core; core n has the channels n, n + cores, ...

        Raises:
            WeightFault: See ``decode_weights``.
            CommandFault: See ``decode_weights``.
        """
        return self.remember(
            streams, geometries, lambda: WeightVolume(_interleave(streams, geometries))
        )

    def remember(
        self, streams: tuple[bytes, ...], order: Hashable, make: Callable[[], WeightVolume]
    ) -> WeightVolume:
        """Return the weights of ``streams`` in an order, made only if they are not kept.

        Raises:
            NpuFault: As ``make`` does.
        """
        key = (streams, order)
        if key in self._entries:
            self._entries.move_to_end(key)
            return self._entries[key]
        volume = make()
        self._entries[key] = volume
        self._size += volume.size_bytes + sum(map(len, streams))
        while self._size > self._limit and len(self._entries) > 1:
            (old_streams, _), old = self._entries.popitem(last=False)
            self._size -= old.size_bytes + sum(map(len, old_streams))
        return volume


_CacheKey = tuple[tuple[bytes, ...], Hashable]


def _interleave(
    streams: tuple[bytes, ...], geometries: tuple[WeightGeometry, ...]
) -> NDArray[np.int16]:
    first = geometries[0]
    depth = sum(geometry.ofm_depth for geometry in geometries)
    shape = (depth, first.kernel_height, first.kernel_width, first.ifm_depth)
    check(prod(shape), MAX_WEIGHTS, "weights")
    result = np.empty(shape, dtype=np.int16)
    for core, (stream, geometry) in enumerate(zip(streams, geometries, strict=True)):
        result[core :: len(streams)] = decode_weights(stream, geometry)
    return result


@dataclass(frozen=True)
class ChannelScales:
    """Bias, multiplier and shift of each output channel, int64."""

    bias: NDArray[np.int64]
    multiplier: NDArray[np.int64]
    shift: NDArray[np.int64]

    @cached_property
    def rounding(self) -> ChannelRounding:
        """What TFL's rounding takes."""
        return ChannelRounding(self.bias, self.multiplier, self.shift)

    @cached_property
    def largest_bias(self) -> int:
        """The largest magnitude of a bias."""
        return int(np.abs(self.bias).max())


def decode_scales(stream: bytes, count: int) -> ChannelScales:
    """Unpack ``count`` entries of 80 bits: bias 40, multiplier 32, shift 6.

    Source: Vela's weight_compressor.encode_bias.

    Raises:
        WeightFault: The stream is too short.
    """
    if len(stream) < count * SCALE_ENTRY_BYTES:
        raise WeightFault(f"scale stream of {len(stream)} bytes for {count} channels")
    entries = np.frombuffer(stream, dtype=np.uint8, count=count * SCALE_ENTRY_BYTES)
    fields = entries.reshape(count, SCALE_ENTRY_BYTES).astype(np.int64)
    bias = fields[:, :5] @ (1 << 8 * np.arange(5))
    return ChannelScales(
        bias=np.where(bias >> 39, bias - (1 << 40), bias),
        multiplier=fields[:, 5:9] @ (1 << 8 * np.arange(4)),
        shift=fields[:, 9] & 0x3F,
    )
