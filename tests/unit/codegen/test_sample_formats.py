# SPDX-License-Identifier: Apache-2.0
"""Sample files that are not what they are said to be are refused with a reason."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ethosmith.core.errors import EthosmithError
from ethosmith.lib.sample_formats import SampleForm, read_sample
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


def test_a_declared_array_and_the_network_s_own_are_what_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((3, 4, 5), np.int8))
    two = [{"shape": [1, 4, 5], "dtype": "int8"}, {"shape": [1, 2], "dtype": "int8"}]
    forms = {
        "shape 1x4x5x3 expected": SampleForm.of({}, [{"shape": [1, 4, 5, 3], "dtype": "int8"}]),
        "shape 4x5x3 expected": SampleForm.of({"array": {"shape": [4, 5, 3]}}),
        "shape 22 expected": SampleForm.of({}, two),
    }
    for expected, form in forms.items():
        with pytest.raises(EthosmithError, match=expected):
            read_sample(path, "npy", form)
    turned = SampleForm.of({"array": {"shape": [4, 5, 3], "axes": [1, 2, 0]}})
    assert read_sample(path, "npy", turned) == bytes(60)
    np.save(path, np.zeros(22, np.int8))
    assert read_sample(path, "npy", SampleForm.of({}, two)) == bytes(22)


def _array(dtype: str) -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros(3, dtype))
    return file.getvalue()


BAD = {
    "an array of long integers": ("npy", _array("int64"), "elements of type int8 or "),
    "an array of objects": ("npy", _array("object"), "not a NumPy array: "),
    "half an array": ("npy", _array("int8")[:-1], "not a NumPy array: "),
    "no array": ("npy", b"1 2 3", "not a NumPy array: "),
    "a short list": ("pcm16-python-list", b"x = [1]\n", "at least 0.0001 s expected, 0.000 s"),
    "no list": ("pcm16-python-list", b"x = 1\n", "holds no list of numbers"),
    "a call in the list": (
        "pcm16-python-list",
        b"x = [f()]\n",
        "not a valid list of 16-bit integers",
    ),
    "a number too large": (
        "pcm16-python-list",
        b"x = [32768]\n",
        "not a valid list of 16-bit integers",
    ),
    "no Python": ("pcm16-python-list", b"x = [1\n", "not a valid list of 16-bit integers"),
    "deep Python": ("pcm16-python-list", b"x = [" + b"-" * 90_000 + b"1]", "not a valid list"),
    "no text": ("pcm16-python-list", b"x = [1] # \xff\n", "not UTF-8 text: byte 10"),
    "no picture": ("image", b"\x89PNG\r\n\x1a\n", "not a picture of a known format"),
    "a word": ("csv", b"1,2\n3,x4\n", ":2: field 2: a finite number expected, 'x4' found"),
    "infinity": ("csv", b"inf\n", ":1: field 1: a finite number expected, 'inf' found"),
    "no numbers": ("csv", b"# 1\n", "the sample is empty"),
    "bytes": ("csv", b"\xff\xfe1\0", "not UTF-8 text: byte 0"),
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
