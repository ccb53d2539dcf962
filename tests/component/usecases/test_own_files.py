# SPDX-License-Identifier: Apache-2.0
"""model=, labels= and samples=: what fits is taken, what does not is named."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flatbuffers
import h5py
import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.graph.own_files import labels_of_file, samples_of_folder
from ethosmith.models.input_shape import fitting_shape, input_shapes
from ethosmith.models.tflite_file import parse_model
from tests.support.host_build import descriptor
from tests.support.networks.dense import dense_network


def _configuration(key: str, *shapes: list[int | None]) -> str:
    layers: list[dict[str, Any]] = [
        {"class_name": "InputLayer", "config": {key: shape}} for shape in shapes
    ]
    layers.append({"class_name": "Dense", "config": {"units": 3}})
    return json.dumps({"class_name": "Functional", "config": {"layers": layers}})


def _h5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = _configuration("batch_input_shape", [None, 24, 40, 3])


def _keras(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", _configuration("batch_shape", [None, 24, 40, 3]))


KINDS: dict[str, Callable[[Path], None]] = {"net.h5": _h5, "net.keras": _keras}


@pytest.mark.parametrize("name", KINDS)
def test_shape_of_a_keras_file_is_read_without_tensorflow(tmp_path: Path, name: str) -> None:
    KINDS[name](tmp_path / name)
    assert input_shapes(tmp_path / name) == [(1, 24, 40, 3)]
    assert fitting_shape(tmp_path / name, ["any", "any", 3], "u.yaml") == (1, 24, 40, 3)


@pytest.mark.parametrize("pattern", [[24, 40, 1], [24, 40], ["any", 32, 3], ["any"] * 4])
def test_a_network_that_does_not_fit_is_told_what_would(tmp_path: Path, pattern: list[Any]) -> None:
    _h5(tmp_path / "net.h5")
    wanted = " x ".join(map(str, pattern))
    with pytest.raises(EthosmithError) as error:
        fitting_shape(tmp_path / "net.h5", pattern, "u.yaml")
    assert str(error.value).endswith(
        f"net.h5: its input is 24 x 40 x 3; u.yaml fills one input of {wanted}"
    )


def test_shape_of_a_tflite_file(tmp_path: Path) -> None:
    (tmp_path / "net.tflite").write_bytes(dense_network((6, 3), seed=1))
    assert input_shapes(tmp_path / "net.tflite") == [(1, 6)]


def test_a_batch_of_several_is_refused(networks: Path, tmp_path: Path) -> None:
    model = parse_model((networks / "reversed_int8.tflite").read_bytes(), "net")
    for tensor in model.subgraphs[0].tensors:
        if tensor.shape is not None and list(tensor.shape) == [1, 8, 4]:
            tensor.shape = [4, 8, 4]
    builder = flatbuffers.Builder(4096)
    builder.Finish(model.Pack(builder), b"TFL3")
    path = tmp_path / "batch4.tflite"
    path.write_bytes(bytes(builder.Output()))
    with pytest.raises(
        EthosmithError, match=r"batch4\.tflite: takes a batch of 4; usecase\.yaml runs"
    ):
        fitting_shape(path, [8, 4], "usecase.yaml")


def test_labels_are_the_lines_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "labels.txt"
    file.write_text("cat\n light blue \r\nno\n\n", "utf-8")
    assert labels_of_file(file, file) == ("cat", "light blue", "no")


WRONG_LABELS = {
    'a\nb"c\n': ":2: 'b\"c' is not a valid label",
    "": "is empty",
    "a\n\nb\n": ":2: '' is not a valid label",
}


@pytest.mark.parametrize("text", WRONG_LABELS)
def test_a_line_that_is_no_label_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "labels.txt"
    file.write_text(text, "utf-8")
    with pytest.raises(EthosmithError) as error:
        labels_of_file(file, Path("labels.txt"))
    assert WRONG_LABELS[text] in str(error.value)


def _folder(path: Path, *names: str) -> Path:
    for name in names:
        (path / name).write_bytes(b"x")
    return path


def test_samples_are_the_files_in_the_order_of_their_names(tmp_path: Path) -> None:
    folder = _folder(tmp_path, "b.PNG", "a photo (2).jpg", ".hidden")
    samples = samples_of_folder(folder, Path("photos"), descriptor("img_class"))
    assert [s.name for s in samples] == ["a-photo-2", "b"]
    assert [s.file for s in samples] == [Path("photos/a photo (2).jpg"), Path("photos/b.PNG")]
    assert {s.format for s in samples} == {"image"}


WRONG_SAMPLES = {
    ("a.wav",): "photos/a.wav: the use case img_class takes .png",
    (): "samples=photos: the folder is empty",
    ("a.png", "a.jpg"): "two files map to the same sample name 'a'",
}


@pytest.mark.parametrize("names", WRONG_SAMPLES)
def test_files_that_the_use_case_does_not_take_are_named(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    with pytest.raises(EthosmithError) as error:
        samples_of_folder(_folder(tmp_path, *names), Path("photos"), descriptor("img_class"))
    assert WRONG_SAMPLES[names] in str(error.value)
