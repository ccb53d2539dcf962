# SPDX-License-Identifier: Apache-2.0
"""Synthesise an utterance with espeak-ng: 16 kHz mono PCM, with noise around it."""

from __future__ import annotations

import io
import shutil
import subprocess
import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt
from corpus import Utterance

from ethosmith.core.errors import EthosmithError

RATE_HZ = 16_000
_TIME_LIMIT_S = 60

Signal = npt.NDArray[np.float64]
Pcm = npt.NDArray[np.int16]


def synthesiser() -> str:
    """Return the path of espeak-ng; EthosmithError if it is not installed."""
    program = shutil.which("espeak-ng")
    if program is None:
        raise EthosmithError("espeak-ng is missing: sudo apt-get install espeak-ng")
    return program


def spoken(item: Utterance) -> Pcm:
    """Return the utterance as the network gets to hear it."""
    speech = resampled(*_synthesised(item))
    speech *= item.level / max(float(np.abs(speech).max()), 1e-9)
    heard = np.pad(speech, (_samples(item.lead_ms), _samples(item.trail_ms)))
    noise = _noise(item.noise, heard.size, np.random.default_rng(item.seed))
    wanted_rms = _rms(speech) / 10 ** (item.snr_db / 20)
    heard += noise * wanted_rms / max(_rms(noise), 1e-9)
    return np.clip(np.round(heard * 32767), -32768, 32767).astype(np.int16)


def write_wav(path: Path, pcm: Pcm) -> None:
    """Write mono 16-bit PCM."""
    with wave.open(str(path), "wb") as audio:
        audio.setnchannels(1)
        audio.setsampwidth(2)
        audio.setframerate(RATE_HZ)
        audio.writeframes(pcm.astype("<i2").tobytes())


def resampled(signal: Signal, rate_hz: int) -> Signal:
    """Return the whole signal at 16 kHz: cut off (or zero-filled) in the frequency domain."""
    size = round(signal.size * RATE_HZ / rate_hz)
    spectrum = np.fft.rfft(signal)
    wanted = np.zeros(size // 2 + 1, dtype=spectrum.dtype)
    shared = min(wanted.size, spectrum.size)
    wanted[:shared] = spectrum[:shared]
    return np.asarray(np.fft.irfft(wanted, size) * (size / signal.size))


def _synthesised(item: Utterance) -> tuple[Signal, int]:
    command = [
        *(synthesiser(), "--stdout", "-v", item.voice, "-s", str(item.speed_wpm)),
        *("-p", str(item.pitch), "-g", str(item.gap_cs), item.text),
    ]
    done = subprocess.run(command, capture_output=True, timeout=_TIME_LIMIT_S, check=False)
    if done.returncode or not done.stdout:
        raise EthosmithError(f"espeak-ng: {done.stderr.decode('utf-8', 'replace').strip()}")
    with wave.open(io.BytesIO(_with_sizes(done.stdout))) as audio:
        pcm = np.frombuffer(audio.readframes(audio.getnframes()), "<i2")
        return pcm.astype(np.float64), audio.getframerate()


def _with_sizes(content: bytes) -> bytes:
    """Return a streamed WAV, whose 44-byte header does not know its length, with the length."""
    sizes = (len(content) - 8).to_bytes(4, "little"), (len(content) - 44).to_bytes(4, "little")
    return content[:4] + sizes[0] + content[8:40] + sizes[1] + content[44:]


def _noise(kind: str, size: int, random: np.random.Generator) -> Signal:
    if kind == "none":
        return np.zeros(size)
    if kind == "hum":
        times = np.arange(size) / RATE_HZ
        phases = random.uniform(0, 2 * np.pi, 6)
        tones = [np.sin(2 * np.pi * 50 * n * times + p) / n for n, p in enumerate(phases, 1)]
        return np.asarray(np.sum(tones, axis=0) + 0.1 * random.standard_normal(size))
    white = random.standard_normal(size)
    if kind == "white":
        return white
    spectrum = np.fft.rfft(white)
    return np.asarray(np.fft.irfft(spectrum / np.sqrt(np.arange(1, spectrum.size + 1)), size))


def _rms(signal: Signal) -> float:
    return float(np.sqrt(np.mean(np.square(signal))))


def _samples(duration_ms: int) -> int:
    return duration_ms * RATE_HZ // 1000
