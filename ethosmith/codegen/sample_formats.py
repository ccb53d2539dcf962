# SPDX-License-Identifier: Apache-2.0
"""Read a sample file into the bytes that the device's pre-processing takes."""

from __future__ import annotations

import argparse
import ast
import re
import struct
import sys
import wave
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import write_bytes
from ethosmith.core.nearest import unknown_name
from ethosmith.core.program import run_step

_MOST_BYTES = 32 << 20
_FLOAT_MAX = 3.4028234e38


def read_wav(path: Path) -> bytes:
    """Return the PCM of a mono, 16-bit WAV file: int16, little endian, at its own rate."""
    try:
        with wave.open(str(path), "rb") as audio:
            if audio.getnchannels() != 1 or audio.getsampwidth() != 2:
                raise EthosmithError(
                    f"{path}: {audio.getnchannels()} channels of {8 * audio.getsampwidth()} bits;"
                    " a sample is mono with 16 bits: sox IN -c 1 -b 16 -r 16000 OUT"
                )
            return audio.readframes(audio.getnframes())
    except (wave.Error, EOFError) as error:
        raise EthosmithError(f"{path}: not a WAV file: {error}") from None


def read_python_list(path: Path) -> bytes:
    """Return the first list of integers in a Python file as int16, little endian.

    The file is parsed and never run.
    """
    try:
        tree = ast.parse(path.read_text("utf-8"))
        values = next(
            ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.List)
        )
        return struct.pack(f"<{len(values)}h", *values)
    except StopIteration:
        raise EthosmithError(f"{path}: holds no list of numbers") from None
    except (SyntaxError, ValueError, struct.error) as error:
        raise EthosmithError(f"{path}: not a list of 16-bit integers: {error}") from None


def read_image(path: Path) -> bytes:
    """Return a picture as firmware/vision/image.h describes it: width, height, RGB.

    Two uint32 (little endian), then three bytes per pixel, row by row from the top left.
    Grey, palette and CMYK pictures become RGB; transparent parts become white; a camera's
    note of how it was held is followed.
    """
    from PIL import Image, ImageOps  # noqa: PLC0415 only for this format

    try:
        with Image.open(path) as file:
            upright = ImageOps.exif_transpose(file)
            if upright.has_transparency_data:
                paper = Image.new("RGBA", upright.size, "white")
                upright = Image.alpha_composite(paper, upright.convert("RGBA"))
            picture = upright.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise EthosmithError(f"{path}: not a readable picture: {error}") from None
    return struct.pack("<II", *picture.size) + picture.tobytes()


def read_numbers(path: Path) -> bytes:
    """Return the numbers of a text file as float32, little endian.

    Commas, semicolons, spaces and line ends part them; what follows a `#` is a remark.
    """
    values: list[float] = []
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise EthosmithError(f"{path}: not a text file") from None
    for number, line in enumerate(lines, start=1):
        words = re.findall(r"[^,;\s]+", line.partition("#")[0])
        values += [_number(word, f"{path}:{number}") for word in words]
    return struct.pack(f"<{len(values)}f", *values)


def _number(word: str, where: str) -> float:
    try:
        value = float(word)
    except ValueError:
        raise EthosmithError(f"{where}: '{word[:40]}' is not a number") from None
    if not abs(value) <= _FLOAT_MAX:
        raise EthosmithError(f"{where}: {word[:40]} is beyond single precision")
    return value


def seed_bytes(seed: int) -> bytes:
    """Return a seed as the application reads it: uint32, little endian."""
    return struct.pack("<I", seed)


def read_raw(path: Path) -> bytes:
    """Return the file as it is."""
    return path.read_bytes()


def read_array(path: Path) -> bytes:
    """Return the elements of a NumPy file, row by row: int8, uint8, int16 or float32.

    Double precision becomes single.
    """
    import numpy as np  # noqa: PLC0415 only for this format

    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise EthosmithError(f"{path}: not a NumPy array: {error}") from None
    if not isinstance(array, np.ndarray):
        raise EthosmithError(f"{path}: holds several arrays; save one with numpy.save")
    array = array.astype(array.dtype.newbyteorder("<"))
    if array.dtype == np.dtype("<f8"):
        array = array.astype("<f4")
    if array.dtype.name not in _ARRAY_DTYPES:
        raise EthosmithError(
            f"{path}: has elements of type {array.dtype}; save {', '.join(_ARRAY_DTYPES)}"
        )
    return bytes(array.tobytes())


_ARRAY_DTYPES = ("int8", "uint8", "int16", "float32")

FORMATS: Mapping[str, Callable[[Path], bytes]] = {
    "wav": read_wav,
    "pcm16-python-list": read_python_list,
    "image": read_image,
    "csv": read_numbers,
    "npy": read_array,
    "raw": read_raw,
}


def read_sample(path: Path, sample_format: str) -> bytes:
    """Return the sample's bytes.

    Raises:
        EthosmithError: an unknown format, or a file that is not of it, is empty or
            larger than the board could hold.
    """
    if sample_format not in FORMATS:
        raise EthosmithError(unknown_name("sample format", sample_format, FORMATS))
    if path.stat().st_size > _MOST_BYTES:
        raise EthosmithError(f"{path}: larger than {_MOST_BYTES >> 20} MiB")
    data = FORMATS[sample_format](path)
    if not data:
        raise EthosmithError(f"{path}: the sample is empty")
    if len(data) > _MOST_BYTES:
        raise EthosmithError(f"{path}: {len(data)} bytes, more than {_MOST_BYTES >> 20} MiB")
    return data


def main(argv: Sequence[str]) -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(prog="python -m ethosmith.codegen.sample_formats")
    kind = parser.add_mutually_exclusive_group(required=True)
    kind.add_argument("--input", type=Path, help="with --format")
    kind.add_argument("--seed", type=int, help="a number in place of a file")
    parser.add_argument("--format", choices=sorted(FORMATS))
    parser.add_argument("--output", type=Path, required=True)
    given = parser.parse_args(argv)
    if given.input is None:
        write_bytes(given.output, seed_bytes(given.seed))
    elif given.format is None:
        parser.error("--input needs --format")
    else:
        write_bytes(given.output, read_sample(given.input, given.format))


if __name__ == "__main__":
    sys.exit(run_step(main))
