# SPDX-License-Identifier: Apache-2.0
"""Vary photographs: another part of the picture, mirrored, brighter or darker."""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ethosmith.accuracy.generator import Item, Request, run_generator

_MIN_PART = 0.75
_BRIGHTNESS = (0.7, 1.25)
# No network here has a larger input; the device's own pre-processing still scales down to it.
_LARGEST_SIDE = 192

Picture = npt.NDArray[np.uint8]


def views(request: Request) -> Iterator[Item]:
    """Yield views of the given pictures in turn."""
    random = np.random.default_rng(request.seed)
    for index in range(request.count):
        item = request.given[index % len(request.given)]
        picture = _view(_picture(item.data), random)
        yield Item(f"{index:04}-{item.name}", item.expect, _stored(picture))


def _picture(data: bytes) -> Picture:
    """Return height x width x 3 of what firmware/vision/image.h describes."""
    width, height = struct.unpack_from("<II", data)
    return np.frombuffer(data, np.uint8, offset=8).reshape(height, width, 3)


def _stored(picture: Picture) -> bytes:
    height, width, _ = picture.shape
    return struct.pack("<II", width, height) + picture.tobytes()


def _view(picture: Picture, random: np.random.Generator) -> Picture:
    part = random.uniform(_MIN_PART, 1)
    sizes = [round(part * size) for size in picture.shape[:2]]
    top, left = (
        int(random.integers(whole - size + 1))
        for whole, size in zip(picture.shape[:2], sizes, strict=True)
    )
    cut = picture[top : top + sizes[0], left : left + sizes[1]]
    mirrored = cut[:, ::-1] if random.integers(2) else cut
    bright = np.clip(mirrored * random.uniform(*_BRIGHTNESS), 0, 255)
    return _smaller(np.rint(bright).astype(np.uint8))


def _smaller(picture: Picture) -> Picture:
    """Average squares of pixels, so that no side is longer than `_LARGEST_SIDE`."""
    step = -(-max(picture.shape[:2]) // _LARGEST_SIDE)
    height, width = (size // step for size in picture.shape[:2])
    squares = picture[: height * step, : width * step].reshape(height, step, width, step, 3)
    return np.rint(squares.mean(axis=(1, 3))).astype(np.uint8)


if __name__ == "__main__":
    sys.exit(run_generator(views))
