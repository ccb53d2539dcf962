# SPDX-License-Identifier: Apache-2.0
"""A mixed clip holds its parts where they are said to be, and noise everywhere else."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.steps.mix_samples import mixed

RATE_HZ = 1000


def _mixed(
    parts: dict[float, list[int]], duration_s: float, rms: float, seed: int = 1
) -> npt.NDArray[np.int16]:
    data = [(at_s, np.array(pcm, "<i2").tobytes()) for at_s, pcm in parts.items()]
    return np.frombuffer(mixed(data, RATE_HZ, duration_s, (rms, seed)), "<i2")


def test_parts_are_added_at_their_times() -> None:
    clip = _mixed({0.002: [5, -7], 0.003: [100, 30000]}, 0.006, 0.0)
    assert clip.tolist() == [0, 0, 5, 93, 30000, 0]


def test_noise_has_its_loudness_and_is_the_seed_s() -> None:
    clip = _mixed({0.0: [0]}, 20.0, 40.0).astype(np.float64)
    assert np.sqrt(np.mean(clip**2)) == pytest.approx(40, rel=0.02)
    assert abs(clip.mean()) < 1
    assert np.array_equal(clip, _mixed({0.0: [0]}, 20.0, 40.0))
    assert not np.array_equal(clip, _mixed({0.0: [0]}, 20.0, 40.0, seed=2))


def test_what_is_too_loud_is_clipped_and_never_wraps() -> None:
    clip = _mixed({0.0: [30000, -30000], 0.001: [-30000]}, 0.002, 0.0)
    assert clip.tolist() == [30000, -32768]


def test_a_part_that_does_not_end_in_the_clip_is_refused() -> None:
    with pytest.raises(EthosmithError, match=r"the part at 0\.003 s ends at 0\.005 s, after"):
        _mixed({0.003: [1, 2]}, 0.004, 0.0)
