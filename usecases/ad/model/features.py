# SPDX-License-Identifier: Apache-2.0
"""The features of src/ad.cc in numpy, for training: five rows of a log-mel spectrogram."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SAMPLE_RATE_HZ = 16_000
FRAME_SAMPLES = 1024
HOP_SAMPLES = 512
FRAMES_PER_ROW = 12
ROWS = 5
BANDS = 128
LEVEL_OFFSET_DB = -20.0
LEVEL_DIVISOR_DB = 15.0
_MIN_POWER = 1e-10


def features(pcm: npt.NDArray[np.int16]) -> npt.NDArray[np.float32]:
    """Return the network's input for the middle of a clip: ``ROWS`` x ``BANDS`` x 1."""
    frames = ROWS * FRAMES_PER_ROW
    needed = (frames - 1) * HOP_SAMPLES + FRAME_SAMPLES
    middle = pcm[(len(pcm) - needed) // 2 :][:needed] / 32768
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME_SAMPLES) / FRAME_SAMPLES)
    places = np.arange(frames)[:, None] * HOP_SAMPLES + np.arange(FRAME_SAMPLES)
    power = np.abs(np.fft.rfft(middle[places] * window)) ** 2 @ _FILTERS
    rows = power.reshape(ROWS, FRAMES_PER_ROW, BANDS).mean(axis=1)
    level_db = 10 * np.log10(np.maximum(rows, _MIN_POWER))
    scaled = (level_db - LEVEL_OFFSET_DB) / LEVEL_DIVISOR_DB
    return np.asarray(scaled[..., None], np.float32)


def error_db2(given: npt.NDArray[np.float32], made: npt.NDArray[np.float32]) -> float:
    """Return the mean squared difference of two inputs in dB squared."""
    return float(np.mean((made - given) ** 2)) * LEVEL_DIVISOR_DB**2


def _mel_filters() -> npt.NDArray[np.float64]:
    """Return triangles of equal area on Slaney's mel scale: bins x bands."""
    knee, step = 15.0, np.log(6.4) / 27
    last = knee + np.log(SAMPLE_RATE_HZ / 2 / 1000) / step
    mel = np.linspace(0, last, BANDS + 2)
    edges = np.where(mel < knee, mel * 200 / 3, 1000 * np.exp((mel - knee) * step))
    frequency = np.fft.rfftfreq(FRAME_SAMPLES, 1 / SAMPLE_RATE_HZ)[:, None]
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    triangles = np.minimum((frequency - low) / (centre - low), (high - frequency) / (high - centre))
    return np.asarray(np.maximum(triangles, 0) * 2 / (high - low))


_FILTERS = _mel_filters()
