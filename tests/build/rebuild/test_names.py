# SPDX-License-Identifier: Apache-2.0
"""Names of the user's files mean themselves, whatever SCons or a shell would read in them."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import pytest

from tests.conftest import NewCopy

_NAMES = ("$HOME", "#x", "a b", "ü", "it's", 'q"q', "${TARGET}")


def _write_silence(path: Path) -> None:
    with wave.open(str(path), "wb") as audio:
        audio.setnchannels(1)
        audio.setsampwidth(2)
        audio.setframerate(16000)
        audio.writeframes(bytes(2 * 16000))


@pytest.mark.long
def test_every_character_of_a_name_is_taken_literally(copy_of_built: NewCopy) -> None:
    project = copy_of_built().cached()
    folder = project.root / "#my $USER files"
    folder.mkdir()
    for name in _NAMES:
        _write_silence(folder / f"{name}.wav")
    project.build("usecase=kws", f"samples={folder.name}")
    image = project.root / "build/fvp/ethos-u55-128-shared_sram"
    verified = json.loads((image / f"kws@{folder.name}_verified.json").read_text())
    assert len(verified["samples"]) == len(_NAMES)
    assert (project.root / f"build/usecases/kws@{folder.name}/samples/HOME.bin").is_file()
