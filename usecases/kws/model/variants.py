# SPDX-License-Identifier: Apache-2.0
"""Vary recordings as a microphone would: earlier or later, louder or quieter, with noise."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ethosmith.accuracy.generator import Item, Request, run_generator

_RATE_HZ = 16_000
_SHIFT_MS = 100
_GAIN_DB = (-12.0, 3.0)
_SNR_DB = (5.0, 30.0)

Pcm = npt.NDArray[np.int16]


def variants(request: Request) -> Iterator[Item]:
    """Yield variants of the given recordings in turn."""
    random = np.random.default_rng(request.seed)
    for index in range(request.count):
        item = request.given[index % len(request.given)]
        pcm = _varied(np.frombuffer(item.data, "<i2"), random)
        yield Item(f"{index:04}-{item.name}", item.expect, pcm.astype("<i2").tobytes())


def _varied(pcm: Pcm, random: np.random.Generator) -> Pcm:
    most = _SHIFT_MS * _RATE_HZ // 1000
    shift = int(random.integers(-most, most + 1))
    moved = np.zeros(pcm.size)
    moved[max(shift, 0) : pcm.size + min(shift, 0)] = pcm[max(-shift, 0) : pcm.size - max(shift, 0)]
    noise_rms = np.sqrt(np.mean(moved**2)) / 10 ** (random.uniform(*_SNR_DB) / 20)
    noisy = moved + noise_rms * random.standard_normal(pcm.size)
    heard = noisy * 10 ** (random.uniform(*_GAIN_DB) / 20)
    return np.clip(np.rint(heard), -32768, 32767).astype(np.int16)


if __name__ == "__main__":
    sys.exit(run_generator(variants))
