# SPDX-License-Identifier: Apache-2.0
"""The order of Ethos-U85's weights in their streams, and the records of its scales.

The order is that of Vela's C++ core (ethos_u85_weight_encoder.cpp); it depends on the build, the
microblock, the traversal and the strides. Where a stream has no weight it has a zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from ethosu_model.faults import WeightFault
from ethosu_model.limits import MAX_WEIGHTS, check
from ethosu_model.u85.fast_weights import decode_fast_weights
from ethosu_model.weight_stream import decode_weight_stream
from ethosu_model.weights import SCALE_ENTRY_BYTES, ChannelScales

_GROUP = 4  # output channels that a decoder takes before the next one's turn
_SMALL_BUILDS = (128, 256)
Indices = NDArray[np.int64]  # flat OHWI indices; -1 where there is no weight


@dataclass(frozen=True)
class Traversal:
    """How an operation goes through its input channels and the elements of its kernel.

    Attributes:
        ifm_block: Input channels of a block.
        ifm_unit: Input channels before the next microblock of output channels.
        ifm_step: Input channels that are taken at once: 8, 16 if sparse, 1 depthwise.
        round_to: Kernel elements are filled up to a multiple of this.
        extra: Slots behind each of these multiples that stay empty (depthwise).
        by_phases: Strides take the kernel apart.
    """

    ifm_block: int
    ifm_unit: int
    ifm_step: int
    round_to: int
    extra: int
    by_phases: bool

    @classmethod
    def of(
        cls,
        macs: int,
        unit_depth: int,
        ifm_bits: int,
        *,
        sparse: bool,
        depthwise: bool,
        part_kernel: bool,
    ) -> Traversal:
        """Return the traversal of a build's operation; ``unit_depth`` is its microblock's."""
        if depthwise:
            narrow = ifm_bits == 8 and macs in _SMALL_BUILDS
            return cls(1, 1, 1, 10, 0 if narrow else 2 if macs <= 512 else 6, by_phases=True)
        step = 16 if sparse else 8
        if part_kernel:
            unit = 8 if ifm_bits == 16 and not sparse else 16
            return cls(16, unit, step, 10 if ifm_bits == 16 or sparse else 5, 0, by_phases=True)
        block = 128 if sparse and ifm_bits == 8 else 64
        if macs in _SMALL_BUILDS and unit_depth == 16 and not sparse:
            block = 32
        return cls(block, block, step, 1, 0, by_phases=False)


@dataclass(frozen=True)
class WeightGeometry:
    """What decides the order of the weights.

    Attributes:
        shape: Output channels, kernel rows and columns (not dilated), input channels.
        streams: How many decoders share the output channels.
        ofm_block_depth: Output channels of a block.
        ofm_unit_depth: Output channels of a microblock.
        traversal: Input channels and elements of the kernel.
        stride: Rows and columns by which a kernel is taken apart.
        subkernel: Largest rows and columns of a piece of the kernel.
        fast: All decoders' weights are in one stream of the fast format.
    """

    shape: tuple[int, int, int, int]
    streams: int
    ofm_block_depth: int
    ofm_unit_depth: int
    traversal: Traversal
    stride: tuple[int, int]
    subkernel: tuple[int, int]
    fast: bool

    @property
    def fast_block(self) -> int:
        """Weights that a decoder takes from a fast stream before the next one's turn."""
        t = self.traversal
        return self.ofm_unit_depth * t.ifm_unit * t.round_to // self.streams


def _kernel_order(g: WeightGeometry, rows: range, columns: range) -> Indices:
    """Return the kernel elements of a piece, y * width + x, in order, -1 for what fills up."""
    elements = []
    for first_y in range(g.stride[0]):
        for first_x in range(g.stride[1]):
            xs = columns[first_x :: g.stride[1]]
            for number, y in enumerate(rows[first_y :: g.stride[0]]):
                line = xs if number % 2 == 0 else xs[::-1]
                elements += [y * g.shape[2] + x for x in line]
    round_to = g.traversal.round_to
    elements += [-1] * (-len(elements) % round_to)
    groups = np.array(elements, np.int64).reshape(-1, round_to)
    return np.pad(groups, ((0, 0), (0, g.traversal.extra)), constant_values=-1).ravel()


def _blocks(g: WeightGeometry) -> Iterator[tuple[int, int]]:
    """Yield the first output and input channel of each pair of blocks; inputs go to and fro."""
    inputs = range(0, g.shape[3], g.traversal.ifm_block)
    for number, first in enumerate(range(0, g.shape[0], g.ofm_block_depth)):
        for second in inputs if number % 2 == 0 else inputs[::-1]:
            yield first, second


def _pieces(g: WeightGeometry, stream: int) -> Iterator[Indices]:
    """Yield the indices of one decoder's weights, piece by piece."""
    _, height, width, _ = g.shape
    orders = [
        _kernel_order(
            g,
            range(y, min(height, y + g.subkernel[0])),
            range(x, min(width, x + g.subkernel[1])),
        )
        for x in range(0, width, g.subkernel[1])
        for y in range(0, height, g.subkernel[0])
    ]
    for ofm_first, ifm_first in _blocks(g):
        for order in orders:
            yield _piece(g, order, ofm_first, ifm_first, stream)


