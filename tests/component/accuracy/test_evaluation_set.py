# SPDX-License-Identifier: Apache-2.0
"""Labelled files become one reproducible set; what has no label, or a wrong one, is named."""

from __future__ import annotations

import struct
import wave
from pathlib import Path

import pytest

from ethosmith.accuracy.evaluation_set import Accepted, Script, generated_items, items_of_folder
from ethosmith.accuracy.set_file import Item, read_set, write_set
from ethosmith.core.errors import EthosmithError
from ethosmith.lib.sample_formats import SampleForm
from ethosmith.lib.sound import SoundSpec

_SOUND = SampleForm(SoundSpec(16000))
_ACCEPTED = Accepted((".wav",), ("yes", "no"), _SOUND)
_SCRIPT = """
import sys
from ethosmith.accuracy.generator import Item, run_generator
from ethosmith.core.errors import EthosmithError
def make(request):
    for index in range(request.count):
        given = request.given[index]
        yield Item(f"{index}-{given.name}", given.expect, given.data + bytes([request.seed]))
sys.exit(run_generator(make))
"""


def _wav(path: Path, value: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as audio:
        audio.setparams((1, 2, 16000, 0, "NONE", ""))
        audio.writeframes(struct.pack("<h", value))


def test_a_sub_folder_is_the_label_of_its_files(tmp_path: Path) -> None:
    _wav(tmp_path / "yes/b c.wav", 1)
    _wav(tmp_path / "no/a.WAV", 2)
    _wav(tmp_path / ".hidden/x.wav", 3)
    assert items_of_folder(tmp_path, _ACCEPTED) == [
        Item("no-a", "no", b"\2\0"),
        Item("yes-b-c", "yes", b"\1\0"),
    ]


def test_labels_csv_names_files_anywhere_below(tmp_path: Path) -> None:
    _wav(tmp_path / "speaker 1/a.wav", 7)
    (tmp_path / "labels.csv").write_text('\ufeffid,label,file\n1,"turn it, off",speaker 1/a.wav\n')
    (item,) = items_of_folder(tmp_path, Accepted((".wav",), (), _SOUND))
    assert item == Item("speaker-1-a", "turn it, off", b"\7\0")


WRONG = {
    "label 'ys'; did you mean 'yes'": {"ys/a.wav": 1},
    "its label is missing": {"a.wav": 1, "yes/a.wav": 1},
    "takes .wav files, not 'a.png'": {"yes/a.png": 1},
    "give a sub-folder of files for each label": {},
}


@pytest.mark.parametrize("wanted", WRONG)
def test_a_folder_that_is_no_set(wanted: str, tmp_path: Path) -> None:
    for name, value in WRONG[wanted].items():
        _wav(tmp_path / name, value)
    with pytest.raises(EthosmithError) as caught:
        items_of_folder(tmp_path, _ACCEPTED)
    assert wanted in str(caught.value)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("path,label\na.wav,yes\n", ":1: the column 'file' is missing"),
        ("file,label\na.wav,yes\nb.wav,no\n", ":3: file not found"),
        ("file,label\na.wav\n", ":2: expected a file and its label"),
        ("file,label\n../b.wav,yes\n", ":2: '../b.wav' is outside"),
        ("file,label\na.wav,maybe\n", ":2: unknown label 'maybe'"),
    ],
)
def test_a_line_of_labels_csv_that_is_wrong(text: str, wanted: str, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    _wav(folder / "a.wav", 1)
    _wav(tmp_path / "b.wav", 1)
    (folder / "labels.csv").write_text(text)
    with pytest.raises(EthosmithError) as caught:
        items_of_folder(folder, _ACCEPTED)
    assert f"{folder / 'labels.csv'}{wanted}" in str(caught.value)


def _script(tmp_path: Path, text: str, count: int) -> Script:
    path = tmp_path / "make.py"
    path.write_text(text)
    return Script(path, seed=3, count=count)


def test_a_script_gets_the_given_items_and_its_seed(tmp_path: Path) -> None:
    given = [Item("a", "yes", b"\1\2"), Item("b", "no", b"\3")]
    made = generated_items(_script(tmp_path, _SCRIPT, 2), given, _ACCEPTED)
    assert made == [Item("0-a", "yes", b"\1\2\3"), Item("1-b", "no", b"\3\3")]


def test_a_script_that_makes_too_few_or_fails_is_told_in_one_line(tmp_path: Path) -> None:
    given = [Item("a", "yes", b"\1")]
    few = _SCRIPT.replace("range(request.count)", "range(1)")
    with pytest.raises(EthosmithError, match=r"make.py: made 1 items, not 4$"):
        generated_items(_script(tmp_path, few, 4), given, _ACCEPTED)
    missing = _SCRIPT.replace(
        "    for", "    raise EthosmithError('espeak-ng is missing')\n    for"
    )
    with pytest.raises(EthosmithError, match=r"make.py: espeak-ng is missing$"):
        generated_items(_script(tmp_path, missing, 1), given, _ACCEPTED)


def test_the_same_items_give_the_same_file(tmp_path: Path) -> None:
    items = [Item("a", "é yes", b"\0" * 9), Item("b", "no", b"")]
    write_set(tmp_path / "one.zip", items)
    write_set(tmp_path / "two.zip", items)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert read_set(tmp_path / "one.zip") == items
    (tmp_path / "two.zip").write_bytes(b"PK")
    with pytest.raises(EthosmithError, match="not a valid evaluation set"):
        read_set(tmp_path / "two.zip")
