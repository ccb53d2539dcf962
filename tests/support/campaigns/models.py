# SPDX-License-Identifier: Apache-2.0
"""Spoilt networks: .tflite, .keras, .h5 and SavedModels."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.campaigns.ending import ending_of
from tests.support.campaigns.mutate import spoilt_bytes, spoilt_zip
from tests.support.networks.keras import make_networks


@dataclass(frozen=True)
class Network:
    """A good file and its ending; of a SavedModel the graph, without an ending."""

    data: bytes
    suffix: str


def prepare(folder: Path) -> list[Network]:
    """Make small networks, and load TensorFlow by reading one."""
    from ethosmith.models.keras_file import converter_for

    made = folder / "networks"
    made.mkdir()
    make_networks(made)
    converter_for(made / "small.keras")
    _export(made / "small.keras", made / "saved")
    files = sorted(path for path in made.iterdir() if path.is_file())
    graph = (made / "saved" / "saved_model.pb").read_bytes()
    found = [Network(path.read_bytes(), path.suffix) for path in files] + [Network(graph, "")]
    for network in found:
        _read(_write(network.data, network.suffix, folder), network.suffix)
    return found


def _export(model: Path, folder: Path) -> None:
    import keras

    keras.models.load_model(model).export(str(folder), verbose=False)


def _write(data: bytes, suffix: str, folder: Path) -> Path:
    if suffix:
        path = folder / f"hostile{suffix}"
        path.write_bytes(data)
        return path
    path = folder / "hostile"
    if not path.exists():
        shutil.copytree(folder / "networks" / "saved", path)
    (path / "saved_model.pb").write_bytes(data)
    return path


def _read(path: Path, suffix: str) -> str:
    from ethosmith.models.input_shape import network_inputs
    from ethosmith.models.int8_check import check_int8
    from ethosmith.models.keras_file import converter_for
    from ethosmith.models.tflite_file import read_tflite

    readers = (check_int8, read_tflite, network_inputs) if suffix == ".tflite" else (converter_for,)
    return " ".join(sorted({ending_of(reader, path) for reader in readers}))


def attack(good: Sequence[Network], random_: random.Random, folder: Path) -> str:
    """Read one spoilt network."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    network = random_.choice(good)
    others = [one.data for one in good if one.suffix == network.suffix]
    if network.suffix == ".keras" and random_.random() < 0.8:
        data = spoilt_zip(network.data, random_)
    else:
        data = spoilt_bytes(network.data, random_, others)
    return _read(_write(data, network.suffix, folder), network.suffix)
