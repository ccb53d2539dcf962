# SPDX-License-Identifier: Apache-2.0
"""Read a sample file into the bytes that the device's pre-processing takes."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.nearest import unknown_name
from ethosmith.lib.pictures import read_picture
from ethosmith.lib.sound import Sound, SoundSpec, read_python_list, read_sound

_MAX_BYTES = 32 << 20
_FLOAT_MAX = 3.4028234e38


@dataclass(frozen=True)
class SampleForm:
    """What a use case's descriptor says of the form of its samples.

    Attributes:
        sound: of ``sound:``; None: it takes no sounds.
    """

    sound: SoundSpec | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> SampleForm:
        """Return the form that `ethosmith.descriptors.usecase.UseCase.sample_form` describes."""
        return cls(sound=SoundSpec(**values["sound"]) if values.get("sound") else None)


# Of a use case that declares nothing.
NO_FORM = SampleForm()


def _ignore(text: str) -> None:
    del text


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

_SOUNDS: Mapping[str, Callable[[Path, SoundSpec], Sound]] = {
    "wav": read_sound,
    "flac": read_sound,
    "pcm16-python-list": read_python_list,
}
_OTHERS: Mapping[str, Callable[[Path], bytes]] = {
    "csv": read_numbers,
    "npy": read_array,
    "raw": read_raw,
}


_PICTURE = "image"
FORMATS = (*_SOUNDS, _PICTURE, *_OTHERS)


def read_sample(
    path: Path,
    sample_format: str,
    form: SampleForm = NO_FORM,
    report: Callable[[str], None] = _ignore,
) -> bytes:
    """Return the sample's bytes.

    Args:
        path: the file.
        sample_format: one of `FORMATS`.
        form: what the use case takes.
        report: gets a text that says what was converted, if anything was.

    Raises:
        EthosmithError: an unknown format, or a file that is not of it, is empty or
            larger than the board could hold.
    """
    if sample_format not in FORMATS:
        raise EthosmithError(unknown_name("sample format", sample_format, FORMATS))
    data = _read(path, sample_format, form, report)
    if not data:
        raise EthosmithError(f"{path}: the sample is empty")
    if len(data) > _MAX_BYTES:
        raise EthosmithError(f"{path}: {len(data)} bytes, more than {_MAX_BYTES >> 20} MiB")
    return data


def _read(path: Path, sample_format: str, form: SampleForm, report: Callable[[str], None]) -> bytes:
    if sample_format in _SOUNDS:
        if form.sound is None:
            raise EthosmithError(f"{path}: a sound, but the use case declares no 'sound:'")
        sound = _SOUNDS[sample_format](path, form.sound)
        if sound.converted:
            report(sound.converted)
        return sound.pcm
    if sample_format == _PICTURE:
        picture = read_picture(path)
        if picture.converted:
            report(picture.converted)
        return picture.data
    if path.stat().st_size > _MAX_BYTES:
        raise EthosmithError(f"{path}: larger than {_MAX_BYTES >> 20} MiB")
    return _OTHERS[sample_format](path)
