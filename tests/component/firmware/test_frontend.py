# SPDX-License-Identifier: Apache-2.0
"""Without heap and libm the audio front end computes what TensorFlow's own code computes."""

from __future__ import annotations

import math
import random
import struct
from pathlib import Path

import pytest

from tests.support.firmware.compile import say
from tests.support.firmware.frontend_program import Frontend

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def ours(frontend: Frontend) -> Path:
    return frontend.own_program


@pytest.fixture(scope="module")
def upstream(frontend: Frontend) -> Path:
    return frontend.upstream_program


def _pcm(samples: list[float]) -> bytes:
    clipped = [max(-32768, min(32767, round(s))) for s in samples]
    return struct.pack(f"<{len(clipped)}h", *clipped)


def _signals() -> dict[str, bytes]:
    chance = random.Random(3)  # noqa: S311 - a fixed sequence is wanted
    times = [n / RATE_HZ for n in range(RATE_HZ)]
    return {
        "silence": _pcm([0.0] * RATE_HZ),
        "full scale": _pcm([32767.0 if n % 2 else -32768.0 for n in range(RATE_HZ)]),
        "noise": _pcm([chance.uniform(-32768, 32767) for _ in times]),
        "chirp": _pcm([8000 * t * math.sin(2 * math.pi * (50 + 3500 * t) * t) for t in times]),
        "shorter than a window": _pcm([1000.0] * 400),
    }


SIGNALS = _signals()
SETTINGS = {
    "kws": ["10", "20", "4000", "0.4", "0"],
    "micro speech": ["40", "125", "7500", "0.05", "1"],
    "no noise reduction": ["32", "60", "7000", "1.0", "0"],
}


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("signal", SIGNALS)
def test_features_are_tensorflow_s(ours: Path, upstream: Path, signal: str, setting: str) -> None:
    arguments = SETTINGS[setting]
    rows = say(ours, SIGNALS[signal], *arguments)
    assert rows == say(upstream, SIGNALS[signal], *arguments)
    windows = 0 if signal == "shorter than a window" else 49
    assert len(rows) == windows


def test_a_setting_that_needs_more_than_the_arena_is_refused(ours: Path) -> None:
    assert say(ours, b"", "250", "125", "7500", "0.05", "1") == ["not configured"]