def _piece(
    g: WeightGeometry, order: Indices, ofm_first: int, ifm_first: int, stream: int
) -> Indices:
    """Return the indices of one piece of the kernel for one pair of blocks.

    Axes, outer to inner: unit of input channels, of output channels, kernel element, step of
    input channels, group of output channels, output channel, input channel.
    """
    depth, height, width, ifm_depth = g.shape
    t = g.traversal
    ofm_count = min(g.ofm_block_depth, depth - ofm_first)
    ifm_count = min(t.ifm_block, ifm_depth - ifm_first)
    axes = (
        np.arange(0, ifm_count, t.ifm_unit),
        np.arange(0, ofm_count, g.ofm_unit_depth),
        order,
        np.arange(0, t.ifm_unit, t.ifm_step),
        np.arange(stream * _GROUP, g.ofm_unit_depth, _GROUP * g.streams),
        np.arange(_GROUP),
        np.arange(t.ifm_step),
    )
    ifm_outer, ofm_outer, element, ifm_inner, group, ofm_inner, ifm_last = np.ix_(*axes)
    i = ifm_first + ifm_outer + ifm_inner + ifm_last
    o = ofm_first + ofm_outer + group + ofm_inner
    index = (o * (height * width) + element) * ifm_depth + i
    return np.where((element >= 0) & (o < depth) & (i < ifm_depth), index, -1).ravel()


def _slots(g: WeightGeometry) -> int:
    """Return how many slots all streams have together, kernel elements taken as if in one piece."""
    depth, height, width, ifm_depth = g.shape
    t = g.traversal
    outputs = -(-depth // g.ofm_unit_depth) * g.ofm_unit_depth
    inputs = -(-ifm_depth // t.ifm_unit) * t.ifm_unit
    elements = -(-height * width // t.round_to) * (t.round_to + t.extra)
    return outputs * inputs * elements


def weight_orders(g: WeightGeometry) -> list[Indices]:
    """Return, for each decoder, the flat OHWI index of each slot of its stream.

    Raises:
        CommandFault: They are more than the model's limit.
    """
    check(_slots(g), MAX_WEIGHTS, "weights")
    return [np.concatenate([*_pieces(g, stream)]) for stream in range(g.streams)]


def decode_weights(streams: tuple[bytes, ...], g: WeightGeometry) -> NDArray[np.int16]:
    """Return the weights [OFM depth, kernel height, kernel width, IFM depth].

    Raises:
        WeightFault: A stream is malformed, or has not the number of weights that the geometry
            asks for.
        CommandFault: The geometry is beyond the model's limits.
    """
    orders = weight_orders(g)
    result = np.zeros(prod(g.shape), np.int16)
    if g.fast:
        order = _take_turns(orders, g.fast_block)
        _place(result, decode_fast_weights(streams[0], len(order)), order)
    else:
        for stream, order in zip(streams, orders, strict=True):
            _place(result, decode_weight_stream(stream, len(order)), order)
    return result.reshape(g.shape)


def _take_turns(orders: list[Indices], block: int) -> Indices:
    """Return the decoders' weights in one stream, a block of each in turn."""
    if len({len(order) % block for order in orders}) != 1 or len(orders[0]) % block:
        raise WeightFault("fast weights that are no whole blocks")
    return np.stack([order.reshape(-1, block) for order in orders], axis=1).ravel()


def _place(result: NDArray[np.int16], weights: NDArray[np.int16], order: Indices) -> None:
    if len(weights) < len(order):
        raise WeightFault(f"weight stream ends after {len(weights)} of {len(order)} weights")
    real = order >= 0
    if np.any(weights[~real]):
        raise WeightFault("weight stream has a weight where the operation has none")
    result[order[real]] = weights[real]


def decode_scales(stream: bytes, count: int, *, wide: bool) -> ChannelScales:
    """Unpack ``count`` records of ten bytes.

    Args:
        stream: The scale stream.
        count: Output channels.
        wide: With 48-bit accumulators a record is a bias of 48 bits and a scale of 15, else
            of 32 and 31; a shift of 6 bits follows.

    Raises:
        WeightFault: The stream is too short.
    """
    if len(stream) < count * SCALE_ENTRY_BYTES:
        raise WeightFault(f"scale stream of {len(stream)} bytes for {count} channels")
    entries = np.frombuffer(stream, np.uint8, count * SCALE_ENTRY_BYTES)
    fields = entries.reshape(count, SCALE_ENTRY_BYTES).astype(np.int64)
    split = 6 if wide else 4
    powers = 1 << 8 * np.arange(8)
    bias = fields[:, :split] @ powers[:split]
    sign = np.int64(1) << 8 * split - 1
    return ChannelScales(
        bias=(bias ^ sign) - sign,
        multiplier=(fields[:, split:8] @ powers[: 8 - split]) & ((1 << 8 * (8 - split) - 1) - 1),
        shift=fields[:, 8] & 0x3F,
    )
