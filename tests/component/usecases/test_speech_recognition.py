# SPDX-License-Identifier: Apache-2.0
"""Speech recognition: windows and decoding against NumPy and a decoder of another kind."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.support.host_build import HostProgram, descriptor, host_program

CHANNELS = 40
STEP_SAMPLES, WINDOW_SAMPLES = 160, 480
ALPHABET = " abcdefghijklmnopqrstuvwxyz"
BLANK = len(ALPHABET)
# 25 steps a window, so that windows share more than they hop.
SHORT_WINDOW = 47 + 2 * 24

LENGTHS = (1, 479, 480, 481, 8_000, 15_999, 16_000, 16_160, 40_000)


def _clip(samples: int) -> npt.NDArray[np.int16]:
    return np.random.default_rng(samples).integers(-32768, 32768, samples).astype(np.int16)


@pytest.fixture(scope="module")
def program(
    tmp_path_factory: pytest.TempPathFactory, host_objects: tuple[Path, ...]
) -> HostProgram:
    usecase = descriptor("asr")
    stand_in = Path("tests/support/sampling_frontend.cc")
    sources = (*usecase.sources, f"../../{stand_in.as_posix()}")
    clips = [_clip(length).tobytes() for length in LENGTHS]
    folder = tmp_path_factory.mktemp("asr")
    return host_program(folder, usecase.replace(sources=sources), clips, objects=host_objects)


def _frames(clip: npt.NDArray[np.int16]) -> npt.NDArray[np.float32]:
    """What the stand-in hears, as the network's input; no window of the device is cut here."""
    starts = range(0, len(clip) - WINDOW_SAMPLES + 1, STEP_SAMPLES)
    first = clip[list(starts)].astype(np.int64).reshape(-1, 1)
    return ((first + 7 * np.arange(CHANNELS)) % 65536 / 128).astype(np.float32)


@pytest.mark.parametrize("frames", [SHORT_WINDOW, 173, 173 + 2 * 500])
@pytest.mark.parametrize("index", range(len(LENGTHS)))
def test_windows_are_slices_of_the_whole_clip(
    program: HostProgram, index: int, frames: int
) -> None:
    heard = _frames(_clip(LENGTHS[index]))
    hop = frames - 47 + 2
    count = max(1, -(-len(heard) // hop))
    whole = np.zeros((hop * (count - 1) + frames, CHANNELS), np.float32)
    # An output step sees 47 frames; the first is centred on the clip's first frame.
    whole[23 : 23 + len(heard)] = heard
    raw = program.call("preprocess", str(index), "float32", "1", "0", f"1x{frames}x1x40").stdout
    windows = np.frombuffer(raw, "<f4").reshape(-1, frames, CHANNELS)
    assert len(windows) == count
    for number, window in enumerate(windows):
        np.testing.assert_array_equal(window, whole[number * hop : number * hop + frames])


@pytest.mark.parametrize("shape", ["1x58x1x40", "1x60x1x40", "1x173x1x39"])
def test_a_network_whose_windows_cannot_follow_each_other_is_refused(
    program: HostProgram, shape: str
) -> None:
    ran = program.refused("preprocess", "5", "float32", "1", "0", shape)
    problem = f"sample sample5: the network's tensor has {shape}, 1 x frames x 1 x channels"
    assert problem.encode() in ran.stderr


def _probabilities(
    symbols: npt.NDArray[np.int64], seed: int, low: float = 0.85, high: float = 1.0
) -> npt.NDArray[np.float32]:
    """Outputs whose best symbols are ``symbols``, with probabilities from ``low`` to ``high``."""
    random = np.random.default_rng(seed)
    outputs = random.uniform(0, 0.4, (len(symbols), BLANK + 1)).astype(np.float32)
    outputs[np.arange(len(symbols)), symbols] = random.uniform(low, high, len(symbols))
    return outputs


def _reference(outputs: npt.NDArray[np.float32]) -> tuple[str, float]:
    """Decode by grouping and splitting, all steps at once."""
    groups = itertools.groupby(range(len(outputs)), key=lambda step: int(outputs[step].argmax()))
    emitted = [(symbol, next(steps)) for symbol, steps in groups if symbol != BLANK]
    text = "".join(ALPHABET[symbol] for symbol, _ in emitted)
    score = np.mean([outputs[step].max() for _, step in emitted]) if emitted else 0.0
    return " ".join(text.split()), float(score)


@pytest.mark.parametrize("seed", range(12))
def test_decoding_goes_on_across_windows(program: HostProgram, seed: int) -> None:
    random = np.random.default_rng(seed)
    # Few symbols in runs, so that repeats, blanks and spaces meet every window's edge.
    runs = random.choice([0, 0, 1, 5, 26, BLANK, BLANK], size=60)
    symbols = np.repeat(runs, random.integers(1, 5, size=60))[: 16 * 6]
    outputs = _probabilities(symbols, seed)
    text, score = _reference(outputs)
    for windows in (1, 2, 6):
        shape = f"1x{len(symbols) // windows}x1x28"
        said = program.call(
            "postprocess", "float32", "1", "0", shape, given=outputs.tobytes()
        ).stdout.decode()
        match = re.fullmatch(r'answer="(.*)" score=(\d\.\d{4})\n', said)
        assert match is not None
        assert match[1] == text
        assert float(match[2]) == pytest.approx(score, abs=6e-5)


def test_silence_is_no_text(program: HostProgram) -> None:
    outputs = _probabilities(np.full(64, BLANK), 0).reshape(1, 64, 1, 28)
    assert program.postprocess(outputs) == 'answer="" score=0.0000\n'


def test_a_text_that_the_network_is_not_sure_of_is_marked(program: HostProgram) -> None:
    symbols = np.array([1, 2, 3, BLANK] * 4)
    for high, answer in ((0.79, "unsure"), (0.82, "abcabcabcabc")):
        outputs = _probabilities(symbols, 0, high - 0.01, high).reshape(1, 16, 1, 28)
        assert program.postprocess(outputs).startswith(f'answer="{answer}" score=0.')


def test_a_text_that_never_ends_is_refused(program: HostProgram) -> None:
    symbols = np.tile([1, 2], 64)
    raw = _probabilities(symbols, 0).tobytes()
    ran = program.refused("postprocess", "float32", "1", "0", "1x128x1x28", given=raw)
    assert b"the text is longer than the decoder holds" in ran.stderr


def test_outputs_of_another_alphabet_are_refused(program: HostProgram) -> None:
    raw = np.zeros((10, 29), np.float32).tobytes()
    ran = program.refused("postprocess", "float32", "1", "0", "1x10x1x29", given=raw)
    assert b"the network's tensor has 1x10x1x29, scores of each symbol" in ran.stderr
