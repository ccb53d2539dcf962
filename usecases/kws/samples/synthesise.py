# SPDX-License-Identifier: Apache-2.0
"""Make the WAV files of this folder: words by flite's voices, one second each.

    sudo apt-get install flite
    python usecases/kws/samples/synthesise.py

A build does not run this. flite 2.2 (Debian 12) gives the same bytes on every call. Flite and its
voices, Carnegie Mellon University's, are free software under a BSD-style licence, which does not
reach the speech that they make. The words and voices are a choice: those that the float network
hears. Others it mistakes, so they say nothing about its accuracy, with people least of all.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
import wave
from array import array
from pathlib import Path

WORDS = {"down": "rms", "go": "awb", "stop": "kal16"}

_RATE_HZ = 16_000
_PEAK = 9_830  # about 0.3 of full scale
_QUIET = 300
_AROUND = _RATE_HZ // 20


def one_second(word: str, voice: str) -> array[int]:
    """Return the word in the middle of a second of silence, as 16-bit PCM at 16 kHz."""
    speech = _spoken(word, voice)
    loudest = max(abs(value) for value in speech)
    scaled = array("h", (round(value * _PEAK / loudest) for value in speech))
    loud = [index for index, value in enumerate(scaled) if abs(value) > _QUIET]
    heard = scaled[max(0, loud[0] - _AROUND) : loud[-1] + _AROUND]
    before = (_RATE_HZ - len(heard)) // 2
    after = _RATE_HZ - len(heard) - before
    return array("h", bytes(2 * before)) + heard + array("h", bytes(2 * after))


def _spoken(word: str, voice: str) -> array[int]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "word.wav"
        command = ["flite", "-voice", voice, "-t", word, "-o", str(path)]
        subprocess.run(command, check=True, timeout=60)
        with wave.open(io.BytesIO(path.read_bytes())) as audio:
            if audio.getframerate() != _RATE_HZ:
                raise ValueError(f"{voice} speaks at {audio.getframerate()} Hz, not {_RATE_HZ}")
            return array("h", audio.readframes(audio.getnframes()))


def write(path: Path, pcm: array[int]) -> None:
    """Write a mono WAV file."""
    with wave.open(str(path), "wb") as audio:
        audio.setnchannels(1)
        audio.setsampwidth(2)
        audio.setframerate(_RATE_HZ)
        audio.writeframes(pcm.tobytes())


def main(folder: Path) -> None:
    """Write all words into ``folder``."""
    for word, voice in WORDS.items():
        write(folder / f"{word}.wav", one_second(word, voice))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
