# SPDX-License-Identifier: Apache-2.0
"""What a kernel sees of the IFM: its size, upscaling, padding, and one view per element."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethosu_model.enums import Upscale
from ethosu_model.faults import CommandFault
from ethosu_model.operands import Kernel, Padding, Shape

Array = NDArray[Any]


def ifm_shape(ofm: Shape, kernel: Kernel, padding: Padding, upscale: Upscale, depth: int) -> Shape:
    """Return the IFM's size: no register holds it, so it follows from the OFM's.

    Raises:
        CommandFault: The padding is larger than what the kernel needs.
    """
    frame = frame_shape(ofm, kernel, depth)
    height = frame.height - padding.top - padding.bottom
    width = frame.width - padding.left - padding.right
    if upscale is not Upscale.NONE:
        height, width = (height + 1) // 2, (width + 1) // 2
    if height < 1 or width < 1:
        raise CommandFault("padding leaves nothing of the IFM")
    return Shape(height, width, depth)


def frame_shape(ofm: Shape, kernel: Kernel, depth: int) -> Shape:
    """Return the size of the area that the kernel travels over, padding included."""
    return Shape(
        (ofm.height - 1) * kernel.stride_y + kernel.dilated_height,
        (ofm.width - 1) * kernel.stride_x + kernel.dilated_width,
        depth,
    )


def upscaled(ifm: Array, upscale: Upscale) -> Array:
    """Double height and width: repeat each element, or put zeros behind it."""
    if upscale is Upscale.NONE:
        return ifm
    if upscale is Upscale.NEAREST:
        return ifm.repeat(2, axis=0).repeat(2, axis=1)
    result = np.zeros((2 * ifm.shape[0], 2 * ifm.shape[1], ifm.shape[2]), dtype=ifm.dtype)
    result[::2, ::2] = ifm
    return result


def padded(ifm: Array, ofm: Shape, kernel: Kernel, padding: Padding, fill: int) -> Array:
    """Return the IFM in a frame of ``fill``, exactly as large as the kernel's travel."""
    frame = frame_shape(ofm, kernel, ifm.shape[2])
    inside = ifm[: frame.height - padding.top, : frame.width - padding.left]
    if inside.shape[:2] == (frame.height, frame.width):
        return np.ascontiguousarray(inside)
    result = np.full((frame.height, frame.width, frame.depth), fill, dtype=ifm.dtype)
    rows = slice(padding.top, padding.top + inside.shape[0])
    result[rows, padding.left : padding.left + inside.shape[1]] = inside
    return result


def taps(frame: Array, ofm: Shape, kernel: Kernel) -> Iterator[tuple[int, int, Array]]:
    """Yield kernel row, kernel column and the frame's elements under them [height, width, depth].

    The views share the frame's memory.
    """
    for y in range(kernel.height):
        for x in range(kernel.width):
            top, left = y * kernel.dilation_y, x * kernel.dilation_x
            rows = slice(top, top + (ofm.height - 1) * kernel.stride_y + 1, kernel.stride_y)
            columns = slice(left, left + (ofm.width - 1) * kernel.stride_x + 1, kernel.stride_x)
            yield y, x, frame[rows, columns]
