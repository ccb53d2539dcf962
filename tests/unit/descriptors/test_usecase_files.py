# SPDX-License-Identifier: Apache-2.0
"""Every file of usecases/ has one defect; its first line is the error, after ``file:``."""

from __future__ import annotations

from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.usecase_checks import load_usecase

_FOLDER = Path(__file__).parent / "bad_usecases"
_FILES = sorted(_FOLDER.glob("*.yaml"))
_GOOD = _FOLDER / "no_defect.yml"
_LIBRARIES = ("frontend", "hal")
_PACKAGES = ("networks", "sounds")


def error_of(path: Path) -> str:
    with pytest.raises(EthosmithError) as caught:
        load_usecase(path, _LIBRARIES, _PACKAGES)
    return str(caught.value)


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.stem)
def test_a_defect_is_told_at_its_place(path: Path) -> None:
    wanted = path.read_text("utf-8").splitlines()[0].removeprefix("# ")
    assert error_of(path).replace(f"{_FOLDER}/", "") == f"{path.name}:{wanted}"


def test_the_file_without_a_defect_keeps_words_and_values_as_they_are() -> None:
    usecase = load_usecase(_GOOD, _LIBRARIES, _PACKAGES)
    assert usecase.labels == ("yes", "no", "on", "off", "$(touch x)", "it's `a` é")
    assert usecase.samples[0].expect == "yes"
    assert dict(usecase.parameters) == {
        "window_ms": 30,
        "pcan": False,
        "gain": 0.5,
        "text": 'a "quoted" word;\n$(touch x)',
        "date": "2026-11-22",
        "time": "12:30",
    }


BYTES = {
    "empty": (b"", "1:1: the file is empty; see docs/reference.md for its keys"),
    "UTF-16": ("schema: 1\n".encode("utf-16"), "1:1: not UTF-8; save the file as UTF-8"),
    "Latin-1": (b"schema: 1\ntitle: Ger\xe4t\n", "2:11: not UTF-8; save the file as UTF-8"),
    "a control character": (
        b"schema: 1\ntitle: a\0b\n",
        "2:9: the control character U+0000 is not allowed",
    ),
    "nested deeply": (b"x: " + b"[" * 40 + b"]" * 40, "1:35: nested more than 32 deep"),
    "nested very deeply": (b"[" * 500_000, "1:33: nested more than 32 deep"),
}


@pytest.mark.parametrize("name", BYTES)
def test_bytes_that_are_no_descriptor(name: str, tmp_path: Path) -> None:
    content, wanted = BYTES[name]
    path = tmp_path / "usecase.yaml"
    path.write_bytes(content)
    assert error_of(path) == f"{path}:{wanted}"


def test_a_huge_file_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    path = tmp_path / "usecase.yaml"
    path.write_bytes(b"a: 1\n" * 300_000)
    assert error_of(path) == f"{path}: 1,500,000 bytes, more than 1,048,576"


def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    assert error_of(tmp_path) == f"{tmp_path}: cannot be read: Is a directory"
