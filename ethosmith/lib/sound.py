# SPDX-License-Identifier: Apache-2.0
"""Read a sound file as the PCM that a use case declares: its rate, its channels, 16 bits."""

from __future__ import annotations

import ast
import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import parsing, read_bytes, read_text
from ethosmith.lib.wav import WavError, find_sound, is_wav

Signal = npt.NDArray[np.float64]

MAX_FILE_BYTES = 128 << 20
MAX_LIST_BYTES = 32 << 20
# At the file's own rate and at the use case's: 256 MiB as one channel of float64.
_MAX_FRAMES = 32 << 20
_MAX_CHANNELS = 64
_RATES_HZ = (1000, 768_000)
# No more is lost of what comes before a damaged place.
_BLOCK_FRAMES = 1 << 12
_UNKNOWN_FRAMES = 1 << 36
_FULL_SCALE = 1 << 15
_FLAC_MAGIC = b"fLaC"
_WIDTHS = {
    "PCM_U8": "8-bit",
    "PCM_S8": "8-bit",
    "PCM_16": "16-bit",
    "PCM_24": "24-bit",
    "PCM_32": "32-bit",
    "FLOAT": "32-bit float",
    "DOUBLE": "64-bit float",
    "ULAW": "mu-law",
    "ALAW": "A-law",
}


@dataclass(frozen=True)
class SoundSpec:
    """The sound that a use case takes, always as 16-bit PCM.

    Attributes:
        rate_hz: frames a second.
        channels: interleaved.
        min_s: a shorter sound is refused; None: any length.
        max_s: a longer sound is refused; None: any length.
    """

    rate_hz: int
    channels: int = 1
    min_s: float | None = None
    max_s: float | None = None

    def check_length(self, frames: int, name: str) -> None:
        """Check the length of the sound called ``name``.

        Raises:
            EthosmithError: it is shorter or longer than the use case takes.
        """
        expected = ""
        if self.min_s is not None and frames < round(self.min_s * self.rate_hz):
            expected = f"at least {self.min_s:g} s"
        if self.max_s is not None and frames > round(self.max_s * self.rate_hz):
            expected = f"at most {self.max_s:g} s"
        if expected:
            raise EthosmithError(
                f"{name}: {expected} expected, {frames / self.rate_hz:.3f} s found"
            )


@dataclass(frozen=True)
class Sound:
    """A sound as the use case takes it.

    Attributes:
        pcm: int16, little endian, interleaved.
        converted: what was changed, such as "44100 Hz stereo 24-bit to 16000 Hz mono 16-bit";
            empty if the file had that form.
    """

    pcm: bytes
    converted: str = ""


def read_sound(path: Path, spec: SoundSpec) -> Sound:
    """Return the sound of a WAV or FLAC file in the form of ``spec``.

    Sixteen bits stay as they are, other widths are rounded to them. Several channels become one
    by their mean, one becomes several by copies. Another rate is converted by soxr's best filter.

    Raises:
        EthosmithError: no WAV or FLAC file; it is cut off, holds no numbers, is longer than this
            reader takes, has another length than the use case takes, or channels that nothing
            says how to convert.
    """
    with _open(path, read_bytes(path, limit_bytes=MAX_FILE_BYTES)) as file:
        found = _Found(file.samplerate, file.channels, _WIDTHS.get(file.subtype, file.subtype))
        _check_channels(path, found.channels, spec.channels)
        signal = _signal(path, file, mono=spec.channels == 1)
    if not signal.size:
        raise EthosmithError(f"{path}: the sound is empty")
    if not np.isfinite(signal).all():
        frame = int(np.flatnonzero(~np.isfinite(signal).all(axis=1))[0])
        raise EthosmithError(f"{path}: frame {frame} is not a number (NaN or infinity)")
    if found.rate_hz != spec.rate_hz:
        if len(signal) * spec.rate_hz // found.rate_hz > _MAX_FRAMES:
            raise EthosmithError(
                f"{path}: {len(signal):,} frames at {found.rate_hz} Hz are more than"
                f" {_MAX_FRAMES:,} at {spec.rate_hz} Hz"
            )
        signal = _resampled(signal, found.rate_hz, spec.rate_hz)
    spec.check_length(len(signal), str(path))
    pcm, clipped = _pcm16(signal)
    if found.channels == 1 < spec.channels:
        pcm = np.repeat(pcm, spec.channels, axis=1)
    return Sound(pcm.astype("<i2").tobytes(), _conversion(found, spec, clipped))


