# SPDX-License-Identifier: Apache-2.0
"""Files that are cut, or whose parts are of the wrong type, end in one line that names them."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.models.compiled import read_compiled
from ethosmith.models.keras_file import converter_for
from ethosmith.models.tensor_spec import NetworkSpec, TensorSpec


def test_half_a_keras_file_is_damaged_and_not_missing(networks: Path, tmp_path: Path) -> None:
    whole = (networks / "small.keras").read_bytes()
    half = tmp_path / "half.keras"
    half.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EthosmithError, match=r"half\.keras: not a Keras file, or a damaged one"):
        converter_for(half)


def _config(**changed: Any) -> dict[str, Any]:
    layer = {
        "module": "keras.layers",
        "class_name": "InputLayer",
        "config": {"batch_shape": [None, 4], "dtype": "float32", "name": "x"},
        "registered_name": None,
    }
    config = {"name": "net", "layers": [layer], **changed}
    return {"module": "keras", "class_name": "Sequential", "config": config}


CONFIGURATIONS: dict[str, Any] = {
    "config is a list": {**_config(), "config": []},
    "layers are texts": _config(layers=["a", "b"]),
    "a layer without configuration": _config(
        layers=[{"module": "keras.layers", "class_name": "Dense", "config": None}]
    ),
    "a shape that is a text": _config(
        layers=[
            {
                "module": "keras.layers",
                "class_name": "InputLayer",
                "config": {"batch_shape": "None, 4", "name": "x"},
            }
        ]
    ),
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_configuration_of_the_wrong_type_is_one_line(
    name: str, networks: Path, tmp_path: Path
) -> None:
    model = tmp_path / "net.keras"
    with zipfile.ZipFile(networks / "small.keras") as source, zipfile.ZipFile(model, "w") as target:
        for part in source.namelist():
            known = part == "config.json"
            content = json.dumps(CONFIGURATIONS[name]).encode() if known else source.read(part)
            target.writestr(part, content)
    _is_one_line(model)


@pytest.mark.parametrize("value", [np.arange(3), 5])
def test_a_configuration_in_hdf5_that_is_no_text_is_one_line(value: Any, tmp_path: Path) -> None:
    model = tmp_path / "net.h5"
    with h5py.File(model, "w") as file:
        file.attrs["model_config"] = value
    _is_one_line(model)


def _is_one_line(model: Path) -> None:
    with pytest.raises(EthosmithError) as caught:
        converter_for(model)
    text = str(caught.value)
    assert text.startswith(f"{model}: TensorFlow cannot load this model: ")
    assert "\n" not in text
    assert len(text) < 700


@pytest.mark.parametrize("key", ["input_shape", "scratch_size", "output_offset"])
def test_vela_s_output_of_other_dimensions_is_one_line(key: str, tmp_path: Path) -> None:
    raw = tmp_path / "net_vela.npz"
    spec = TensorSpec("x", "int8", (1, 4), 0.5, 0)
    arrays: dict[str, Any] = {
        "cmd_data": np.zeros(16, np.uint8),
        "weight_data": np.zeros(16, np.uint8),
        "weight_region": np.array(0),
        "scratch_size": np.array(64),
        "scratch_region": np.array(1),
        "scratch_fast_size": np.array(0),
        "scratch_fast_region": np.array(2),
        "scratch_shape": np.array([64]),
        "scratch_fast_shape": np.array([0]),
    }
    for kind in ("input", "output"):
        arrays |= {
            f"{kind}_shape": np.array([[1, 4]]),
            f"{kind}_elem_size": np.array([1]),
            f"{kind}_region": np.array([1]),
            f"{kind}_offset": np.array([0]),
        }
    arrays[key] = np.zeros((2, 2, 2))
    np.savez(raw, allow_pickle=False, **arrays)
    with pytest.raises(EthosmithError) as caught:
        read_compiled(raw, NetworkSpec((spec,), (spec,)))
    assert str(caught.value).startswith(f"{raw}: ")
    assert "\n" not in str(caught.value)
