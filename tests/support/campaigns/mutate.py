# SPDX-License-Identifier: Apache-2.0
"""Ways to spoil bytes, text and trees of values."""

from __future__ import annotations

import copy
import io
import random
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

_EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 24)
_WORDS = (2, 4, 4, 8)
_FLOODS = (
    b"-",
    b"(",
    b"[",
    b"{",
    b"[{",
    b"a.",
    b"1+",
    b"- ",
    b"\n",
    b'"',
    b"9",
    b"\t",
    b"\x80",
    b"<",
)
_MAX_BYTES = 4 << 20


def _flip(data: bytearray, random_: random.Random) -> None:
    data[random_.randrange(len(data))] ^= 1 << random_.randrange(8)


def _extreme(data: bytearray, random_: random.Random) -> None:
    width = random_.choice(_WORDS)
    at = random_.randrange(len(data)) // width * width
    value = random_.choice(_EXTREMES) & ((1 << 8 * width) - 1)
    data[at : at + width] = value.to_bytes(width, random_.choice(("little", "big")))


def _add(data: bytearray, random_: random.Random) -> None:
    at = random_.randrange(len(data)) // 4 * 4
    value = int.from_bytes(data[at : at + 4], "little") + random_.choice((-4, -1, 1, 4, 64))
    data[at : at + 4] = (value & 0xFFFFFFFF).to_bytes(4, "little")


def _cut(data: bytearray, random_: random.Random) -> None:
    del data[random_.randrange(len(data)) :]


def _lose(data: bytearray, random_: random.Random) -> None:
    at = random_.randrange(len(data))
    del data[at : at + random_.choice((1, 2, 4, 64, 1024))]


def _zero(data: bytearray, random_: random.Random) -> None:
    at = random_.randrange(len(data))
    count = min(random_.choice((4, 64, 4096)), len(data) - at)
    data[at : at + count] = bytes(count)


def _noise(data: bytearray, random_: random.Random) -> None:
    at = random_.randrange(len(data))
    count = min(random_.choice((1, 4, 32)), len(data) - at)
    data[at : at + count] = random_.randbytes(count)


def _repeat(data: bytearray, random_: random.Random) -> None:
    at = random_.randrange(len(data))
    block = data[at : at + random_.choice((4, 16, 256))]
    if len(data) < _MAX_BYTES:
        data[at:at] = block * random_.choice((1, 2, 100))


def _flood(data: bytearray, random_: random.Random) -> None:
    """Nest what a parser works on by calling itself, or what it counts."""
    at = random_.randrange(len(data))
    data[at:at] = random_.choice(_FLOODS) * random_.choice((100, 5_000, 90_000))


_BYTES: tuple[Callable[[bytearray, random.Random], None], ...] = (
    *(_flip, _extreme, _extreme, _add, _cut, _lose, _zero, _noise, _repeat, _flood),
)
_COUNTS = (1, 1, 1, 2, 3, 8)


def spoilt_bytes(data: bytes, random_: random.Random, others: Sequence[bytes] = ()) -> bytes:
    """Return ``data`` with a few faults, and now and then with the end of another file."""
    if others and random_.random() < 0.05:
        other = random_.choice(others)
        return data[: random_.randrange(len(data) + 1)] + other[random_.randrange(len(other)) :]
    found = bytearray(data)
    for _ in range(random_.choice(_COUNTS)):
        if found:
            # The header of a file says more than its middle.
            head = len(found) > 256 and random_.random() < 0.5
            part = found[:256] if head else found
            random_.choice(_BYTES)(part, random_)
            found = part + found[256:] if head else part
    return bytes(found)


def spoilt_zip(data: bytes, random_: random.Random) -> bytes:
    """Return an archive of which a member is spoilt, or lost, or the archive itself."""
    if random_.random() < 0.2:
        return spoilt_bytes(data, random_)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = random_.choice(sorted(members))
    if random_.random() < 0.1:
        del members[name]
    else:
        members[name] = spoilt_bytes(members[name], random_, list(members.values()))
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for member, body in members.items():
            archive.writestr(member, body)
    return content.getvalue()


VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**64, 10**400, -0.0, 1e308, float("inf"), float("nan")),
    *("", " ", "\0", "\x1b[2J", "\u202e", "\ud800", "é", "\U0001f600", "a" * 5000, "x\ny", "%s"),
    *("../..", "/etc/passwd", "/dev/zero", "$(touch made)", "{}", "null", "1e999", "true", "-"),
    *([], {}, [[]], [None], {"": None}, ["a"] * 300, [{}] * 50, {"a": {"b": {"c": 1}}}),
)


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Return every container with each of its keys."""
    found: list[tuple[Any, Any]] = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict | list):
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            found += [(node, key) for key in keys]
            waiting += [node[key] for key in keys]
    return found


def spoil_tree(tree: Any, random_: random.Random) -> None:
    """Change a few places of a tree of lists and mappings."""
    for _ in range(random_.choice(_COUNTS)):
        places = _places(tree)
        if not places:
            return
        node, key = random_.choice(places)
        kind = random_.random()
        if kind < 0.5:
            node[key] = copy.deepcopy(random_.choice(VALUES))
        elif kind < 0.65:
            del node[key]
        elif kind < 0.8:
            other, name = random_.choice(places)
            node[key] = copy.deepcopy(_bounded(other[name])) if _has(other, name) else None
        elif isinstance(node, dict):
            node[_key(random_)] = node[key]
        else:
            node.insert(0, copy.deepcopy(_bounded(node[key])))


def _key(random_: random.Random) -> str:
    value = random_.choice(VALUES)
    return value[:60] if isinstance(value, str) else repr(type(value))


def _has(node: Any, key: Any) -> bool:
    return key in node if isinstance(node, dict) else key < len(node)


def _bounded(value: Any) -> Any:
    """Return a copy of no great depth: a tree that holds itself is none."""
    if isinstance(value, dict):
        return dict(list(value.items())[:2]) if len(repr(value)) < 2000 else {}
    return list(value[:2]) if isinstance(value, list) and len(repr(value)) < 2000 else value
