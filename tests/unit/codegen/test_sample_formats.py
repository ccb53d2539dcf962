# SPDX-License-Identifier: Apache-2.0
"""Sample files that are not what they are said to be are refused with a reason."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ethosmith.codegen.sample_formats import SampleForm, read_sample
from ethosmith.core.errors import EthosmithError
from ethosmith.lib.sound import SoundSpec

SOUND = SampleForm(SoundSpec(16000, min_s=0.0001))


def test_a_sound_is_what_its_reader_returns_and_what_was_converted_is_reported(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, np.array([1, 2, 3], np.int16) << 8, 16000, subtype="PCM_S8")
    said: list[str] = []
    assert read_sample(path, "flac", SOUND, said.append) == b"\0\1\0\2\0\3"
    assert said == ["16000 Hz mono 8-bit to 16000 Hz mono 16-bit"]


def test_a_sound_needs_a_declared_form(tmp_path: Path) -> None:
    with pytest.raises(EthosmithError, match="a sound, but the use case declares no 'sound:'"):
        read_sample(tmp_path / "a.wav", "wav")


def test_a_python_list_is_read_and_the_file_never_run(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    marker = tmp_path / "ran"
    path.write_text(f"open({str(marker)!r}, 'w')\nDATA = [1, -2, 32767]\n")
    assert read_sample(path, "pcm16-python-list", SOUND) == b"\1\0\xfe\xff\xff\x7f"
    assert not marker.exists()


def test_numbers_are_single_precision_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbf# x, y\r\n1, -0.5 # first\r\n\r\n2e3;\t7\r\n")
    assert read_sample(path, "csv") == struct.pack("<4f", 1, -0.5, 2000, 7)


def test_an_array_is_its_elements_row_by_row(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.array([[1, -2], [3, 4]], np.int8).T)
    assert read_sample(path, "npy") == b"\1\3\xfe\4"
    np.save(path, np.array([1.0, -0.5], ">f8"))
    assert read_sample(path, "npy") == struct.pack("<2f", 1, -0.5)


def _array(dtype: str) -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros(3, dtype))
    return file.getvalue()


BAD = {
    "an array of long integers": ("npy", _array("int64"), "has elements of type int64; save int8,"),
    "an array of objects": ("npy", _array("object"), "not a NumPy array: "),
    "half an array": ("npy", _array("int8")[:-1], "not a NumPy array: "),
    "no array": ("npy", b"1 2 3", "not a NumPy array: "),
    "a short list": ("pcm16-python-list", b"x = [1]\n", "at least 0.0001 s expected, 0.000 s"),
    "no list": ("pcm16-python-list", b"x = 1\n", "holds no list of numbers"),
    "a call in the list": ("pcm16-python-list", b"x = [f()]\n", "not a list of 16-bit integers"),
    "a number too large": ("pcm16-python-list", b"x = [32768]\n", "not a list of 16-bit integers"),
    "no Python": ("pcm16-python-list", b"x = [1\n", "not a list of 16-bit integers"),
    "no text": ("pcm16-python-list", b"x = [1] # \xff\n", "not a list of 16-bit integers"),
    "no picture": ("image", b"\x89PNG\r\n\x1a\n", "not a picture of a known format"),
    "a word": ("csv", b"1,2\n3,x4\n", ":2: 'x4' is not a number"),
    "infinity": ("csv", b"inf\n", ":1: inf is beyond single precision"),
    "no numbers": ("csv", b"# 1\n", "the sample is empty"),
    "bytes": ("csv", b"\xff\xfe1\0", "not a text file"),
    "empty": ("raw", b"", "the sample is empty"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_sample_is_refused(name: str, tmp_path: Path) -> None:
    kind, content, wanted = BAD[name]
    path = tmp_path / "sample"
    path.write_bytes(content)
    with pytest.raises(EthosmithError) as caught:
        read_sample(path, kind, SOUND)
    assert str(caught.value).startswith(f"{path}: {wanted}".replace(": :", ":"))
