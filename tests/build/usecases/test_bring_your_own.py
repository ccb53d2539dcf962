# SPDX-License-Identifier: Apache-2.0
"""A user's model, labels and pictures, without editing a file of the project."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.networks.dense import dense_network
from tests.support.project_copy import ProjectCopy


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    return ProjectCopy.fresh(tmp_path_factory.mktemp("own") / "a project").cached()


@pytest.fixture(scope="module")
def int8_network(project: ProjectCopy) -> str:
    """The path of a picture network that is int8 already: 32x32x3 to 10 values."""
    path = "build/usecases/img_class/resnet8_int8.tflite"
    project.build(path, "usecase=img_class")
    return path


def _photos(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True)
    random = np.random.default_rng(3)
    for index, name in enumerate(names):
        pixels = random.integers(0, 256, (40 + index, 61, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / name)


@pytest.mark.long
def test_any_network_runs_on_random_inputs(project: ProjectCopy) -> None:
    (project.root / "my net.tflite").write_bytes(dense_network((40, 32, 7), seed=4))
    said = project.build("usecase=inference_runner", "model=my net.tflite").stdout
    assert "inference_runner@my net" in said
    # In two tables: the answers, and the traffic.
    assert said.count("  run-") == 2 * 5


@pytest.mark.long
def test_own_model_labels_and_pictures(project: ProjectCopy, int8_network: str) -> None:
    labels = [f"kind {index}" for index in range(10)]
    project.write("my.txt", "\n".join(labels) + "\n")
    _photos(project.root / "photos", "first one.png", "second.jpg")
    said = project.build(
        "usecase=img_class", f"model={int8_network}", "labels=my.txt", "samples=photos"
    ).stdout
    shown = [line.split() for line in said.splitlines() if line.startswith(("  first", "  second"))]
    # In two tables: the answers, and the traffic.
    assert [words[0] for words in shown] == 2 * ["first-one", "second"]
    assert all(words[1] == "kind" and 0 <= int(words[2]) < 10 for words in shown[:2])
    # The use case's own outputs are left alone.
    assert not (project.root / "build/usecases/img_class/expected.json").exists()


@pytest.mark.long
def test_labels_of_another_number_are_an_error(project: ProjectCopy, int8_network: str) -> None:
    project.write("three.txt", "a\nb\nc\n")
    outcome = project.scons("usecase=img_class", f"model={int8_network}", "labels=three.txt")
    assert outcome.exit_code != 0
    assert f"error: {int8_network}: its output has 10 values for 3 labels" in outcome.text
    assert outcome.steps == set(), "something was made before the labels were counted"


@pytest.mark.long
def test_a_model_of_another_shape_is_an_error(project: ProjectCopy, int8_network: str) -> None:
    outcome = project.scons("usecase=kws", f"model={int8_network}")
    assert outcome.exit_code != 0
    assert (
        f"error: {int8_network}: its input is 32 x 32 x 3;"
        " usecases/kws/usecase.yaml fills one input of 50 x 10 x 1"
    ) in outcome.text
    assert outcome.steps == set(), "something was made before the shape was compared"
