# SPDX-License-Identifier: Apache-2.0
"""The key ``sound:`` of a usecase.yaml: the form that its sounds are brought to."""

from __future__ import annotations

from typing import Annotated

from ethosmith.descriptors.base import Strict
from ethosmith.descriptors.words import Limits, SampleFormat

SOUND_FORMATS: frozenset[SampleFormat] = frozenset({"wav", "flac", "pcm16-python-list"})
Seconds = Annotated[float, Limits(gt=0, le=600)]


class SoundInput(Strict):
    """The sound that the application takes: 16-bit PCM, channels interleaved.

    Samples, the files of `samples=FOLDER` and those of evaluation sets are brought to it.

    Attributes:
        rate_hz: samples a second of each channel; `SAMPLE_RATE_HZ` in C.
        channels: `SAMPLE_CHANNELS` in C.
        min_s: a file with less sound is refused, in seconds.
        max_s: a file with more sound is refused, in seconds.
    """

    rate_hz: Annotated[int, Limits(ge=1000, le=192000)]
    channels: Annotated[int, Limits(ge=1, le=8)] = 1
    min_s: Seconds | None = None
    max_s: Seconds | None = None

    def __post_init__(self) -> None:
        if self.min_s is not None and self.max_s is not None and self.min_s > self.max_s:
            raise ValueError(f"min_s {self.min_s} must not be above max_s {self.max_s}")

    @property
    def parameters(self) -> dict[str, int]:
        """What the application's C++ sees of it, as parameters."""
        return {"sample_rate_hz": self.rate_hz, "sample_channels": self.channels}

    @property
    def form(self) -> dict[str, float | None]:
        """All keys with their values."""
        return {
            "rate_hz": self.rate_hz,
            "channels": self.channels,
            "min_s": self.min_s,
            "max_s": self.max_s,
        }
