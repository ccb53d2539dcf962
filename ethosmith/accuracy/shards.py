# SPDX-License-Identifier: Apache-2.0
"""An evaluation set of files in parts: shards, which are measured, kept and resumed on their own.

The labelled files are hashed in their order, and cut behind those whose hash says so. So the
content decides where a shard ends: a file that is added, changed or removed changes the shard that
it is in, and at most the next one. Each shard has a listing, a JSON file of names, labels and
hashes: the graph knows listings, and no file of the set. Memory does not grow with the set.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path

from ethosmith.accuracy.evaluation_set import Accepted, LabelledFile, Namer, checked, labelled_files
from ethosmith.accuracy.set_file import Item
from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_bytes, read_json, update_text
from ethosmith.core.identity import Identity
from ethosmith.descriptors.words import FORMAT_OF_SUFFIX
from ethosmith.lib.sample_formats import SampleForm, read_sample

MIN_ITEMS, MAX_ITEMS = 32, 512
# One item in so many ends a shard.
_CUT_EVERY = 128
# Files whose hashes are remembered in one file of notes.
_NOTED_TOGETHER = 4096
_WORD_DIGITS = 8


@dataclass(frozen=True)
class Entry:
    """One item of a listing.

    Attributes:
        name: unique in the set.
        expect: its label.
        file: below the folder.
        sha256: of the file.
    """

    name: str
    expect: str
    file: str
    sha256: str


@dataclass(frozen=True)
class Shard:
    """A part of an evaluation set.

    Attributes:
        listing: the file that names its items.
        number: counts from 1.
        items: how many it has.
    """

    listing: Path
    number: int
    items: int


def entries_of_folder(folder: Path, accepted: Accepted, notes: Path) -> Iterator[Entry]:
    """Yield the labelled files of ``folder`` in order, with their hashes.

    Args:
        folder: of labelled files.
        accepted: what the use case takes.
        notes: a folder that remembers hashes from one build to the next.

    Raises:
        EthosmithError: as `labelled_files`, or a file that the use case does not take.
    """
    namer, files = Namer(), labelled_files(folder)
    number = 0
    while chunk := list(islice(files, _NOTED_TOGETHER)):
        identity = Identity(notes / f"{number:04}.json")
        for file in chunk:
            yield _entry(folder, checked(file, accepted), namer, identity)
        identity.save()
        number += 1


def _entry(folder: Path, file: LabelledFile, namer: Namer, identity: Identity) -> Entry:
    try:
        content = identity.sha256(file.path)
    except OSError as error:
        raise EthosmithError(f"{file.path}: cannot be read: {error.strerror}") from None
    below = file.path.relative_to(folder)
    return Entry(namer.name(below), file.label, below.as_posix(), content)


def cut(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Yield the entries in parts; what an entry is decides whether a part ends behind it."""
    part: list[Entry] = []
    for entry in entries:
        part.append(entry)
        word = sha256(f"{entry.expect}\n{entry.sha256}".encode()).hexdigest()[:_WORD_DIGITS]
        ends = int(word, 16) % _CUT_EVERY == 0
        if len(part) >= MAX_ITEMS or (ends and len(part) >= MIN_ITEMS):
            yield part
            part = []
    if part:
        yield part


def write_listings(entries: Iterable[Entry], folder: Path, root: Path) -> list[Shard]:
    """Write the listing of each shard, and leave those alone that are as they were.

    Args:
        entries: the set.
        folder: of the listings, relative to ``root``; those of no shard are removed.
        root: the project's.
    """
    shards: list[Shard] = []
    for part in cut(entries):
        number = len(shards) + 1
        listing = folder / f"{number:05}.json"
        update_text(root / listing, json.dumps([asdict(one) for one in part], indent=1) + "\n")
        shards.append(Shard(listing, number, len(part)))
    known = {shard.listing.name for shard in shards}
    for stale in (root / folder).glob("*.json"):
        if stale.name not in known:
            stale.unlink()
    return shards


def read_listing(path: Path) -> list[Entry]:
    """Return what `write_listings` wrote."""
    return [Entry(**entry) for entry in read_json(path)]


def items_of_listing(
    folder: Path, entries: Sequence[Entry], form: SampleForm, converted: list[str]
) -> Iterator[Item]:
    """Yield the items of a shard, as the device takes them.

    Args:
        folder: of labelled files.
        entries: of its listing.
        form: what samples are brought to.
        converted: gets what was done to files to bring them to it.

    Raises:
        EthosmithError: a file has changed since it was listed, or cannot be read.
    """
    for entry in entries:
        path = folder / entry.file
        if sha256(read_bytes(path)).hexdigest() != entry.sha256:
            raise EthosmithError(f"{path}: changed while it was measured; start the build again")
        kind = FORMAT_OF_SUFFIX[path.suffix.lower()]
        yield Item(entry.name, entry.expect, read_sample(path, kind, form, converted.append))
