# SPDX-License-Identifier: Apache-2.0
"""The driver takes what Vela writes and refuses everything else without reading beyond it."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest
from ethosu.vela.api import NpuAccelerator
from ethosu.vela.driver_actions import npu_create_driver_payload

from tests.support.firmware.compile import program, say

MAGIC = 0x31504F43
CONFIG = 0x00000001
NOP = 0x00000005
ACCELERATORS = {
    NpuAccelerator.Ethos_U55_32: 0x00001005,
    NpuAccelerator.Ethos_U55_128: 0x00001807,
    NpuAccelerator.Ethos_U65_512: 0x10006009,
}


def stream(words: int) -> int:
    """Return the tag of an action with a command stream of so many words."""
    return 2 | (words >> 16) << 8 | (words & 0xFFFF) << 16


def payload(*words: int) -> bytes:
    return struct.pack(f"<{len(words)}I", *words)


@pytest.fixture(scope="module")
def parser(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("payload") / "parser"
    return program(output, "payload_harness.c", ["npu/npu_payload.c"])


def parse(parser: Path, *payloads: bytes) -> list[str]:
    return say(parser, b"".join(struct.pack("<I", len(p)) + p for p in payloads))


@pytest.mark.parametrize("accelerator", ACCELERATORS)
@pytest.mark.parametrize("words", [1, 3, 1000, 0xFFFF, 0x10000, 0x2345])
def test_a_payload_of_vela_is_taken(parser: Path, accelerator: NpuAccelerator, words: int) -> None:
    commands = [0xC0DE0000 + (i & 0xFFFF) for i in range(words)]
    made = npu_create_driver_payload(commands, accelerator)
    (line,) = parse(parser, made)
    verdict, config, ident, offset, size_bytes = line.split()
    assert verdict == "ok"
    assert int(config, 16) == ACCELERATORS[accelerator]
    assert int(ident, 16) == 0x10060000
    assert made[int(offset) :] == payload(*commands)
    assert int(size_bytes) == 4 * words


GOOD = (MAGIC, CONFIG, 0x1807, 0x10060000, NOP, NOP, NOP, stream(2), 0xA, 0xB)

MALFORMED = {
    "empty": (b"", "shorter than its four-character code"),
    "three bytes": (b"COP", "shorter than its four-character code"),
    "half a word": (payload(*GOOD) + b"\0\0", "not a whole number of words"),
    "other magic": (payload(MAGIC + 1, *GOOD[1:]), "does not begin with COP1"),
    "only the magic": (payload(MAGIC), "has no OPTIMIZER_CONFIG action"),
    "config cut off": (payload(MAGIC, CONFIG, 0x1807), "ends within an action"),
    "no config": (
        payload(MAGIC, NOP, NOP, stream(1), 0),
        "has no OPTIMIZER_CONFIG action",
    ),
    "two configs": (
        payload(MAGIC, CONFIG, 1, 2, CONFIG, 1, 2, stream(1), 0),
        "has two OPTIMIZER_CONFIG actions",
    ),
    "no stream": (payload(*GOOD[:7]), "has no COMMAND_STREAM action"),
    "empty stream": (payload(*GOOD[:7], stream(0)), "has an empty COMMAND_STREAM action"),
    "stream cut off": (payload(*GOOD[:7], stream(3), 1, 2), "ends within an action"),
    "stream of 24 bits cut off": (
        payload(*GOOD[:7], stream(0xFFFFFF), 1, 2),
        "ends within an action",
    ),
    "two streams": (
        payload(*GOOD, NOP, stream(1), 0),
        "has two COMMAND_STREAM actions",
    ),
    "stream not aligned": (
        payload(MAGIC, CONFIG, 1, 2, NOP, stream(1), 0),
        "is not 16-byte aligned",
    ),
    "register read": (payload(MAGIC, 3), "has an unknown action"),
    "unknown action": (payload(*GOOD, 0xFE), "has an unknown action"),
}


def test_the_good_payload_is_good(parser: Path) -> None:
    assert parse(parser, payload(*GOOD)) == ["ok 00001807 10060000 32 8"]


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_payload_is_refused(parser: Path, name: str) -> None:
    data, reason = MALFORMED[name]
    assert parse(parser, data) == [reason]


def test_no_corruption_is_read_beyond_its_end(parser: Path) -> None:
    chance = random.Random(20)  # noqa: S311 - a fixed sequence is wanted
    hostile = []
    for _ in range(20_000):
        data = bytearray(payload(*GOOD))
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.choice(
                (0, 1, 2, 5, 0xFF, chance.randrange(256))
            )
        hostile.append(bytes(data[: chance.randint(0, len(data))]))
    lines = parse(parser, *hostile)
    assert len(lines) == len(hostile)
    for corrupt, line in zip(hostile, lines, strict=True):
        if line.startswith("ok"):
            offset, size_bytes = map(int, line.split()[3:])
            assert offset % 16 == 0
            assert offset + size_bytes <= len(corrupt)
