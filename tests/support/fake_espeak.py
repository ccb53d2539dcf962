# SPDX-License-Identifier: Apache-2.0
"""Stands in for espeak-ng: a tone for every letter, streamed as a WAV of unknown length."""

from __future__ import annotations

import math
import struct
import sys

RATE_HZ = 22_050
LETTER_SAMPLES = RATE_HZ * 60 // 1000
_UNKNOWN = 0x7FFF_F000


def tones(text: str) -> bytes:
    """Return 16-bit PCM, 60 ms a letter."""
    values = [
        round(8000 * math.sin(2 * math.pi * 50 * (ord(letter) - 90) * n / RATE_HZ))
        for letter in text
        for n in range(LETTER_SAMPLES)
    ]
    return struct.pack(f"<{len(values)}h", *values)


def main() -> None:
    """Say the last argument."""
    layout = struct.pack("<IHHIIHH", 16, 1, 1, RATE_HZ, 2 * RATE_HZ, 2, 16)
    header = b"RIFF" + struct.pack("<I", _UNKNOWN + 36) + b"WAVEfmt " + layout + b"data"
    sys.stdout.buffer.write(header + struct.pack("<I", _UNKNOWN) + tones(sys.argv[-1]))


if __name__ == "__main__":
    main()