def read_python_list(path: Path, spec: SoundSpec) -> Sound:
    """Return the first list of integers in a Python file as PCM of the declared rate.

    The file is parsed and never run.

    Raises:
        EthosmithError: no list of 16-bit integers, or of another length than the use case takes.
    """
    if spec.channels != 1:
        raise EthosmithError(f"{path}: {spec.channels} channels expected, a list has 1")
    text = read_text(path, limit_bytes=MAX_LIST_BYTES)
    with parsing(path, "list of 16-bit integers"):
        lists = (
            node.value
            for node in ast.parse(text).body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.List)
        )
        found = next(lists, None)
        values = [] if found is None else ast.literal_eval(found)
        pcm = struct.pack(f"<{len(values)}h", *values)
    if found is None:
        raise EthosmithError(f"{path}: holds no list of numbers")
    spec.check_length(len(values), str(path))
    return Sound(pcm)


@dataclass(frozen=True)
class _Found:
    rate_hz: int
    channels: int
    width: str


@contextmanager
def _open(path: Path, content: bytes) -> Iterator[Any]:
    """Yield the open `soundfile.SoundFile`; all that its reader says becomes one line."""
    import soundfile  # noqa: PLC0415 only for this format

    if is_wav(content):
        try:
            sound = find_sound(content)
        except WavError as error:
            raise EthosmithError(f"{path}: {error}") from None
        if not sound.data:
            raise EthosmithError(f"{path}: the sound is empty")
        content = sound.plain_file()
    elif not content.startswith(_FLAC_MAGIC):
        raise EthosmithError(
            f"{path}: not a WAV or FLAC file; convert it: ffmpeg -i IN {path.stem}.wav"
        )
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            # Read in one go: else a seek follows every read, which fails at the end of a streamed
            # FLAC file.
            file.seekable = lambda: False
            if not _RATES_HZ[0] <= file.samplerate <= _RATES_HZ[1]:
                raise EthosmithError(f"{path}: {file.samplerate} Hz is not a valid sampling rate")
            yield file
    except soundfile.SoundFileError as error:
        raise EthosmithError(f"{path}: not a readable sound: {_reason(error)}") from None


def _check_channels(path: Path, found: int, expected: int) -> None:
    if found > _MAX_CHANNELS or (found not in (expected, 1) and expected != 1):
        raise EthosmithError(f"{path}: {expected} channels expected, {found} found")


def _signal(path: Path, file: Any, *, mono: bool) -> Signal:
    """Return frames x channels, full scale 1; the mean of the channels if ``mono``."""
    blocks: list[Signal] = []
    found = 0
    for block in _blocks(path, file):
        found += len(block)
        if found > _MAX_FRAMES:
            limit_s = _MAX_FRAMES / file.samplerate
            raise EthosmithError(f"{path}: longer than {limit_s:.0f} s at {file.samplerate} Hz")
        blocks.append(block.mean(axis=1, keepdims=True) if mono else block)
    return np.concatenate(blocks) if blocks else np.zeros((0, 1))


def _blocks(path: Path, file: Any) -> Iterator[Signal]:
    """Yield the file's frames; EthosmithError where there are fewer than it declares."""
    import soundfile  # noqa: PLC0415 only for this format

    found, reason = 0, ""
    try:
        while len(block := file.read(_BLOCK_FRAMES, dtype="float64", always_2d=True)):
            found += len(block)
            yield block
    except soundfile.SoundFileError as error:
        reason = f" ({_reason(error)})"
    # A streamed FLAC file declares no length; libsndfile then has the largest number there is.
    if reason or found < file.frames < _UNKNOWN_FRAMES:
        declared_s, found_s = (count / file.samplerate for count in (file.frames, found))
        raise EthosmithError(
            f"{path}: cut off: {declared_s:.3f} s declared, {found_s:.3f} s found{reason}"
        )


def _reason(error: Exception) -> str:
    return str(error).rpartition(": ")[2].rstrip(".") or "damaged"


def _resampled(signal: Signal, rate_hz: int, wanted_hz: int) -> Signal:
    import soxr  # noqa: PLC0415 only for other rates

    return np.asarray(soxr.resample(signal, rate_hz, wanted_hz, quality="VHQ"), np.float64)


def _pcm16(signal: Signal) -> tuple[npt.NDArray[np.int16], int]:
    """Return the signal in 16 bits, and how many samples lay beyond them."""
    scaled = np.rint(signal * _FULL_SCALE)
    bounded = np.clip(scaled, -_FULL_SCALE, _FULL_SCALE - 1)
    return bounded.astype(np.int16), int(np.count_nonzero(scaled != bounded))


def _conversion(found: _Found, spec: SoundSpec, clipped: int) -> str:
    wanted = _Found(spec.rate_hz, spec.channels, _WIDTHS["PCM_16"])
    if found == wanted:
        return ""
    text = f"{_form(found)} to {_form(wanted)}"
    return f"{text}, {clipped} samples clipped" if clipped else text


def _form(sound: _Found) -> str:
    names = {1: "mono", 2: "stereo"}
    channels = names.get(sound.channels, f"{sound.channels} channels")
    return f"{sound.rate_hz} Hz {channels} {sound.width}"
