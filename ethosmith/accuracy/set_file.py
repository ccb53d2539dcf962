# SPDX-License-Identifier: Apache-2.0
"""An evaluation set, and what a network says to it, as files.

A zip archive of index.json (names and labels, in order) and one stored member for each
item's bytes. The same items give the same file.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import check_readable, parsing, read_json, write_text, writing_beside

INDEX = "index.json"
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


# A folder's files of bounded size, of which a set may have thousands.
MAX_SET_BYTES = 4 << 30


@dataclass(frozen=True)
class Label:
    """Name and right answer of an item."""

    name: str
    expect: str


def write_set(path: Path, items: Sequence[Item]) -> None:
    """Write ``items`` to ``path``, whole or not at all."""
    index = b"".join(index_text(Label(item.name, item.expect) for item in items))
    with writing_beside(path) as beside, zipfile.ZipFile(beside, "w") as archive:
        _add(archive, INDEX, index)
        for number, item in enumerate(items):
            _add(archive, member(number), item.data)


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    # ZipInfo's defaults: stored, no date of today, no user.
    archive.writestr(zipfile.ZipInfo(name, _NO_DATE), data)


def index_text(labels: Iterable[Label]) -> Iterator[bytes]:
    """Yield index.json in pieces: what ``json.dumps(…, indent=1)`` says of all of it."""
    separator = b"[\n"
    for one in labels:
        text = json.dumps({"name": one.name, "expect": one.expect}, indent=1)
        yield separator + text.replace("\n", "\n ").join((" ", "")).encode()
        separator = b",\n"
    yield b"\n]"


def member(number: int) -> str:
    """Return the name of an item's member of the archive."""
    return f"items/{number:06}.bin"


def labels_of_set(path: Path) -> list[Label]:
    """Return names and labels of a file that `write_set` wrote, without the items' bytes.

    Raises:
        EthosmithError: it is none.
    """
    with _opened(path) as archive:
        return [Label(one["name"], one["expect"]) for one in json.loads(archive.read(INDEX))]


def read_set(path: Path) -> list[Item]:
    """Return the items of a file that `write_set` wrote.

    Raises:
        EthosmithError: it is none.
    """
    return list(items_of_set(path))


def items_of_set(path: Path) -> Iterator[Item]:
    """Yield the items of a file that `write_set` wrote, one after the other; as `read_set`."""
    with _opened(path) as archive:
        for number, entry in enumerate(json.loads(archive.read(INDEX))):
            yield Item(entry["name"], entry["expect"], archive.read(member(number)))


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    check_readable(path, limit_bytes=MAX_SET_BYTES)
    with parsing(path, "evaluation set"), zipfile.ZipFile(path) as archive:
        if sum(one.file_size for one in archive.infolist()) > MAX_SET_BYTES:
            raise EthosmithError(f"more than {MAX_SET_BYTES:,} bytes when unpacked")
        yield archive


@dataclass(frozen=True)
class ItemAnswer:
    """The answer to one item.

    Attributes:
        name: of the item.
        answer: the application's text.
        score: as printed.
        outputs_sha256: of the raw bytes of all output tensors, window after window.
    """

    name: str
    answer: str
    score: str
    outputs_sha256: str


@dataclass(frozen=True)
class Answers:
    """The answers to a whole set, in its order.

    Attributes:
        simulator: name and version, for the device's.
    """

    items: tuple[ItemAnswer, ...]
    simulator: Mapping[str, str] = field(default_factory=dict)


def digest(outputs: Sequence[bytes]) -> str:
    """Return the SHA-256 of output tensors in a row."""
    return hashlib.sha256(b"".join(outputs)).hexdigest()


def write_answers(path: Path, answers: Answers) -> None:
    """Write ``answers`` as JSON."""
    write_text(path, json.dumps(asdict(answers), indent=1) + "\n")


def read_answers(path: Path) -> Answers:
    """Return what `write_answers` wrote."""
    data = read_json(path)
    return Answers(tuple(ItemAnswer(**item) for item in data["items"]), data["simulator"])
