# SPDX-License-Identifier: Apache-2.0
"""Every usual kind of sound file gives the samples that went into it, or one clear line."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from ethosmith.core.errors import EthosmithError
from ethosmith.lib.sound import Sound, SoundSpec, read_sound

RATE_HZ = 16_000
SPEC = SoundSpec(RATE_HZ)
GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")

Pcm = npt.NDArray[np.int16]


def _reference() -> Pcm:
    random = np.random.default_rng(3)
    pcm = random.integers(-32768, 32768, RATE_HZ).astype(np.int16)
    pcm[:2] = -32768, 32767
    return pcm


REFERENCE = _reference()


def _chunk(name: bytes, payload: bytes, size: int | None = None) -> bytes:
    return name + struct.pack("<I", len(payload) if size is None else size) + payload


def _format(coding: int = 1, bits: int = 16, channels: int = 1, rate_hz: int = RATE_HZ) -> bytes:
    frame = channels * bits // 8
    return _chunk(
        b"fmt ", struct.pack("<HHIIHH", coding, channels, rate_hz, rate_hz * frame, frame, bits)
    )


def _riff(*chunks: bytes, size: int | None = None) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body) if size is None else size) + body


def _data(size: int | None = None, pcm: Pcm = REFERENCE) -> bytes:
    return _chunk(b"data", pcm.astype("<i2").tobytes(), size)


def _extensible(bits: int, valid: int, subformat: int, data: bytes) -> bytes:
    frame = bits // 8
    fields = struct.pack("<HHIIHH", 0xFFFE, 1, RATE_HZ, RATE_HZ * frame, frame, bits)
    extension = struct.pack("<HHIH", 22, valid, 4, subformat) + GUID_TAIL
    return _riff(_chunk(b"fmt ", fields + extension), _chunk(b"data", data))


def _written(
    subtype: str, container: str = "WAV", data: npt.NDArray[np.generic] = REFERENCE
) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, data, RATE_HZ, subtype=subtype, format=container)
    return file.getvalue()


def _read(folder: Path, content: bytes, spec: SoundSpec = SPEC) -> Sound:
    path = folder / "a sound's $file.wav"
    path.write_bytes(content)
    return read_sound(path, spec)


def _error(folder: Path, content: bytes, spec: SoundSpec = SPEC) -> str:
    with pytest.raises(EthosmithError) as caught:
        _read(folder, content, spec)
    return str(caught.value).partition(".wav: ")[2]


ODD = _chunk(b"LIST", b"INFOISFT\3\0\0\0abc")
WIDE = (REFERENCE.astype("<i4") << 16).tobytes()
SAME = {
    "plain": _riff(_format(), _data()),
    "24 bits": _written("PCM_24"),
    "32 bits": _written("PCM_32"),
    "float": _written("FLOAT", data=REFERENCE / np.float64(32768)),
    "double": _written("DOUBLE", data=REFERENCE / np.float64(32768)),
    "FLAC": _written("PCM_16", "FLAC"),
    "FLAC of 24 bits": _written("PCM_24", "FLAC"),
    "RF64": _written("PCM_16", "RF64"),
    "extensible": _extensible(16, 16, 1, REFERENCE.tobytes()),
    "24 valid bits of 32": _extensible(32, 24, 1, WIDE),
    "extensible float": _extensible(32, 32, 3, (REFERENCE / 32768).astype("<f4").tobytes()),
    "odd chunk with its pad": _riff(_format(), ODD + b"\0", _data()),
    "odd chunk without its pad": _riff(_format(), ODD, _data()),
    "odd chunk with a pad that is not zero": _riff(_format(), ODD + b"\xff", _data()),
    "chunk behind the sound": _riff(_format(), _data(), ODD),
    "long format chunk": _riff(_chunk(b"fmt ", _format()[8:] + b"\0\0"), _data()),
    "stream of size 0": _riff(_format(), _data(0), size=36),
    "stream of sizes 0": _riff(_format(), _data(0), size=0),
    "stream of sizes 0xFFFFFFFF": _riff(_format(), _data(0xFFFFFFFF), size=0xFFFFFFFF),
    "stream of the size that sox writes": _riff(_format(), _data(0x7FFFF000), size=0x7FFFF024),
}


@pytest.mark.parametrize("kind", SAME)
def test_the_samples_are_those_that_were_written(kind: str, tmp_path: Path) -> None:
    assert _read(tmp_path, SAME[kind]).pcm == REFERENCE.tobytes()


def test_big_endian_samples_are_turned(tmp_path: Path) -> None:
    fields = struct.pack(">HHIIHH", 1, 1, RATE_HZ, 2 * RATE_HZ, 2, 16)
    body = b"WAVEfmt " + struct.pack(">I", 16) + fields
    body += b"data" + struct.pack(">I", 2 * RATE_HZ) + REFERENCE.astype(">i2").tobytes()
    assert _read(tmp_path, b"RIFX" + struct.pack(">I", len(body)) + body).pcm == REFERENCE.tobytes()


def test_eight_bits_are_the_upper_eight_of_sixteen(tmp_path: Path) -> None:
    stored = np.arange(256, dtype=np.uint8)
    sound = _read(tmp_path, _riff(_format(bits=8), _chunk(b"data", stored.tobytes())))
    assert sound.pcm == ((stored.astype("<i2") - 128) << 8).astype("<i2").tobytes()
    assert sound.converted == "16000 Hz mono 8-bit to 16000 Hz mono 16-bit"


def test_narrower_widths_are_rounded(tmp_path: Path) -> None:
    wide = np.array([0x7FFF, 0x8000, 0x18000, -0x8001, 0x7FFFFFFF], "<i4")
    sound = _read(tmp_path, _riff(_format(bits=32), _chunk(b"data", wide.tobytes())))
    assert np.frombuffer(sound.pcm, "<i2").tolist() == [0, 0, 2, -1, 32767]
    assert sound.converted.endswith("16-bit, 1 samples clipped")


def test_two_channels_become_their_mean_and_one_becomes_two(tmp_path: Path) -> None:
    left, right = np.array([100, -4, 32767], np.int16), np.array([300, 8, 32767], np.int16)
    stereo = _written("PCM_16", data=np.stack([left, right], axis=1))
    sound = _read(tmp_path, stereo)
    assert np.frombuffer(sound.pcm, "<i2").tolist() == [200, 2, 32767]
    assert sound.converted == "16000 Hz stereo 16-bit to 16000 Hz mono 16-bit"
    two = SoundSpec(RATE_HZ, channels=2)
    assert _read(tmp_path, stereo, two) == Sound(np.stack([left, right], axis=1).tobytes())
    copied = np.frombuffer(_read(tmp_path, _written("PCM_16", data=left), two).pcm, "<i2")
    assert copied.tolist() == [100, 100, -4, -4, 32767, 32767]
    assert _error(tmp_path, stereo, SoundSpec(RATE_HZ, 3)) == "3 channels expected, 2 found"


@pytest.mark.parametrize("rate_hz", [8000, 22_050, 44_100, 48_000])
def test_another_rate_gives_the_same_tone_at_the_declared_one(rate_hz: int, tmp_path: Path) -> None:
    def tone(rate: int) -> npt.NDArray[np.float64]:
        return 0.5 * np.sin(2 * np.pi * 1000 * np.arange(rate) / rate)

    file = io.BytesIO()
    soundfile.write(file, tone(rate_hz), rate_hz, subtype="PCM_16", format="WAV")
    sound = _read(tmp_path, file.getvalue())
    got, expected = np.frombuffer(sound.pcm, "<i2") / 32768, tone(RATE_HZ)
    assert got.size == RATE_HZ
    # Filters ring at both ends.
    assert np.abs(got - expected)[1000:-1000].max() < 1e-3
    assert sound.converted == f"{rate_hz} Hz mono 16-bit to 16000 Hz mono 16-bit"


FLAC = _written("PCM_16", "FLAC")
PLAIN = SAME["plain"]
WRONG = {
    "half": (PLAIN[: 44 + RATE_HZ], "cut off: 1.000 s declared, 0.500 s found"),
    "cut in a sample": (PLAIN[: 45 + RATE_HZ], "cut off: 1.000 s declared, 0.500 s found"),
    "stream cut in a sample": (
        _riff(_format(), _data(0), size=0)[:-1],
        "cut off inside a sample: 31999 bytes are not a whole number of 2-byte frames",
    ),
    "half a FLAC": (FLAC[: len(FLAC) // 2], "cut off: 1.000 s declared, 0."),
    "only a header": (PLAIN[:40], "no sound: it ends before its 'data' chunk"),
    "half a header": (PLAIN[:20], "its 'fmt ' chunk is cut off"),
    "no format": (_riff(_data()), "its 'data' chunk comes before a 'fmt ' chunk"),
    "short format": (_riff(_chunk(b"fmt ", b"\1\0"), _data()), "its 'fmt ' chunk is cut off"),
    "no channels": (
        _riff(_chunk(b"fmt ", struct.pack("<HHIIHH", 1, 0, RATE_HZ, 0, 0, 16)), _data()),
        "its 'fmt ' chunk contradicts itself: 0 channels",
    ),
    "17 bits in 2 bytes": (
        _riff(_chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, RATE_HZ, 0, 2, 17)), _data()),
        "its 'fmt ' chunk contradicts itself: 17 bits in 2 bytes",
    ),
    "ADPCM": (_riff(_format(coding=2), _data()), "its coding (format tag 0x2) is not PCM"),
    "rate of 3 Hz": (_riff(_format(rate_hz=3), _data()), "3 Hz is not a valid sampling rate"),
    "empty": (_riff(_format(), _data(pcm=REFERENCE[:0])), "the sound is empty"),
    "empty file": (b"", "not a WAV or FLAC file; convert it: ffmpeg -i IN"),
    "MP3": (b"ID3\4" + bytes(60), "not a WAV or FLAC file; convert it: ffmpeg -i IN"),
    "damaged FLAC": (b"fLaC" + bytes(60), "not a readable sound: "),
    "no number": (
        _riff(_format(3, 32), _chunk(b"data", struct.pack("<3f", 0, 1, float("nan")))),
        "frame 2 is not a number (NaN or infinity)",
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_not_a_whole_sound_is_refused(kind: str, tmp_path: Path) -> None:
    content, reason = WRONG[kind]
    said = _error(tmp_path, content)
    assert said.startswith(reason)
    assert "\n" not in said


def test_a_sound_of_another_length_is_refused(tmp_path: Path) -> None:
    assert _error(tmp_path, PLAIN, SoundSpec(RATE_HZ, min_s=1.5)) == (
        "at least 1.5 s expected, 1.000 s found"
    )
    assert _error(tmp_path, PLAIN, SoundSpec(RATE_HZ, max_s=0.5)) == (
        "at most 0.5 s expected, 1.000 s found"
    )
    assert _read(tmp_path, PLAIN, SoundSpec(RATE_HZ, min_s=1, max_s=1)).pcm == REFERENCE.tobytes()


def test_a_small_file_cannot_become_a_large_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ethosmith.lib.sound._MAX_FRAMES", 1 << 20)
    file = io.BytesIO()
    soundfile.write(file, np.zeros((1 << 20) + 1, np.int16), RATE_HZ, format="FLAC")
    assert len(file.getvalue()) < 1 << 16
    assert _error(tmp_path, file.getvalue()) == "longer than 66 s at 16000 Hz"


def test_a_streamed_flac_is_read_to_its_end(tmp_path: Path) -> None:
    content = bytearray(FLAC)
    # The number of frames is the last 36 bits before STREAMINFO's MD5, at byte 18 + 8.
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    assert _read(tmp_path, bytes(content)).pcm == REFERENCE.tobytes()
