# SPDX-License-Identifier: Apache-2.0
"""Read a sample file into the bytes that the device's pre-processing takes."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError, unknown_name
from ethosmith.core.files import read_bytes
from ethosmith.lib.pictures import read_picture
from ethosmith.lib.sound import Sound, SoundSpec, read_python_list, read_sound
from ethosmith.lib.tables import ANY_ARRAY, ArraySpec, read_array, read_numbers

_MAX_BYTES = 32 << 20


@dataclass(frozen=True)
class SampleForm:
    """What a use case's descriptor says of the form of its samples.

    Attributes:
        sound: of ``sound:``; None: it takes no sounds.
        array: of ``array:``, and of the network's input where nothing else is declared.
    """

    sound: SoundSpec | None = None
    array: ArraySpec = ANY_ARRAY

    @classmethod
    def of(cls, values: Mapping[str, Any], inputs: Sequence[Mapping[str, Any]] = ()) -> SampleForm:
        """Return the form that `ethosmith.descriptors.usecase.UseCase.sample_form` describes.

        Args:
            values: that.
            inputs: shape (with a batch) and dtype of each of the network's inputs, if a sample
                holds those as they are.
        """
        array = values.get("array") or {}
        shape, axes = array.get("shape"), array.get("axes")
        dtype = array.get("dtype")
        if shape is None and inputs:
            shape, dtype = _joined(inputs)
        return cls(
            sound=SoundSpec(**values["sound"]) if values.get("sound") else None,
            array=ArraySpec(
                tuple(shape) if shape is not None else None,
                dtype,
                tuple(axes) if axes is not None else None,
            ),
        )


def _joined(inputs: Sequence[Mapping[str, Any]]) -> tuple[list[int], str | None]:
    """Return shape and dtype of an array that fills all inputs, one after another."""
    dtypes = {str(one["dtype"]) for one in inputs}
    dtype = dtypes.pop() if len(dtypes) == 1 else None
    if len(inputs) == 1:
        return list(inputs[0]["shape"]), dtype
    return [sum(math.prod(one["shape"]) for one in inputs)], dtype


# Of a use case that declares nothing.
NO_FORM = SampleForm()


def _ignore(text: str) -> None:
    del text


def seed_bytes(seed: int) -> bytes:
    """Return a seed as the application reads it: uint32, little endian."""
    return struct.pack("<I", seed)


def read_raw(path: Path) -> bytes:
    """Return the file as it is."""
    return read_bytes(path)


_SOUNDS: Mapping[str, Callable[[Path, SoundSpec], Sound]] = {
    "wav": read_sound,
    "flac": read_sound,
    "pcm16-python-list": read_python_list,
}
_OTHERS: Mapping[str, Callable[[Path], bytes]] = {
    "csv": read_numbers,
    "raw": read_raw,
}


_PICTURE, _ARRAY = "image", "npy"
FORMATS = (*_SOUNDS, _PICTURE, _ARRAY, *_OTHERS)


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
    if sample_format == _ARRAY:
        return read_array(path, form.array)
    return _OTHERS[sample_format](path)
