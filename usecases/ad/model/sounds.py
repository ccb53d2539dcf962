# SPDX-License-Identifier: Apache-2.0
"""Synthesise the sound of a small geared motor, whole or with one of four faults.

Every clip is a function of its kind and number. A whole motor turns at a speed of its
own that drifts a little; one hears the shaft's harmonics, the meshing of the gear, and
noise of the air, by a microphone whose gain and noise differ from clip to clip. A fault
adds what it is known by: see `FAULTS`.
"""

from __future__ import annotations

import argparse
import sys
import wave
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

Signal = npt.NDArray[np.float64]

SAMPLE_RATE_HZ = 16_000
CLIP_SAMPLES = 32_000
NORMAL = "normal"
_TEETH = 17
_HARMONICS = 12
# What the drawn strength of a fault is multiplied by: some are hard to hear, none is nothing.
_STRENGTHS = (0.6, 1.5)


class Motor:
    """One clip's motor: what is drawn once and what follows from it."""

    def __init__(self, random: np.random.Generator) -> None:
        self.random = random
        speed_hz = random.uniform(38, 46)
        drift = 1 + 0.01 * _smooth(random, CLIP_SAMPLES, SAMPLE_RATE_HZ // 4)
        self.turns: Signal = np.cumsum(speed_hz * drift) / SAMPLE_RATE_HZ
        self.load = random.uniform(0.8, 1.2)

    def whole(self) -> Signal:
        """Return the sound of shaft, gear and air."""
        shaft = sum(
            (self.random.uniform(0.6, 1.0) / k) * self.tone(k) for k in range(1, _HARMONICS + 1)
        )
        mesh = self.tone(_TEETH) + 0.5 * self.tone(2 * _TEETH) + 0.2 * self.tone(3 * _TEETH)
        ripple = 1 + 0.1 * self.tone(1)
        air = _coloured(self.random, 300, 2500)
        return 0.12 * shaft + 0.08 * self.load * mesh * ripple + 0.05 * air

    def tone(self, order: float) -> Signal:
        """Return a sine at ``order`` times the speed, at a random phase."""
        return np.sin(2 * np.pi * (order * self.turns + self.random.uniform()))

    def strikes(self, order: float, jitter: float) -> Signal:
        """Return unit impulses at ``order`` per turn, each late by up to ``jitter`` of a turn."""
        count = int(self.turns[-1] * order)
        late = self.random.uniform(0, jitter, count)
        times = (np.arange(count) + self.random.uniform()) / order + late
        places = np.searchsorted(self.turns, times)
        train = np.zeros(CLIP_SAMPLES)
        np.add.at(train, places[places < CLIP_SAMPLES], 1.0)
        return train


def _bearing(motor: Motor) -> Signal:
    """A pitted race: strikes at 3.6 per turn ring the housing at 3.4 kHz."""
    return 0.35 * _ringing(motor.strikes(3.6, 0.01), 3400, 0.004)


def _tooth(motor: Motor) -> Signal:
    """A broken tooth: one blow a turn, and sidebands around the meshing tone."""
    sidebands = motor.tone(_TEETH) * motor.tone(1) + motor.tone(_TEETH) * motor.tone(2)
    return 0.3 * _ringing(motor.strikes(1, 0.002), 1500, 0.006) + 0.08 * sidebands


def _dry(motor: Motor) -> Signal:
    """No grease: hiss above 4 kHz that swells with every turn."""
    return 0.06 * _coloured(motor.random, 4000, 7000) * (1 + 0.5 * motor.tone(1))


def _loose(motor: Motor) -> Signal:
    """A loose cover: it rattles now and then."""
    swell = np.maximum(_smooth(motor.random, CLIP_SAMPLES, 3000), 0)
    return 0.3 * swell * _ringing(motor.strikes(2, 0.3), 900, 0.010)


FAULTS: Mapping[str, Callable[[Motor], Signal]] = {
    "bearing": _bearing,
    "tooth": _tooth,
    "dry": _dry,
    "loose": _loose,
}


def clip(kind: str, number: int) -> npt.NDArray[np.int16]:
    """Return two seconds of 16 kHz PCM: `NORMAL` or one of `FAULTS`, drawn from ``number``."""
    index = 0 if kind == NORMAL else 1 + list(FAULTS).index(kind)
    random = np.random.default_rng([index, number])
    motor = Motor(random)
    sound = motor.whole()
    if kind != NORMAL:
        sound = sound + random.uniform(*_STRENGTHS) * FAULTS[kind](motor)
    sound = sound + random.uniform(0.003, 0.01) * random.standard_normal(CLIP_SAMPLES)
    gain = 0.5 * 10 ** (random.uniform(-1.5, 1.5) / 20)
    return np.rint(np.clip(gain * sound, -1, 1) * 32767).astype(np.int16)


def _coloured(random: np.random.Generator, low_hz: float, high_hz: float) -> Signal:
    """Return noise of unit power between two frequencies, with soft edges."""
    spectrum = np.fft.rfft(random.standard_normal(CLIP_SAMPLES))
    frequency = np.fft.rfftfreq(CLIP_SAMPLES, 1 / SAMPLE_RATE_HZ)
    rise = 1 / (1 + np.exp(-(frequency - low_hz) / (0.1 * low_hz)))
    fall = 1 / (1 + np.exp((frequency - high_hz) / (0.1 * high_hz)))
    noise = np.fft.irfft(spectrum * rise * fall, CLIP_SAMPLES)
    return np.asarray(noise / noise.std())


def _ringing(strikes: Signal, frequency_hz: float, decay_s: float) -> Signal:
    """Return what a damped resonance makes of impulses."""
    time = np.arange(int(8 * decay_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    response = np.exp(-time / decay_s) * np.sin(2 * np.pi * frequency_hz * time)
    return np.convolve(strikes, response)[: len(strikes)]


def _smooth(random: np.random.Generator, count: int, step: int) -> Signal:
    """Return a slow random curve of about unit size."""
    knots = random.standard_normal(count // step + 2)
    return np.interp(np.arange(count) / step, np.arange(len(knots)), knots)


def write_wav(path: Path, pcm: npt.NDArray[np.int16]) -> None:
    """Write a mono WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(pcm.astype("<i2").tobytes())


def main() -> None:
    """Write one clip: the samples of the use case were made this way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=[NORMAL, *FAULTS])
    parser.add_argument("number", type=int)
    parser.add_argument("output", type=Path)
    given = parser.parse_args()
    write_wav(given.output, clip(given.kind, given.number))


if __name__ == "__main__":
    sys.exit(main())
