# SPDX-License-Identifier: Apache-2.0
"""Spoilt sounds, pictures, arrays, tables, lists and labels."""

from __future__ import annotations

import io
import random
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

from ethosmith.graph.own_files import labels_of_file
from ethosmith.lib.sample_formats import SampleForm, read_sample
from ethosmith.lib.sound import SoundSpec
from ethosmith.lib.tables import ArraySpec
from tests.support.campaigns.ending import ending_of
from tests.support.campaigns.mutate import spoilt_bytes

_FORM = SampleForm(SoundSpec(16000, 1, None, 30.0), ArraySpec((3, 4, 5), None, None))
_PICTURES = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
_LABELS = "labels"


@dataclass(frozen=True)
class Sample:
    """A good file, its ending and the format that it is declared to be of."""

    data: bytes
    suffix: str
    format: str


def prepare(folder: Path) -> list[Sample]:
    """Make good files of every format."""
    del folder
    random_ = np.random.default_rng(5)
    sound = (random_.standard_normal(800) * 3000).astype(np.int16)
    return [
        *_sounds(sound),
        *_pictures(random_.integers(0, 256, (9, 7, 3), np.uint8)),
        *_arrays(random_),
        Sample(b"1.5, 2, -3e4\n0, 1, 2\n# end\n", ".csv", "csv"),
        Sample(("x = [" + ", ".join(map(str, sound[:200])) + "]\n").encode(), ".py", _LIST),
        Sample("ja\nnein\ngrößer\n".encode(), ".txt", _LABELS),
    ]


_LIST = "pcm16-python-list"


def _sounds(sound: np.ndarray) -> list[Sample]:
    plain = io.BytesIO()
    with wave.open(plain, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(sound.tobytes())
    found = [Sample(plain.getvalue(), ".wav", "wav")]
    stereo = np.stack([sound, sound[::-1]], axis=1).astype(np.float32) / 32768
    for kind, width in (("WAV", "PCM_24"), ("WAV", "FLOAT"), ("WAV", "ULAW"), ("FLAC", "PCM_16")):
        content = io.BytesIO()
        soundfile.write(content, stereo, 44100, width, format=kind)
        found.append(Sample(content.getvalue(), f".{kind.lower()}", kind.lower()))
    return found


def _pictures(pixels: np.ndarray) -> list[Sample]:
    found = []
    for kind in _PICTURES:
        for mode in ("RGB", "L", "P"):
            content = io.BytesIO()
            try:
                Image.fromarray(pixels).convert(mode).save(content, kind)
            except OSError:
                continue  # no such mode in this format
            found.append(Sample(content.getvalue(), f".{kind.lower()}", "image"))
    return found


def _arrays(random_: np.random.Generator) -> list[Sample]:
    found = []
    for dtype in ("int8", "float32", "float64", "int16"):
        content = io.BytesIO()
        np.save(content, (random_.standard_normal((3, 4, 5)) * 20).astype(dtype))
        found.append(Sample(content.getvalue(), ".npy", "npy"))
    return found


def attack(good: Sequence[Sample], random_: random.Random, folder: Path) -> str:
    """Read one spoilt file."""
    sample = random_.choice(good)
    path = folder / f"hostile{sample.suffix}"
    others = [one.data for one in good if one.format == sample.format]
    path.write_bytes(spoilt_bytes(sample.data, random_, others))
    if sample.format == _LABELS:
        return ending_of(lambda path: labels_of_file(path, path), path)
    return ending_of(lambda path: read_sample(path, sample.format, _FORM), path)
