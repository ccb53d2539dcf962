# SPDX-License-Identifier: Apache-2.0
"""Log-mel levels as scipy computes them, and errors against the threshold."""

from __future__ import annotations

import importlib.util
import wave
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.support.host_build import HostProgram, descriptor, host_program
from tests.support.project_copy import ROOT

_FOLDER = ROOT / "usecases" / "ad"
_SHAPE = (1, 5, 128, 1)
_INPUT = ("float32", "1", "0", "1x5x128x1")
_OFFSET_DB, _DIVISOR_DB = -20.0, 15.0
_NEEDED = (60 - 1) * 512 + 1024
# Single precision against double: of bands less than 80 dB below the loudest one.
_LARGEST_ERROR_DB = 0.002
_RANGE_DB = 80.0


def _module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, _FOLDER / "model" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _recording(name: str) -> npt.NDArray[np.int16]:
    with wave.open(str(_FOLDER / "samples" / f"{name}.wav")) as file:
        return np.asarray(np.frombuffer(file.readframes(file.getnframes()), "<i2"))


def _tone(hz: float) -> npt.NDArray[np.int16]:
    time = np.arange(_NEEDED) / 16000
    pcm: npt.NDArray[np.int16] = np.rint(20000 * np.sin(2 * np.pi * hz * time)).astype(np.int16)
    return pcm


def _clips() -> dict[str, npt.NDArray[np.int16]]:
    random = np.random.default_rng(5)
    return {
        "motor": _recording("normal-1"),
        "bearing": _recording("bearing"),
        "noise": random.integers(-32768, 32768, 40_001).astype(np.int16),
        "tone of 440 Hz": _tone(440),
        "tone of 7 kHz": _tone(7000),
        "silence": np.zeros(_NEEDED, np.int16),
    }


@pytest.fixture(scope="module")
def program(
    tmp_path_factory: pytest.TempPathFactory, host_objects: tuple[Path, ...]
) -> HostProgram:
    samples = [clip.tobytes() for clip in _clips().values()]
    too_short = np.zeros(_NEEDED - 1, np.int16).tobytes()
    folder = tmp_path_factory.mktemp("ad")
    return host_program(folder, descriptor("ad"), [*samples, too_short], objects=host_objects)


def _filters() -> npt.NDArray[np.float64]:
    """Slaney's mel filter bank, bands x bins, by interpolation over the scale's edges."""
    to_mel: list[tuple[float, float]] = [(hz, hz * 0.015) for hz in range(0, 1000, 10)]
    to_mel += [
        (hz, 15 + 27 * np.log(hz / 1000) / np.log(6.4)) for hz in np.arange(1000, 8000.1, 0.5)
    ]
    hertz, mel = np.array(to_mel).T
    edges = np.interp(np.linspace(0, mel[-1], 130), mel, hertz)
    bins = np.arange(513) * 16000 / 1024
    bank = [np.interp(bins, edges[i : i + 3], [0, 1, 0], 0, 0) for i in range(128)]
    return np.asarray(np.array(bank) * (2 / (edges[2:] - edges[:-2]))[:, None])


def _levels_db(clip: npt.NDArray[np.int16]) -> npt.NDArray[np.float64]:
    middle = clip[(len(clip) - _NEEDED) // 2 :][:_NEEDED] / 32768
    from scipy import signal

    window = signal.get_window("hann", 1024)
    _, _, spectrum = signal.stft(
        middle, 16000, window, 1024, 512, boundary=None, padded=False, scaling="spectrum"
    )
    power = _filters() @ np.abs(spectrum * window.sum()) ** 2
    rows = power.T.reshape(5, 12, 128).mean(axis=1)
    return np.asarray(10 * np.log10(np.maximum(rows, 1e-10)))


@pytest.mark.parametrize("index", range(len(_clips())), ids=list(_clips()))
def test_levels_equal_scipy(program: HostProgram, index: int) -> None:
    wanted = _levels_db(list(_clips().values())[index])
    got = program.preprocess(index, _SHAPE)[0, :, :, 0].astype(np.float64)
    level = got * _DIVISOR_DB + _OFFSET_DB
    heard = wanted > wanted.max() - _RANGE_DB
    assert np.abs(level - wanted)[heard].max(initial=0) < _LARGEST_ERROR_DB
    assert (level[~heard] < wanted.max() - _RANGE_DB + 1).all()


def test_training_uses_the_same_features(program: HostProgram) -> None:
    wanted = _module("features").features(_recording("normal-1"))
    assert np.abs(program.preprocess(0, _SHAPE)[0] - wanted).max() < _LARGEST_ERROR_DB / _DIVISOR_DB


def _answer(program: HostProgram, output: npt.NDArray[Any]) -> bytes:
    given = output.astype("<f4").tobytes()
    return program.call("answer", "0", *_INPUT, "to", *_INPUT, given=given).stdout


@pytest.mark.parametrize(("error_db", "verdict"), [(0.0, "normal"), (2.9, "normal"), (3.0, "ab")])
def test_error_is_the_mean_square_in_db(
    program: HostProgram, error_db: float, verdict: str
) -> None:
    given = program.preprocess(0, _SHAPE)
    sign = np.where(np.arange(640).reshape(_SHAPE) % 2 == 0, 1, -1)
    made = given + np.float32(error_db / _DIVISOR_DB) * sign
    text, _, score = _answer(program, made).decode().partition('" score=')
    assert text.startswith(f'answer="{verdict}')
    assert float(score) == pytest.approx(error_db**2, abs=1e-4)


def test_a_clip_that_is_too_short_is_refused(program: HostProgram) -> None:
    ran = program.refused("preprocess", str(len(_clips())), *_INPUT)
    assert b"31232 or more samples of sound expected, 31231 found" in ran.stderr


@pytest.mark.parametrize("shape", ["1x5x129x1", "1x5x128", "1x5x128x2", "640"])
def test_a_network_of_another_form_is_refused(program: HostProgram, shape: str) -> None:
    ran = program.refused("preprocess", "0", "float32", "1", "0", shape)
    assert f"has {shape}, 1 x rows x bands x 1 expected".encode() in ran.stderr


@pytest.mark.parametrize("name", ["normal-1", "bearing", "tooth", "dry", "loose"])
def test_the_recipe_makes_the_samples(name: str) -> None:
    kind, number = _module("train").SAMPLES[name]
    made = _module("sounds").clip(kind, number).astype(int)
    # A step of the PCM's is left to another machine's sine.
    assert np.abs(made - _recording(name)).max() <= 1


def test_the_threshold_is_the_measured_one() -> None:
    import json

    measured = json.loads((_FOLDER / "model" / "evaluation.json").read_text("utf-8"))["int8"]
    assert descriptor("ad").parameters["threshold"] == measured["threshold_db2"]
    assert measured["auc"] > 0.97
