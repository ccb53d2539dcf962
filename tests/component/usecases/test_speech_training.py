# SPDX-License-Identifier: Apache-2.0
"""The script that trains the speech network: what it says, what it measures, that it runs."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ethosmith.models.input_shape import fitting_shape
from tests.support.host_build import descriptor, host_program
from tests.support.project_copy import ROOT

FOLDER = ROOT / "usecases" / "asr" / "model"


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import a module that lies beside the script."""
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module


def test_evaluation_hears_neither_voices_nor_commands_of_the_training(module: Any) -> None:
    corpus = module("corpus")
    training = list(corpus.training_utterances(3000, 7))
    evaluation = list(corpus.evaluation_utterances(300, 7))
    variants = {item.voice.split("+")[1] for item in training}
    assert not variants & {item.voice.split("+")[1] for item in evaluation}
    commands = {item.text for item in training[::2]}
    # There are only two of this kind, so both are in either set.
    assert commands & {item.text for item in evaluation} <= {"volume up", "volume down"}
    said = {word for item in training for word in item.text.split()}
    assert said == set(corpus.VOCABULARY)
    assert len(said) >= 50


def test_every_baked_sample_is_of_the_evaluation(module: Any) -> None:
    corpus = module("corpus")
    samples = descriptor("asr").samples
    assert len(samples) >= 5
    for sample in samples:
        assert sample.expect is not None
        assert corpus.is_held_out(sample.expect) or sample.expect.startswith("volume")


def test_the_tone_keeps_its_pitch_and_length_when_resampled(module: Any) -> None:
    speech = module("speech")
    tone = np.sin(2 * np.pi * 1000 * np.arange(22_050) / 22_050)
    heard = speech.resampled(tone, 22_050)
    np.testing.assert_allclose(
        heard, np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000), atol=1e-9
    )


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
def test_espeak_ng_knows_every_voice(module: Any) -> None:
    corpus, speech = module("corpus"), module("speech")
    item = next(iter(corpus.evaluation_utterances(1, 7)))
    voices = [
        f"en-us+{variant}"
        for voice_set in (corpus.TRAINING_VOICES, corpus.HELD_OUT_VOICES)
        for variant in voice_set.variants
    ]
    changed = type(item)(**{**vars(item), "noise": "none", "voice": "en-us"})
    plain = speech.spoken(changed)
    for voice in voices:
        heard = speech.spoken(type(item)(**{**vars(changed), "voice": voice}))
        assert heard.size != plain.size or (heard != plain).any(), voice


def _train(folder: Path, program: Path, *further: str) -> dict[str, Any]:
    programs = folder / "programs"
    programs.mkdir(parents=True)
    stand_in = ROOT / "tests/support/fake_espeak.py"
    espeak = programs / "espeak-ng"
    espeak.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{stand_in}" "$@"\n', "utf-8")
    espeak.chmod(0o755)
    amounts = ["--utterances", "16", "--evaluation", "2", "--samples", "2", "--epochs", "1"]
    command = [sys.executable, str(FOLDER / "train.py"), "--program", str(program), *amounts]
    path = os.pathsep.join([str(programs), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [*command, "--folder", str(folder), *further],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr
    assert "epoch 1 of 1: loss" in ran.stdout
    results: dict[str, Any] = json.loads((folder / "model" / "results.json").read_text("utf-8"))
    return results


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory, host_objects: tuple[Path, ...]) -> Path:
    usecase = descriptor("asr")
    stand_in = Path("tests/support/sampling_frontend.cc")
    sources = (*usecase.sources, f"../../{stand_in.as_posix()}")
    folder = tmp_path_factory.mktemp("host")
    return host_program(folder, usecase.replace(sources=sources), [], objects=host_objects).path


@pytest.mark.slow
def test_the_script_runs_to_its_end(program: Path, tmp_path: Path) -> None:
    recorded = tmp_path / "recorded"
    for text in ("volume up", "turn on hallway radio"):
        (recorded / text).mkdir(parents=True)
        sample = ROOT / f"usecases/asr/samples/{text.replace(' ', '_')}.wav"
        shutil.copy(sample, recorded / text / "clip-0001.wav")
    results = _train(tmp_path, program, "--recorded", str(recorded))
    assert results["recordings"] == 2
    model = tmp_path / "model" / "wav2letter_small.keras"
    assert fitting_shape(model, [173, 1, 40], "usecase.yaml") == (1, 173, 1, 40)
    for network in ("float", "int8"):
        assert results[network]["word_error_rate"] > 0.5  # It has learnt nothing from tones.
    samples = sorted((tmp_path / "samples").glob("*.wav"))
    assert [s.stem.replace("_", " ") for s in samples] == sorted(results["samples"])
    for sample in samples:
        with wave.open(str(sample)) as audio:
            assert (audio.getframerate(), audio.getnchannels()) == (16_000, 1)


@pytest.mark.slow
def test_the_script_repeats_itself(program: Path, tmp_path: Path) -> None:
    same = {"training_cpu_s": 0}
    first = _train(tmp_path / "first", program) | same
    assert _train(tmp_path / "second", program) | same == first
