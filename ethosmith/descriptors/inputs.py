# SPDX-License-Identifier: Apache-2.0
"""The keys ``sound:`` and ``array:`` of a usecase.yaml: the form that samples are brought to."""

from __future__ import annotations

from typing import Annotated, Any, Literal

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


Size = Annotated[int, Limits(ge=1, le=65536)] | Literal["any"]


class ArrayInput(Strict):
    """The array in the .npy files that the application takes.

    Attributes:
        shape: outermost first, `any` where every size is taken; without it, the model's
            `input_shape`, or the network's own input where there is none.
        dtype: of its elements, where float32 is not meant; without it, all four are taken.
        axes: the order that a file's axes are brought to, counted from 0 as for numpy.transpose:
            `[1, 2, 0]` makes height x width x channels of channels x height x width.
    """

    shape: Annotated[tuple[Size, ...], Limits(min_length=1, max_length=6)] | None = None
    dtype: Literal["int8", "uint8", "int16", "float32"] | None = None
    axes: Annotated[tuple[Annotated[int, Limits(ge=0, le=7)], ...], Limits(min_length=1)] | None = (
        None
    )

    def __post_init__(self) -> None:
        if self.axes is not None and sorted(self.axes) != list(range(len(self.axes))):
            raise ValueError(f"axes {list(self.axes)} must name every axis from 0 once")

    @property
    def form(self) -> dict[str, Any]:
        """All keys with their values."""
        return {"shape": self.shape, "dtype": self.dtype, "axes": self.axes}
