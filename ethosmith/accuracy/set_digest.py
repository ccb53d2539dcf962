# SPDX-License-Identifier: Apache-2.0
"""The SHA-256 of an evaluation set in shards: that of the one file that all items would be.

`ethosmith.accuracy.set_file.write_set` writes a zip archive of stored members. Here the same
bytes are hashed and not kept, so the number of shards shows in no result, and memory holds a few
bytes of each item.
"""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from ethosmith.accuracy.set_file import (
    INDEX,
    index_text,
    items_of_set,
    labels_of_set,
    member,
)

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s4B4H3L5H2L")
_END, _END64, _LOCATOR = map(struct.Struct, ("<4s4H2LH", "<4sQ2H2L4Q", "<4sLQL"))
# Version 2.0; stored; midnight of 1980-01-01.
_VERSION, _DATE = 20, 1 << 5 | 1
_VERSION_64 = 45
# Python's zipfile goes over to the 64-bit form above these.
_MAX_MEMBERS, _MAX_OFFSET, _ALL_ONES = (1 << 16) - 1, (1 << 31) - 1, (1 << 32) - 1
_CREATED_ON = 0 if sys.platform == "win32" else 3
_ATTRIBUTES = 0o600 << 16


class _Archive:
    """Hashes an archive while its members come."""

    def __init__(self) -> None:
        self._digest = sha256()
        self._offset = 0
        self._members = array("Q")

    def add(self, name: str, crc: int, size_bytes: int, data: Iterable[bytes]) -> None:
        """Add a member of known size and CRC-32."""
        self._members.extend((crc, size_bytes, self._offset))
        fields = (_VERSION, 0, 0, 0, _DATE, crc, size_bytes, size_bytes, len(name), 0)
        self._write(_LOCAL.pack(b"PK\3\4", *fields) + name.encode())
        for chunk in data:
            self._write(chunk)

    def _write(self, data: bytes) -> None:
        self._digest.update(data)
        self._offset += len(data)

    def finish(self) -> str:
        """Add the directory and return the hash of all."""
        start, count = self._offset, len(self._members) // 3
        for number in range(count):
            self._write(self._directory_entry(number))
        size_bytes = self._offset - start
        if count > _MAX_MEMBERS or start > _MAX_OFFSET or size_bytes > _MAX_OFFSET:
            end, counts = self._offset, (count, count, size_bytes, start)
            self._write(_END64.pack(b"PK\6\6", 44, _VERSION_64, _VERSION_64, 0, 0, *counts))
            self._write(_LOCATOR.pack(b"PK\6\7", 0, end, 1))
        few = min(count, _MAX_MEMBERS)
        places = (min(size_bytes, _ALL_ONES), min(start, _ALL_ONES))
        self._write(_END.pack(b"PK\5\6", 0, 0, few, few, *places, 0))
        return self._digest.hexdigest()

    def _directory_entry(self, number: int) -> bytes:
        crc, size_bytes, offset = self._members[3 * number : 3 * number + 3]
        name = (INDEX if number == 0 else member(number - 1)).encode()
        version, extra = _VERSION, b""
        if offset > _MAX_OFFSET:
            version, extra = _VERSION_64, struct.pack("<HHQ", 1, 8, offset)
            offset = _ALL_ONES
        # A member keeps the version that it was written with only below 2 GiB.
        versions = (version, _CREATED_ON, version, 0)
        sizes = (crc, size_bytes, size_bytes, len(name), len(extra), 0, 0, 0, _ATTRIBUTES, offset)
        return _CENTRAL.pack(b"PK\1\2", *versions, 0, 0, 0, _DATE, *sizes) + name + extra


def digest_of_sets(paths: Sequence[Path]) -> tuple[int, str]:
    """Return the number of items of several sets, and the SHA-256 of one set of them all."""
    count = crc = size_bytes = 0
    for chunk in _index(paths):
        crc, size_bytes = zlib.crc32(chunk, crc), size_bytes + len(chunk)
    archive = _Archive()
    archive.add(INDEX, crc, size_bytes, _index(paths))
    for path in paths:
        for item in items_of_set(path):
            archive.add(member(count), zlib.crc32(item.data), len(item.data), [item.data])
            count += 1
    return count, archive.finish()


def _index(paths: Sequence[Path]) -> Iterator[bytes]:
    return index_text(label for path in paths for label in labels_of_set(path))
