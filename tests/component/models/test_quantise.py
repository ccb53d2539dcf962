# SPDX-License-Identifier: Apache-2.0
"""A network is int8 throughout behind this step, or the step says why not."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.models.calibration import RandomData, from_files, from_random
from ethosmith.models.int8_check import check_int8
from ethosmith.models.keras_model import GivenInput
from ethosmith.models.quantise import quantise

RANDOM = ("--random", '{"seed": 1, "count": 4, "low": 0, "high": 1}')


def run(model: Path, output: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ethosmith", "step", "quantise-network"]
    files = ["--model", str(model), "--model-files", str(model), "--output", str(output)]
    return subprocess.run(
        [*command, *files, *options],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_keras_formats_give_the_same_int8_network(networks: Path, tmp_path: Path) -> None:
    digests = set()
    for name in ("small.keras", "small.h5"):
        output = tmp_path / f"{name}.tflite"
        done = run(networks / name, output, *RANDOM)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        digests.add(hashlib.sha256(output.read_bytes()).hexdigest())
    assert len(digests) == 1
    spec = check_int8(output)
    assert [(tensor.dtype, tensor.shape) for tensor in spec.inputs] == [("int8", (1, 8, 8, 2))]
    assert [(tensor.dtype, tensor.shape) for tensor in spec.outputs] == [("int8", (1, 3))]


def test_a_float_tflite_without_samples_is_refused(networks: Path, tmp_path: Path) -> None:
    done = run(networks / "float.tflite", tmp_path / "out.tflite")
    assert done.returncode == 1
    assert "float.tflite: quantising needs representative data: give" in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_an_int8_tflite_passes_through_unchanged(networks: Path, tmp_path: Path) -> None:
    model, output = networks / "reversed_int8.tflite", tmp_path / "out.tflite"
    quantise(model, output, lambda shapes: from_files([], shapes))
    assert output.read_bytes() == model.read_bytes()


@pytest.mark.parametrize("kept", [0, 4, 100, 0.5, 0.99])
def test_a_truncated_tflite_is_refused(kept: float, networks: Path, tmp_path: Path) -> None:
    whole = (networks / "reversed_int8.tflite").read_bytes()
    size = int(kept * len(whole)) if isinstance(kept, float) else kept
    model = tmp_path / "half.tflite"
    model.write_bytes(whole[:size])
    with pytest.raises(EthosmithError, match=r"half\.tflite: not a (usable )?TFLite model"):
        quantise(model, tmp_path / "out.tflite", lambda shapes: from_files([], shapes))


@pytest.mark.long
def test_files_of_other_kinds_are_refused_in_one_line(networks: Path, tmp_path: Path) -> None:
    half = tmp_path / "half.h5"
    half.write_bytes((networks / "small.h5").read_bytes()[:3000])
    for model, wanted in {
        tmp_path / "model.onnx": f"error: {tmp_path}/model.onnx: not a model (.h5, .hdf5, .keras",
        half: f"error: {half}: TensorFlow cannot load this model: ",
    }.items():
        done = run(model, tmp_path / "out.tflite", *RANDOM)
        assert done.returncode == 1
        assert done.stderr.startswith(wanted), done.stderr
        assert done.stderr.count("\n") == 1


def test_no_representative_data_is_an_error_before_tensorflow_starts(tmp_path: Path) -> None:
    done = run(tmp_path / "model.h5", tmp_path / "out.tflite")
    assert done.returncode == 1
    assert "quantising needs representative data" in done.stderr
    assert done.stderr.count("\n") == 1


def test_features_of_another_size_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "yes.f32"
    file.write_bytes(np.zeros(490, "<f4").tobytes())
    with pytest.raises(EthosmithError) as caught:
        from_files([file], [GivenInput("x", (1, 50, 10, 1))])
    assert str(caught.value) == (
        f"{file}: pre-processing gives 490 values, the network's input 1x50x10x1 wants 500"
    )


def test_a_seed_gives_the_same_data_and_another_seed_other_data() -> None:
    def data(seed: int) -> bytes:
        inputs = [GivenInput("a", (1, 4)), GivenInput("b", (1, 2))]
        batches = from_random(RandomData(seed, 3, -1.0, 1.0), inputs)()
        named = [batch for batch in batches if isinstance(batch, dict)]
        return b"".join(batch[name].tobytes() for batch in named for name in ("a", "b"))

    assert data(1) == data(1)
    assert data(1) != data(2)
    assert len(data(1)) == 3 * 6 * 4
