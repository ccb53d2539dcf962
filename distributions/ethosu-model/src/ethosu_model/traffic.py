# SPDX-License-Identifier: Apache-2.0
"""Bytes that an operation moves over the bus, counted from its commands.

The NPU works block by block. An OFM block needs the IFM under its kernel, at full depth for
a convolution; neighbouring blocks do not share what they read. The rules are those of Vela's
npu_performance.measure_element_access, with edges counted exactly and not rounded up.
"""

from __future__ import annotations

from dataclasses import dataclass

from ethosu_model.enums import Layout, Upscale
from ethosu_model.faults import AxiPort
from ethosu_model.operands import BRICK, FeatureMap, Kernel, Padding, Shape


@dataclass(frozen=True)
class Traffic:
    """Bytes read and written through one port."""

    port: AxiPort
    read_bytes: int = 0
    written_bytes: int = 0


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


def ofm_traffic(ofm: FeatureMap) -> Traffic:
    """Return what writing the OFM moves: each element once."""
    return Traffic(ofm.port, written_bytes=_bytes(ofm))


def elementwise_traffic(fm: FeatureMap) -> Traffic:
    """Return what reading an operand of an element-wise operation moves: each element once."""
    return Traffic(fm.port, read_bytes=_bytes(fm))


def _bytes(fm: FeatureMap) -> int:
    return fm.shape.height * fm.shape.width * stored_depth(fm) * fm.dtype.itemsize


def ifm_traffic(
    ifm: FeatureMap, ofm: Shape, block: Shape, window: Window, *, depth_passes: int
) -> Traffic:
    """Return what reading an IFM under a moving kernel moves.

    Args:
        ifm: The IFM.
        ofm: Shape of the OFM.
        block: OFM block.
        window: Kernel, padding and upscaling.
        depth_passes: How often the whole IFM is read: once for each OFM block along depth
            in a convolution, else 1.
    """
    kernel, padding = window.kernel, window.padding
    factor = 1 if window.upscale is Upscale.NONE else 2
    rows = _covered(
        ofm.height, block.height, kernel.stride_y, kernel.dilated_height, padding.top,
        ifm.shape.height * factor,
    )  # fmt: skip
    columns = _covered(
        ofm.width, block.width, kernel.stride_x, kernel.dilated_width, padding.left,
        ifm.shape.width * factor,
    )  # fmt: skip
    elements = -(-rows // factor) * -(-columns // factor) * stored_depth(ifm)
    return Traffic(ifm.port, read_bytes=elements * ifm.dtype.itemsize * depth_passes)


def _covered(outputs: int, block: int, stride: int, extent: int, pad: int, inputs: int) -> int:
    """Return the IFM rows (or columns) that all blocks along an axis read, padding left out."""
    total = 0
    for first in range(0, outputs, block):
        last = min(first + block, outputs) - 1
        low = max(0, first * stride - pad)
        high = min(inputs, last * stride + extent - pad)
        total += max(0, high - low)
    return total
