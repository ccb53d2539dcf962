# SPDX-License-Identifier: Apache-2.0
"""Every usual kind of picture gives the pixels that it shows, or one clear line."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, TiffImagePlugin

from ethosmith.core.errors import EthosmithError
from ethosmith.lib.pictures import Picture, read_picture

Pixels = npt.NDArray[np.uint8]
GREYS = np.arange(256, dtype=np.uint8).reshape(8, 32)
COLOURS = np.random.default_rng(5).integers(0, 256, (6, 4, 3), dtype=np.uint8)


def _read(path: Path) -> Pixels:
    return _pixels(read_picture(path))


def _pixels(picture: Picture) -> Pixels:
    width, height = struct.unpack_from("<II", picture.data)
    return np.frombuffer(picture.data, np.uint8, offset=8).reshape(height, width, 3)


def _saved(folder: Path, image: Image.Image, ending: str, **options: Any) -> Path:
    path = folder / f"a picture's $name{ending}"
    image.save(path, **options)
    return path


def _tags(**values: int | float) -> TiffImagePlugin.ImageFileDirectory_v2:
    names = {"photometric": 262, "least": 340, "largest": 341}
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    for name, value in values.items():
        tags.tagtype[names[name]] = 3 if isinstance(value, int) else 11
        tags[names[name]] = value
    return tags


DEEP: dict[str, tuple[npt.NDArray[Any], str, dict[str, Any]]] = {
    "16-bit PNG": (GREYS.astype(np.uint16) * 257, ".png", {}),
    "16-bit TIFF": (GREYS.astype(np.uint16) * 257, ".tiff", {}),
    "float TIFF": ((GREYS / 255).astype(np.float32), ".tif", {}),
    "float TIFF of a declared range": (
        (GREYS / 51 - 2).astype(np.float32),
        ".tif",
        {"tiffinfo": _tags(least=-2.0, largest=3.0)},
    ),
    "white is zero": (
        (255 - GREYS).astype(np.uint16) * 257,
        ".tif",
        {"tiffinfo": _tags(photometric=0)},
    ),
}


@pytest.mark.parametrize("kind", DEEP)
def test_deep_greys_are_those_of_the_same_picture_in_eight_bits(kind: str, tmp_path: Path) -> None:
    stored, ending, options = DEEP[kind]
    path = _saved(tmp_path, Image.fromarray(stored), ending, **options)
    assert np.array_equal(_read(path), np.repeat(GREYS[..., None], 3, axis=2))


def _sixteen_bit_rgb_png() -> bytes:
    import zlib

    def chunk(name: bytes, payload: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + payload))
        return struct.pack(">I", len(payload)) + name + payload + check

    height, width, _ = COLOURS.shape
    rows = b"".join(b"\0" + (row.astype(">u2") * 257).tobytes() for row in COLOURS)
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def test_deep_colours_are_those_of_the_same_picture_in_eight_bits(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    path.write_bytes(_sixteen_bit_rgb_png())
    assert np.array_equal(_read(path), COLOURS)


@pytest.mark.parametrize("ending", [".png", ".bmp", ".tiff", ".webp", ".ppm"])
def test_plain_pictures_are_their_pixels(ending: str, tmp_path: Path) -> None:
    options = {"lossless": True} if ending == ".webp" else {}
    assert np.array_equal(
        _read(_saved(tmp_path, Image.fromarray(COLOURS), ending, **options)), COLOURS
    )


def test_palette_and_cmyk_become_rgb(tmp_path: Path) -> None:
    palette = Image.fromarray(GREYS[:, :4]).convert("P")
    palette.putpalette(COLOURS.tobytes() * 10)
    expected = np.asarray(palette.convert("RGB"))
    assert np.array_equal(_read(_saved(tmp_path, palette, ".gif")), expected)
    cmyk = Image.new("CMYK", (2, 1), (0, 255, 255, 0))
    assert np.array_equal(_read(_saved(tmp_path, cmyk, ".tif")), [[[255, 0, 0]] * 2])
    (red,) = _read(_saved(tmp_path, Image.new("CMYK", (8, 1), (0, 255, 255, 0)), ".jpg"))
    assert np.abs(red.astype(int) - (255, 0, 0)).max() < 12


def test_transparent_parts_are_white(tmp_path: Path) -> None:
    half = Image.new("RGBA", (1, 1), (0, 0, 0, 51))
    assert _read(_saved(tmp_path, half, ".png")).tolist() == [[[204, 204, 204]]]
    deep = Image.fromarray(np.array([[0, 257, 514]], np.uint16))
    path = _saved(tmp_path, deep, ".png", transparency=257)
    assert _read(path)[0, :, 0].tolist() == [0, 255, 2]


@pytest.mark.parametrize(("orientation", "turns"), [(3, 2), (6, 3), (8, 1)])
def test_a_turned_camera_s_picture_is_upright(orientation: int, turns: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    for stored in (COLOURS, COLOURS[..., 0].astype(np.uint16) * 257):
        path = _saved(tmp_path, Image.fromarray(stored), ".png", exif=exif)
        upright = np.rot90(COLOURS, turns)
        expected = upright if stored.ndim == 3 else np.repeat(upright[..., :1], 3, axis=2)
        assert np.array_equal(_read(path), expected)


def test_of_several_frames_the_first_is_taken_and_that_is_said(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (3, 2), colour) for colour in ("red", "green", "blue")]
    for ending in (".gif", ".webp", ".tiff", ".png"):
        options = {"lossless": True} if ending == ".webp" else {}
        path = _saved(
            tmp_path, frames[0], ending, save_all=True, append_images=frames[1:], **options
        )
        picture = read_picture(path)
        assert picture.converted == "the first of several frames"
        assert _pixels(picture).tolist() == [[[255, 0, 0]] * 3] * 2


def test_what_the_device_has_no_room_for_is_the_mean_of_squares(tmp_path: Path) -> None:
    wide = np.zeros((2, 8194, 3), np.uint8)
    wide[:, ::2] = 200
    picture = read_picture(_saved(tmp_path, Image.fromarray(wide), ".png"))
    assert picture.converted == "8194x2 reduced to 4097x1"
    assert np.array_equal(_pixels(picture), np.full((1, 4097, 3), 100))
    large = Image.new("L", (4000, 3000), 7)
    picture = read_picture(_saved(tmp_path, large, ".png"))
    assert picture.converted == "4000x3000 reduced to 2000x1500"


def _content(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n%%EOF\n"
JPEG = _content(Image.fromarray(COLOURS).resize((64, 64)), "JPEG")
SIGNED = Image.fromarray(np.array([[-5, 5]], np.int32))
WRONG = {
    "EPS": (EPS, "not a picture of a known format (PNG, JPEG, BMP, GIF, TIFF, WEBP, PPM)"),
    "PDF": (b"%PDF-1.4\n", "not a picture of a known format"),
    "empty": (b"", "not a picture of a known format"),
    "half a JPEG": (JPEG[:-400], "not a readable picture: image file is truncated"),
    "signed": (_content(SIGNED, "TIFF"), "signed pixels, and nothing says which of them is black"),
    "float beyond 1": (
        _content(Image.fromarray(np.array([[0, 255]], np.float32)), "TIFF"),
        "pixels from 0 to 1 expected, 0 to 255 found",
    ),
    "no number": (
        _content(Image.fromarray(np.array([[0, np.nan]], np.float32)), "TIFF"),
        "contains pixels that are not numbers",
    ),
    "too many pixels": (b"P5 65536 65536 255\n", "more than 64 Mi pixels"),
    "many pixels": (b"P5 10000 10000 255\n", "10000x10000 are more than 64 Mi pixels"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_no_picture_is_refused(
    kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    content, reason = WRONG[kind]
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(EthosmithError) as caught:
        read_picture(path)
    assert str(caught.value).startswith(f"{path}: {reason}")
    assert capfd.readouterr() == ("", "")
