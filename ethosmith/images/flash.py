# SPDX-License-Identifier: Apache-2.0
"""Put an image onto the MPS3 board's card so that power may fail at any moment.

The binaries go to SOFTWARE/, images.txt to the folder of the FPGA image that platform.yaml's
``card`` names (Arm 100765, MPS3: MB/BOARD/APPLICATION_NOTE). They never replace what the list on
the card names: they get other names, are read back from the medium, and only then a new list
takes the place of the old one. Until that moment the board boots the old image, from then on the
new one.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import open_regular, read_bytes, sha256_of
from ethosmith.core.program import run_step
from ethosmith.descriptors.board import Card
from ethosmith.descriptors.platform import Platform, load_platform
from ethosmith.images.card import boards_of, card_images, images_txt, software_folder

_LIST = "images.txt"
# Where the new list is written. The board's controller reads images.txt alone.
_NEW_LIST = "images.new"
_FILE = re.compile(rb"(^IMAGE\d+FILE:[ \t]*\\SOFTWARE\\)([^\s;]+)", re.MULTILINE | re.IGNORECASE)
_MAX_LIST_BYTES = 64 << 10
_MAX_SECTOR_BYTES = 512 << 20
_CHUNK_BYTES = 1 << 20
# Folders grow, and a card counts in clusters.
_CLUSTER_BYTES = 64 << 10


@dataclass(frozen=True)
class _Copy:
    source: Path
    target: Path

    @property
    def size_bytes(self) -> int:
        return self.source.stat().st_size


def flash(card: Card, sectors: Path, root: Path) -> list[Path]:
    """Put what ``sectors`` holds onto the card at ``root``; return the files written there.

    Raises:
        EthosmithError: ``root`` is no card of this board, the board boots another FPGA image, the
            card has no room or cannot be written, or reads back other bytes. The card then boots
            what it booted before.
    """
    software = software_folder(root)
    lists = [folder / _LIST for folder in boards_of(card, root)]
    named = read_bytes(sectors / _LIST, limit_bytes=_MAX_LIST_BYTES)
    in_use = {name for path in lists for name in _names(path)}
    copies = [
        _Copy(sectors / name, software / _free_name(name, in_use)) for name in _names_in(named)
    ]
    if not copies:
        raise EthosmithError(f"{sectors / _LIST}: names no binary; build the image again")
    new_list = _renamed(named, {copy.source.name: copy.target.name for copy in copies})
    _check_room(root, copies, len(new_list) * len(lists))
    try:
        for copy in copies:
            _write(copy.target, _chunks_of(copy.source))
        for path in lists:
            _write(path.with_name(_NEW_LIST), [new_list])
    except BaseException:
        _remove(*(copy.target for copy in copies), *(p.with_name(_NEW_LIST) for p in lists))
        raise
    _sync_folders(software, *(path.parent for path in lists))
    for path in lists:
        _adopt(path)
    new = {copy.target.name.lower() for copy in copies}
    _remove(*(software / name for name in _former(copies, in_use) if name.lower() not in new))
    return [*(copy.target for copy in copies), *lists]


def _names(path: Path) -> list[str]:
    """Return the names of the binaries that a list on the card loads; none without a list."""
    if not path.exists():
        return []
    return _names_in(read_bytes(path, limit_bytes=_MAX_LIST_BYTES))


def _names_in(text: bytes) -> list[str]:
    return [found[2].decode("ascii", "replace") for found in _FILE.finditer(text)]


def _variants(name: str) -> Iterable[str]:
    """Yield the names under which a binary may be on the card: eight characters and three."""
    stem, dot, suffix = name.partition(".")
    yield name
    yield from (f"{stem[:6]}_{number}{dot}{suffix}" for number in range(1, 10))


def _free_name(name: str, in_use: Iterable[str]) -> str:
    taken = {one.lower() for one in in_use}
    return next(variant for variant in _variants(name) if variant.lower() not in taken)


def _former(copies: Iterable[_Copy], in_use: Iterable[str]) -> list[str]:
    """Return the names of the old list that are ours, and that nothing loads any more."""
    ours = {variant.lower() for copy in copies for variant in _variants(copy.source.name)}
    return [name for name in in_use if name.lower() in ours]


def _renamed(text: bytes, names: dict[str, str]) -> bytes:
    return _FILE.sub(lambda found: found[1] + names[found[2].decode("ascii")].encode(), text)


def _check_room(root: Path, copies: Sequence[_Copy], list_bytes: int) -> None:
    try:
        needed = sum(copy.size_bytes + _CLUSTER_BYTES for copy in copies) + list_bytes
        # What a flash that was cut short has left is written over.
        kept = sum(copy.target.stat().st_size for copy in copies if copy.target.exists())
        state = os.statvfs(root)
    except OSError as error:
        raise EthosmithError(f"{error.filename or root}: {error.strerror}") from None
    free = state.f_bavail * state.f_frsize + kept
    if free < needed:
        raise EthosmithError(
            f"{root}: {free:,} bytes free, {needed:,} needed beside the image that is there;"
            " nothing was changed; remove what is not needed from the card"
        )


def _chunks_of(source: Path) -> Iterator[bytes]:
    with open_regular(source) as file:
        left = _MAX_SECTOR_BYTES
        while chunk := file.read(_CHUNK_BYTES):
            left -= len(chunk)
            if left < 0:
                raise EthosmithError(f"{source}: larger than {_MAX_SECTOR_BYTES:,} bytes")
            yield chunk


def _write(target: Path, chunks: Iterable[bytes]) -> None:
    """Write a file, and compare what the medium gives back.

    Raises:
        EthosmithError: it cannot be written, or other bytes come back.
    """
    digest = hashlib.sha256()
    try:
        with target.open("wb") as file:
            for chunk in chunks:
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
            _forget_cached(file.fileno())
        same = sha256_of(target) == digest.hexdigest()
    except OSError as error:
        raise EthosmithError(f"{target}: cannot be written: {error.strerror}") from None
    if not same:
        raise EthosmithError(
            f"{target}: read-back does not match what was written; is the card damaged?"
        )


def _forget_cached(descriptor: int) -> None:
    """Let the next reader ask the medium, not the memory that has just been written from."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def _adopt(path: Path) -> None:
    try:
        path.with_name(_NEW_LIST).replace(path)
    except OSError as error:
        raise EthosmithError(f"{path}: cannot be written: {error.strerror}") from None
    _sync_folders(path.parent)


