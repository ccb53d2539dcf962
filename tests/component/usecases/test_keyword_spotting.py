# SPDX-License-Identifier: Apache-2.0
"""Keyword spotting: sliding windows and detection against NumPy, features against TensorFlow's."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.support import needs
from tests.support.firmware.compile import say
from tests.support.firmware.frontend_program import Frontend
from tests.support.host_build import HostProgram, descriptor, host_program
from tests.support.project_copy import ROOT

USECASE = descriptor("kws")
FRAMES, CHANNELS = 50, 10
STEP, WINDOW, LEADING = 320, 480, 320  # samples
HOP, SMOOTHED = 8, 3  # frames, windows
SHAPE = f"1x{FRAMES}x{CHANNELS}x1"

# The first three are one input of the network; the others are scanned.
LENGTHS = (1, 15_999, 16_159, 16_160, 18_719, 18_720, 40_000)


def _clip(samples: int) -> npt.NDArray[np.int16]:
    """Return noise that swells and fades, so that the noise reduction has to follow it."""
    loudness = 6000 * (1.1 - np.cos(np.arange(samples) / 2500))
    noise = np.random.default_rng(samples).standard_normal(samples)
    return (noise * loudness).clip(-32768, 32767).astype(np.int16)


def _windows_of(frames: npt.NDArray[Any], clip_samples: int) -> list[npt.NDArray[Any]]:
    """Cut the whole clip's frames, which silence follows, into windows."""
    own = max(0, (LEADING + clip_samples - WINDOW) // STEP + 1)
    if own <= FRAMES:
        return [frames[:FRAMES]]
    # Until the last frame is in, and then until the last window has been averaged.
    starts = [0]
    while starts[-1] + FRAMES < own:
        starts.append(starts[-1] + HOP)
    starts += [starts[-1] + HOP * (late + 1) for late in range(SMOOTHED - 1)]
    return [frames[start : start + FRAMES] for start in starts]


def _padded(clip: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    return np.concatenate([np.zeros(LEADING, "<i2"), clip, np.zeros(16_000 + 12_000, "<i2")])


def _as_inputs(features: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    return np.clip(features.astype(np.int64) * 255 // 670, 0, 255).astype(np.float32)


@pytest.fixture(scope="module")
def program(
    tmp_path_factory: pytest.TempPathFactory,
    frontend: Frontend,
    host_objects: tuple[Path, ...],
) -> HostProgram:
    clips = [_clip(length).tobytes() for length in LENGTHS]
    objects = [*frontend.objects, *host_objects]
    return host_program(tmp_path_factory.mktemp("kws"), USECASE, clips, objects=objects)


@pytest.mark.parametrize("index", range(len(LENGTHS)))
def test_windows_are_slices_of_the_features_of_the_whole_clip(
    program: HostProgram, frontend: Frontend, index: int
) -> None:
    clip = _clip(LENGTHS[index])
    rows = say(frontend.upstream_program, _padded(clip).tobytes(), "10", "20", "4000", "0.4", "0")
    whole = _as_inputs(np.array([row.split() for row in rows], dtype=np.int64))
    expected = _windows_of(whole, len(clip))
    raw = program.call("preprocess", str(index), "float32", "1", "0", SHAPE).stdout
    windows = np.frombuffer(raw, "<f4").reshape(-1, FRAMES, CHANNELS)
    assert len(windows) == len(expected)
    np.testing.assert_array_equal(windows, np.stack(expected))
    assert len(np.unique(windows)) > 1


@pytest.mark.parametrize("shape", ["1x49x10x1", "1x50x11x1"])
def test_a_network_of_another_input_is_refused(program: HostProgram, shape: str) -> None:
    ran = program.refused("preprocess", "0", "float32", "1", "0", shape)
    problem = f"sample sample0: the network's tensor has {shape}, frames x channels of"
    assert problem.encode() in ran.stderr


@dataclass(frozen=True)
class Rule:
    """When a word is one; times in ms."""

    hop: int
    smoothing: int
    threshold: float
    suppression: int

    @property
    def parameters(self) -> Mapping[str, Any]:
        return {
            "hop_ms": self.hop,
            "smoothing_ms": self.smoothing,
            "detection_threshold": self.threshold,
            "suppression_ms": self.suppression,
        }


RULES = (Rule(100, 400, 0.7, 500), Rule(20, 20, 0.6, 0), Rule(60, 180, 0.45, 1000))


def _posteriors(seed: int, windows: int) -> npt.NDArray[np.int8]:
    """Return int8 outputs, of scale 1/256, in which one label after the other is likely."""
    random = np.random.default_rng(seed)
    outputs = random.integers(-128, -60, (windows, len(USECASE.labels)))
    labels = np.repeat(random.integers(0, len(USECASE.labels), windows), random.integers(1, 9))
    loud = random.random(windows) < 0.8
    likely = random.integers(20, 128, windows)
    places = np.arange(windows)[loud]
    outputs[places, labels[:windows][loud]] = likely[loud]
    return outputs.astype(np.int8)


def _averages(outputs: npt.NDArray[np.int8], count: int) -> npt.NDArray[np.float64]:
    probabilities = (outputs.astype(np.float64) + 128) / 256
    before = np.zeros((count - 1, outputs.shape[1]))
    extended = np.concatenate([before, probabilities])
    windows = np.lib.stride_tricks.sliding_window_view(extended, count, axis=0)
    return np.asarray(windows.mean(axis=-1))


def _reference(outputs: npt.NDArray[np.int8], rule: Rule) -> tuple[str, float]:
    """Find the words of a whole clip from all averages at once."""
    averages = _averages(outputs, rule.smoothing // rule.hop)
    best = averages.argmax(axis=1)
    certainty = averages.max(axis=1)
    never = [USECASE.labels.index(name) for name in ("unknown", "silence")]
    heard = np.flatnonzero((certainty >= rule.threshold) & ~np.isin(best, never))
    reported = []
    for label in set(best[heard]):
        times = heard[best[heard] == label]
        gaps_ms = np.diff(times, prepend=-(10**6)) * rule.hop
        reported += [(int(time), int(label)) for time in times[gaps_ms > rule.suppression]]
    reported.sort()
    ends = [*(time for time, _ in reported[1:]), len(best)][: len(reported)]
    peaks = [
        max(certainty[time] for time in heard if start <= time < end and best[time] == label)
        for (start, label), end in zip(reported, ends, strict=True)
    ]
    text = " ".join(
        f"{USECASE.labels[label]}@{(990 + time * rule.hop) / 1000:.2f}s" for time, label in reported
    )
    return text, float(min(peaks, default=0.0))


@pytest.fixture(scope="module")
def detectors(
    tmp_path_factory: pytest.TempPathFactory, host_objects: tuple[Path, ...]
) -> Sequence[HostProgram]:
    stand_in = Path("tests/support/sampling_frontend.cc")
    usecase = USECASE.replace(sources=(*USECASE.sources, f"../../{stand_in.as_posix()}"))
    folder = tmp_path_factory.mktemp("detectors")
    build = partial(host_program, usecase=usecase, samples=[b"\0\0"], objects=host_objects)
    return [
        build(folder=folder / str(index), parameters=rule.parameters)
        for index, rule in enumerate(RULES)
    ]


@pytest.mark.parametrize("rule", range(len(RULES)))
def test_words_are_those_of_all_averages_at_once(
    detectors: Sequence[HostProgram], rule: int
) -> None:
    words = 0
    for seed in range(25):
        outputs = _posteriors(seed, 60)
        said = _answer(detectors[rule], outputs)
        text, score = _reference(outputs, RULES[rule])
        assert said[0] == text
        assert said[1] == pytest.approx(score, abs=6e-5)
        words += len(text.split())
    assert words > 40, "the random outputs hold no words"


def _answer(program: HostProgram, outputs: npt.NDArray[np.int8]) -> tuple[str, float]:
    tensor = ["int8", repr(1 / 256), "-128", f"1x{outputs.shape[1]}"]
    said = program.call("postprocess", *tensor, given=outputs.tobytes()).stdout.decode()
    match = re.fullmatch(r'answer="(.*)" score=(\d\.\d{4})\n', said)
    assert match is not None
    return match[1], float(match[2])


def _sure_of(*labels: str) -> npt.NDArray[np.int8]:
    outputs = np.full((len(labels), len(USECASE.labels)), -128, np.int8)
    outputs[range(len(labels)), [USECASE.labels.index(label) for label in labels]] = 127
    return outputs


def test_one_window_is_answered_by_its_label_even_if_that_is_no_word(
    detectors: Sequence[HostProgram],
) -> None:
    assert _answer(detectors[0], _sure_of("silence")) == ("silence", 0.9961)


def test_a_long_clip_without_words_has_an_empty_answer(detectors: Sequence[HostProgram]) -> None:
    assert _answer(detectors[0], _sure_of(*["unknown"] * 9)) == ("", 0.0)


def test_more_words_than_the_text_holds_are_refused(detectors: Sequence[HostProgram]) -> None:
    outputs = _sure_of(*["yes", "no"] * 80)
    tensor = ["int8", repr(1 / 256), "-128", "1x12"]
    ran = detectors[1].refused("postprocess", *tensor, given=outputs.tobytes())
    assert b"more words in the sample than its answer holds" in ran.stderr


def test_the_recipe_of_the_synthetic_words_gives_the_files(tmp_path: Path) -> None:
    needs.program("flite")
    folder = ROOT / "usecases/kws/samples"
    subprocess.run([sys.executable, folder / "synthesise.py", tmp_path], check=True, timeout=60)
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert made == {path.name: path.read_bytes() for path in folder.glob("*.wav")}


@pytest.mark.parametrize(
    ("label", "value", "answer"),
    [("go", 52, "go"), ("go", 50, "unsure"), ("silence", 0, "silence"), ("unknown", 0, "unknown")],
)
def test_a_word_that_the_network_is_not_sure_of_is_no_answer(
    detectors: Sequence[HostProgram], label: str, value: int, answer: str
) -> None:
    """0.7 is 51.2 of the int8 output; silence and unknown are no words."""
    outputs = np.full((1, len(USECASE.labels)), -128, np.int8)
    outputs[0, USECASE.labels.index(label)] = value
    said, score = _answer(detectors[0], outputs)
    assert said == answer
    assert score == pytest.approx((value + 128) / 256, abs=6e-5)
