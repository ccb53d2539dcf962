# SPDX-License-Identifier: Apache-2.0
"""Arrays in files calibrate each input by its name and type, or one line says what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.models.calibration import from_arrays
from ethosmith.models.keras_model import GivenInput

_WORDS = GivenInput("words", (1, 5), "int32", end=10)
_PICTURE = GivenInput("picture", (1, 2, 3), "float32")


def _file(folder: Path, **arrays: Any) -> Path:
    path = folder / "calibration.npz"
    np.savez(path, allow_pickle=False, **arrays)
    return path


def test_each_input_gets_its_own_array_in_its_own_type(tmp_path: Path) -> None:
    words, picture = np.arange(10).reshape(2, 5), np.arange(12.0).reshape(2, 2, 3)
    file = _file(tmp_path, picture=picture, words=words)
    first, second = from_arrays([file], [_WORDS, _PICTURE])()
    assert isinstance(first, dict) and isinstance(second, dict)
    assert {name: (one.dtype.name, one.shape) for name, one in first.items()} == {
        "words": ("int32", (1, 5)),
        "picture": ("float32", (1, 2, 3)),
    }
    assert second["words"].tolist() == [words[1].tolist()]
    assert second["picture"].tolist() == [picture[1].tolist()]


def test_one_input_alone_is_a_list(tmp_path: Path) -> None:
    (batch,) = from_arrays([_file(tmp_path, picture=np.zeros((2, 3)))], [_PICTURE])()
    assert isinstance(batch, list) and batch[0].shape == (1, 2, 3)


_GOOD = {"words": np.zeros((2, 5), int), "picture": np.zeros((2, 2, 3))}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"other": np.zeros(1)}, "has the arrays other, picture, words; the network's inputs are"),
        ({"picture": np.zeros((3, 2))}, "picture is 3x2; the network's input is 2x3, and several"),
        ({"words": np.zeros((2, 5))}, "words has float64; the input takes integers"),
        ({"words": np.full((2, 5), 10)}, "words is from 10 to 10; the input takes 0 to 9"),
        ({"picture": np.full((2, 2, 3), np.nan)}, "picture is not all finite numbers"),
        ({"picture": np.zeros((1, 2, 3))}, "different numbers of inputs: words 2, picture 1"),
        ({"picture": np.zeros((0, 2, 3))}, "picture is empty"),
    ],
    ids=["names", "shape", "type", "vocabulary", "NaN", "count", "empty"],
)
def test_what_is_wrong_is_one_line(change: Any, reason: str, tmp_path: Path) -> None:
    file = _file(tmp_path, **{**_GOOD, **change})
    with pytest.raises(EthosmithError) as caught:
        from_arrays([file], [_WORDS, _PICTURE])
    assert reason in str(caught.value)
    assert str(caught.value).startswith(f"{file}: ")


def test_another_kind_of_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(EthosmithError, match=r"text\.npz"):
        from_arrays([tmp_path / "text.npz"], [_PICTURE])