def _sync_folders(*folders: Path) -> None:
    """Let the names of new files reach the medium, where the file system has that."""
    for folder in folders:
        with suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _remove(*paths: Path) -> None:
    for path in paths:
        with suppress(OSError):
            path.unlink()


def check_fits(platform: Platform, sectors: Path, accelerator: str) -> Card:
    """Check that an image is one for the board of ``platform``; return its card.

    Raises:
        EthosmithError: the platform has no card, or the image is for another platform or NPU.
    """
    if platform.card is None:
        raise EthosmithError(f"platform {platform.name} has no card; use target=mps3")
    have = [name for product in platform.npu.products for name in product.accelerator_configs]
    if accelerator and accelerator not in have:
        raise EthosmithError(
            f"{sectors}: for {accelerator}; {platform.card.application_note} has {', '.join(have)}"
        )
    expected = images_txt(platform.card, card_images(platform.regions, sectors)).encode()
    if read_bytes(sectors / _LIST, limit_bytes=_MAX_LIST_BYTES) != expected:
        raise EthosmithError(
            f"{sectors / _LIST}: not the list of platform {platform.name};"
            " build the image for it: target=" + platform.name
        )
    return platform.card


def main(argv: Sequence[str]) -> None:
    """Put the files of ``--sectors`` onto ``--card``."""
    options = argparse.ArgumentParser(prog="python -m ethosmith.images.flash", description=__doc__)
    options.add_argument("--platform", type=Path, required=True, help="the platform.yaml")
    options.add_argument("--sectors", type=Path, required=True, help="the folder of the files")
    options.add_argument("--card", type=Path, required=True, help="where the card is mounted")
    options.add_argument("--accelerator", default="", help="the NPU that the image is for")
    args = options.parse_args(argv)
    card = check_fits(load_platform(args.platform), args.sectors, args.accelerator)
    for path in flash(card, args.sectors, args.card):
        sys.stdout.write(f"written and read back: {path}\n")


if __name__ == "__main__":
    raise SystemExit(run_step(main))
