# SPDX-License-Identifier: Apache-2.0
"""Make a longer clip from others: each at its time, over low noise, so that all times are known."""

from __future__ import annotations

import random
import sys
from array import array
from collections.abc import Sequence

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_bytes, write_bytes
from ethosmith.steps.step import Inputs, Output, Step, step

_LOW, _HIGH = -(1 << 15), (1 << 15) - 1


@step(verb="MIX")
class MixSamples(Step):
    """Mix clips into a longer one: each at its time, over low noise.

    Attributes:
        parts: the clips, raw PCM (int16, little endian); one may come several times.
        at_s: when each begins, in seconds.
        rate_hz: samples a second of all of them.
        duration_s: length of the result, in seconds.
        noise_rms: root mean square of the noise, in steps of int16.
        seed: of the noise.
        output: the clip, raw PCM.
    """

    parts: Inputs
    at_s: tuple[float, ...]
    rate_hz: int
    duration_s: float
    noise_rms: float
    seed: int
    output: Output

    def run(self) -> None:
        """Mix the clips and write the result."""
        if len(self.parts) != len(self.at_s):
            raise EthosmithError(f"{len(self.parts)} parts with {len(self.at_s)} times")
        placed = [
            (start_s, read_bytes(path)) for start_s, path in zip(self.at_s, self.parts, strict=True)
        ]
        clip = mixed(placed, self.rate_hz, self.duration_s, (self.noise_rms, self.seed))
        write_bytes(self.output, clip)


def mixed(
    parts: Sequence[tuple[float, bytes]], rate_hz: int, duration_s: float, noise: tuple[float, int]
) -> bytes:
    """Return a clip as int16, little endian, with the parts added to white noise.

    Args:
        parts: when each begins, in seconds, and its PCM in the same form.
        rate_hz: samples a second of all of them.
        duration_s: of the clip.
        noise: root mean square in steps of int16, and seed.

    Raises:
        EthosmithError: a part does not end within the clip.
    """
    clip = _noise(round(duration_s * rate_hz), *noise)
    for start_s, data in parts:
        pcm = _pcm(data)
        start = round(start_s * rate_hz)
        if start + len(pcm) > len(clip):
            end_s = (start + len(pcm)) / rate_hz
            raise EthosmithError(
                f"the part at {start_s:g} s ends at {end_s:.3f} s, after the clip's"
                f" duration_s {duration_s:g}"
            )
        for index, value in enumerate(pcm, start):
            clip[index] += value
    bounded = array("h", (min(max(value, _LOW), _HIGH) for value in clip))
    return _little_endian(bounded).tobytes()


def _noise(count: int, rms: float, seed: int) -> list[int]:
    # Uniform: of all distributions, Random.random alone gives the same numbers in every version.
    chance = random.Random(seed)  # noqa: S311 a fixed sequence is wanted
    span = 2 * 3**0.5 * rms
    return [round(span * (chance.random() - 0.5)) for _ in range(count)]


def _pcm(data: bytes) -> array[int]:
    if len(data) % 2:
        raise EthosmithError("a part is not 16-bit PCM")
    return _little_endian(array("h", data))


def _little_endian(values: array[int]) -> array[int]:
    if sys.byteorder == "big":
        values.byteswap()
    return values
