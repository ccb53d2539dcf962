# SPDX-License-Identifier: Apache-2.0
"""An evaluation set as one file: labelled samples in the form that the device takes.

A zip archive of index.json (names and labels, in order) and one stored member for each
item's bytes. The same items give the same file.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import writing_beside

_INDEX = "index.json"
_NO_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Item:
    """One labelled sample.

    Attributes:
        name: unique in its set; without spaces.
        expect: the right answer.
        data: the sample's bytes as the application's pre-processing takes them.
    """

    name: str
    expect: str
    data: bytes


def write_set(path: Path, items: Sequence[Item]) -> None:
    """Write ``items`` to ``path``, whole or not at all."""
    index = [{"name": item.name, "expect": item.expect} for item in items]
    with writing_beside(path) as beside, zipfile.ZipFile(beside, "w") as archive:
        _add(archive, _INDEX, json.dumps(index, indent=1).encode())
        for number, item in enumerate(items):
            _add(archive, _member(number), item.data)


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    # ZipInfo's defaults: stored, no date of today, no user.
    archive.writestr(zipfile.ZipInfo(name, _NO_DATE), data)


def _member(number: int) -> str:
    return f"items/{number:06}.bin"


def read_set(path: Path) -> list[Item]:
    """Return the items of a file that `write_set` wrote.

    Raises:
        EthosmithError: it is none.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return list(_items(archive))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise EthosmithError(f"{path}: not an evaluation set: {error}") from None


def _items(archive: zipfile.ZipFile) -> Iterable[Item]:
    for number, entry in enumerate(json.loads(archive.read(_INDEX))):
        yield Item(entry["name"], entry["expect"], archive.read(_member(number)))
