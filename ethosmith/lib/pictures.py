# SPDX-License-Identifier: Apache-2.0
"""Read a picture file as 8-bit RGB, upright, on white."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import check_readable

# Pillow opens these and no others: some of its formats start other programs.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
MAX_FILE_BYTES = 128 << 20
_MAX_PIXELS = 64 << 20
# Of firmware/vision/image.h, and of a sample.
_MAX_SIDE = 8192
_MAX_SAMPLE_BYTES = 32 << 20
_HEADER = struct.Struct("<II")
_CHANNELS = 3
_WHITE = 255
# TIFF's tags of what a number means.
_BITS, _SAMPLE_FORMAT, _MIN_VALUE, _MAX_VALUE = 258, 339, 340, 341
_PHOTOMETRIC, _WHITE_IS_ZERO = 262, 0
_UNSIGNED, _SIGNED = 1, 2
_DEEP_MODES = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")


@dataclass(frozen=True)
class Picture:
    """A picture as firmware/vision/image.h describes it.

    Attributes:
        data: width and height (uint32, little endian), then three bytes a pixel, row by row from
            the top left.
        converted: what was lost or changed beyond the number format; empty if nothing was.
    """

    data: bytes
    converted: str = ""


def read_picture(path: Path) -> Picture:
    """Return the picture in a file of one of `FORMATS`.

    More than 8 bits a channel are scaled to 8 by the file's declared depth; floating-point
    numbers go from 0 to 1, or over the range that a TIFF file declares. Palettes, grey and CMYK
    become RGB, transparent parts white. EXIF's and TIFF's orientation is followed. Of several
    frames or pages the first is taken. What the device has no room for is reduced by a whole
    factor, each pixel being the mean of a square.

    Raises:
        EthosmithError: no such file, a damaged one, more than 64 Mi pixels, or numbers whose
            meaning nothing declares.
    """
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 only for this format

    check_readable(path, limit_bytes=MAX_FILE_BYTES)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Pillow repairs, and its own limit of pixels
            with Image.open(path, formats=FORMATS) as file:
                _check_size(path, file)
                several = bool(getattr(file, "is_animated", False))
                rgb = _rgb(path, file)
    except UnidentifiedImageError:
        raise EthosmithError(
            f"{path}: not a picture of a known format ({', '.join(FORMATS)})"
        ) from None
    except Image.DecompressionBombError:
        raise EthosmithError(f"{path}: more than {_MAX_PIXELS >> 20} Mi pixels") from None
    except EthosmithError:
        raise
    except Exception as error:  # noqa: BLE001 Pillow's readers raise what they meet
        raise EthosmithError(f"{path}: not a readable picture: {_line(error)}") from None
    notes = ["the first of several frames"] if several else []
    return _fitting(rgb, notes)


def _check_size(path: Path, file: Any) -> None:
    width, height = file.size
    if width * height > _MAX_PIXELS:
        raise EthosmithError(
            f"{path}: {width}x{height} are more than {_MAX_PIXELS >> 20} Mi pixels"
        )


def _line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


def _rgb(path: Path, file: Any) -> Any:
    """Return the open file's picture, upright, as Pillow's RGB."""
    from PIL import Image, ImageOps  # noqa: PLC0415 only for this format

    # What turns the picture forgets the tags.
    tags = getattr(file, "tag_v2", {})
    image = ImageOps.exif_transpose(file)
    if image.mode in _DEEP_MODES:
        return Image.fromarray(_grey(path, image, tags)).convert("RGB")
    if image.has_transparency_data:
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image.convert("RGBA"))
    return image.convert("RGB")


def _grey(path: Path, image: Any, tags: Mapping[int, Any]) -> npt.NDArray[np.uint8]:
    """Return one channel of more than 8 bits in 8, by its declared range."""
    stored = np.asarray(image)
    if not np.isfinite(stored).all():
        raise EthosmithError(f"{path}: contains pixels that are not numbers (NaN or infinity)")
    low, high = _declared_range(path, image.mode, tags)
    if stored.min() < low or stored.max() > high:
        raise EthosmithError(
            f"{path}: pixels from {low:g} to {high:g} expected, {stored.min():g} to"
            f" {stored.max():g} found"
        )
    black, white = (high, low) if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO else (low, high)
    scaled = np.empty(stored.shape, np.uint8)
    for row, values in enumerate(stored):
        scaled[row] = np.rint((values.astype(np.float64) - black) * (_WHITE / (white - black)))
    clear = image.info.get("transparency")
    if isinstance(clear, int):
        scaled[stored == clear] = _WHITE
    return scaled


def _declared_range(path: Path, mode: str, tags: Mapping[int, Any]) -> tuple[float, float]:
    """Return the least and the largest number that a pixel may be."""
    least, largest = _first(tags.get(_MIN_VALUE)), _first(tags.get(_MAX_VALUE))
    if isinstance(least, int | float) and isinstance(largest, int | float) and least < largest:
        return least, largest
    if mode == "F":
        return 0.0, 1.0
    if _first(tags.get(_SAMPLE_FORMAT, _UNSIGNED)) == _SIGNED:
        raise EthosmithError(f"{path}: signed pixels, and nothing says which of them is black")
    # Pillow brings the greys of a PNG or PPM file to 16 bits.
    return 0.0, float((1 << int(_first(tags.get(_BITS, 16)))) - 1)


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, tuple) and value else value


def _fitting(rgb: Any, notes: list[str]) -> Picture:
    """Return the picture, reduced so that the device has room for it."""
    width, height = rgb.size
    factor = -(-max(width, height) // _MAX_SIDE)
    while _bytes(rgb.size, factor) > _MAX_SAMPLE_BYTES:
        factor += 1
    if factor > 1:
        rgb = rgb.reduce(factor)
        notes.append(f"{width}x{height} reduced to {rgb.size[0]}x{rgb.size[1]}")
    return Picture(_HEADER.pack(*rgb.size) + rgb.tobytes(), ", ".join(notes))


def _bytes(size: tuple[int, int], factor: int) -> int:
    width, height = (-(-side // factor) for side in size)
    return _HEADER.size + _CHANNELS * width * height
