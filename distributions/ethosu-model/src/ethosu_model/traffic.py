# SPDX-License-Identifier: Apache-2.0
"""Bytes that an operation moves over the bus, counted from its commands.

The NPU works block by block. An OFM block needs the IFM under its kernel, at full depth for
a convolution; neighbouring blocks do not share what they read, nor do the subkernels of at most
8x8 elements that a larger kernel is taken apart into. The rules are those of Vela's
npu_performance.measure_element_access, with edges counted exactly and not rounded up: these are the
PMU's data beats. The estimate of cycles counts whole IFM blocks, as the NPU's buffer holds them,
also where a block lies half over an edge, which is what Vela does (`whole_blocks`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ethosu_model.enums import Layout, Upscale
from ethosu_model.faults import AxiPort
from ethosu_model.operands import BRICK, FeatureMap, Kernel, Padding, Shape


@dataclass(frozen=True)
class Traffic:
    """Bytes read and written through one port.

    Attributes:
        burst_bytes: Contiguous bytes of a transfer; 0: as many as the memory wants.
    """

    port: AxiPort
    read_bytes: int = 0
    written_bytes: int = 0
    burst_bytes: int = 0


_MAX_WRITE_BYTES = 64
SUBKERNEL = 8  # the longest side of what the MAC array takes of a kernel at once


@dataclass(frozen=True)
class Window:
    """What ties an OFM block to the IFM it needs."""

    kernel: Kernel
    padding: Padding
    upscale: Upscale


def block_counts(ofm: Shape, block: Shape) -> Shape:
    """Return how many blocks an OFM has along each axis."""
    return Shape(
        -(-ofm.height // block.height), -(-ofm.width // block.width), -(-ofm.depth // block.depth)
    )


def stored_depth(fm: FeatureMap) -> int:
    """Return the channels a transfer carries: NHCWB16 moves whole bricks."""
    if fm.layout is Layout.NHWC:
        return fm.shape.depth
    return -(-fm.shape.depth // BRICK) * BRICK


def ofm_traffic(ofm: FeatureMap, block: Shape, cores: int = 1) -> Traffic:
    """Return what writing the OFM moves: each element once.

    Args:
        ofm: The OFM.
        block: OFM block.
        cores: Cores of the NPU; each writes bricks of its own.
    """
    burst = write_burst(ofm, block, cores)
    return Traffic(ofm.port, written_bytes=_bytes(ofm), burst_bytes=burst)


def elementwise_traffic(fm: FeatureMap, block: Shape) -> Traffic:
    """Return what reading an operand of an element-wise operation moves: each element once."""
    return Traffic(fm.port, read_bytes=_bytes(fm), burst_bytes=read_burst(fm, block))


def read_burst(fm: FeatureMap, block: Shape) -> int:
    """Return the contiguous bytes that reading a block of a feature map finds.

    Args:
        fm: The feature map.
        block: How much is read at once.
    """
    size = fm.dtype.itemsize
    if fm.layout is not Layout.NHWC:
        return size * BRICK * block.width
    return size * block.depth * (block.width if _is_deep(fm, block) else 1)


def write_burst(fm: FeatureMap, block: Shape, cores: int) -> int:
    """Return the contiguous bytes that writing a block of the OFM makes."""
    size = fm.dtype.itemsize
    if fm.layout is not Layout.NHWC:
        return size * BRICK * block.width * cores
    if block.depth <= BRICK and _is_deep(fm, block):
        return size * block.depth * block.width
    return min(_MAX_WRITE_BYTES, size * BRICK * cores, size * block.depth)


def _is_deep(fm: FeatureMap, block: Shape) -> bool:
    """Return whether a block has all channels, so that elements of a row touch."""
    return fm.shape.depth * fm.dtype.itemsize == block.depth


def _bytes(fm: FeatureMap) -> int:
    return fm.shape.height * fm.shape.width * stored_depth(fm) * fm.dtype.itemsize


def ifm_traffic(
    ifm: FeatureMap,
    ofm: Shape,
    block: Shape,
    window: Window,
    *,
    taken: Shape,
    depth_passes: int,
) -> Traffic:
    """Return what reading an IFM under a moving kernel moves.

    Args:
        ifm: The IFM.
        ofm: Shape of the OFM.
        block: OFM block.
        window: Kernel, padding and upscaling.
        taken: IFM block.
        depth_passes: How often the whole IFM is read: once for each OFM block along depth
            in a convolution, else 1.
    """
    kernel, padding = window.kernel, window.padding
    factor = 1 if window.upscale is Upscale.NONE else 2
    height, width = ifm.shape.height * factor, ifm.shape.width * factor
    rows = sum(
        _covered(ofm.height, block.height, kernel.stride_y, span, padding.top, height)
        for span in _subkernels(kernel.height, kernel.dilation_y, kernel.decomposition)
    )
    columns = sum(
        _covered(ofm.width, block.width, kernel.stride_x, span, padding.left, width)
        for span in _subkernels(kernel.width, kernel.dilation_x, kernel.decomposition)
    )
    elements = -(-rows // factor) * -(-columns // factor) * stored_depth(ifm)
    return Traffic(
        ifm.port,
        read_bytes=elements * ifm.dtype.itemsize * depth_passes,
        burst_bytes=read_burst(ifm, taken),
    )


def ifm_block(block: Shape, window: Window, unit: tuple[int, int], depth: int) -> Shape:
    """Return the IFM block that one subkernel of an OFM block needs.

    Args:
        block: OFM block.
        window: Kernel and upscaling.
        unit: Rows and columns that IFM blocks consist of.
        depth: Channels of the IFM block.
    """
    kernel, factor = window.kernel, 1 if window.upscale is Upscale.NONE else 2
    sides = (
        (block.height, kernel.stride_y, kernel.dilated_height, unit[0]),
        (block.width, kernel.stride_x, kernel.dilated_width, unit[1]),
    )
    height, width = (
        -(-((side - 1) * stride + min(extent, SUBKERNEL)) // (factor * step)) * step
        for side, stride, extent, step in sides
    )
    return Shape(height, width, depth)


def whole_blocks(
    traffic: Traffic, ifm: FeatureMap, taken: Shape, kernel: Kernel, blocks: int
) -> Traffic:
    """Return the reading of an IFM under a moving kernel, counted in whole IFM blocks.

    Args:
        traffic: The reading, counted exactly.
        ifm: The IFM.
        taken: The IFM block, read at the IFM's full depth for each subkernel.
        kernel: The kernel.
        blocks: OFM blocks that read the IFM.
    """
    area = min(taken.height, ifm.shape.height) * min(taken.width, ifm.shape.width)
    parts = -(-kernel.height // SUBKERNEL) * -(-kernel.width // SUBKERNEL)
    elements = area * stored_depth(ifm) * parts * blocks
    return replace(traffic, read_bytes=elements * ifm.dtype.itemsize)


def _subkernels(size: int, dilation: int, largest: int) -> Iterator[tuple[int, int]]:
    """Yield first row and last + 1 that each part of a kernel reaches over, from its top."""
    for first in range(0, size, largest):
        last = min(first + largest, size) - 1
        yield first * dilation, last * dilation + 1


def _covered(
    outputs: int, block: int, stride: int, reach: tuple[int, int], pad: int, inputs: int
) -> int:
    """Return the IFM rows (or columns) that all blocks along an axis read, padding left out."""
    total = 0
    for first in range(0, outputs, block):
        last = min(first + block, outputs) - 1
        low = max(0, first * stride + reach[0] - pad)
        high = min(inputs, last * stride + reach[1] - pad)
        total += max(0, high - low)
    return total
