# SPDX-License-Identifier: Apache-2.0
r"""The card of an MPS3 board: which FPGA image its board boots, and its images.txt.

A card has a folder MB/HBI0309x for each revision of the board, x being its letter. The board.txt
in it names the application note whose FPGA image the board's controller loads:
``APPFILE: AN552\an552_v1.txt``.

images.txt is the list by which that controller (MCC) loads the binaries. A key ends with a colon
and a space, a semicolon begins a comment, and lines end with CR and LF, as the configuration files
of Arm's boards do (Arm 100765, MPS3). The controller knows file names of eight characters and
three, and at most 32 images. It is given only binaries that have bytes: a region that the image
leaves empty is left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_bytes
from ethosmith.descriptors.board import Card
from ethosmith.images.regions import Regions

if TYPE_CHECKING:
    from ethosmith.descriptors.platform import Platform

_BINARIES, _BOARDS, _SETTINGS = "SOFTWARE", "MB", "board.txt"
_MAX_SETTINGS_BYTES = 64 << 10
_APPFILE = re.compile(r"^[ \t]*APPFILE[ \t]*:[ \t]*([^;\r\n]*)", re.MULTILINE | re.IGNORECASE)
MAX_IMAGES = 32
_SHORT_NAME = re.compile(r"[A-Za-z0-9_~-]{1,8}\.[A-Za-z0-9_~-]{1,3}")


def software_folder(root: Path) -> Path:
    """Return the folder of the binaries.

    Raises:
        EthosmithError: ``root`` has none.
    """
    return _folder(root, root / _BINARIES)


def boards_of(card: Card, root: Path) -> list[Path]:
    """Return the application note's folder of each revision of the board that the card is for.

    Args:
        card: the board's number, of any revision, and the application note.
        root: where the card is mounted.

    Raises:
        EthosmithError: ``root`` is no card of this board, or its board boots another FPGA image.
    """
    number = card.board[:-1] if card.board[-1:].isalpha() else card.board
    boards = _folder(root, root / _BOARDS)
    of_this_board = re.compile(rf"{re.escape(number)}[A-Z]?", re.IGNORECASE)
    found = sorted(path for path in boards.iterdir() if of_this_board.fullmatch(path.name))
    if not found:
        raise _no_card(root, boards / card.board)
    for board in found:
        _check_booted(card, board)
    return [_folder(root, board / card.application_note) for board in found]


def _check_booted(card: Card, board: Path) -> None:
    settings = board / _SETTINGS
    text = read_bytes(settings, limit_bytes=_MAX_SETTINGS_BYTES).decode("latin-1")
    named = _APPFILE.search(text)
    if named is None:
        raise EthosmithError(f"{settings}: names no APPFILE, so it is not known what boots")
    note = re.split(r"[\\/]", named[1].strip())[0]
    if note.lower() != card.application_note.lower():
        raise EthosmithError(
            f"{settings}: the board boots {ascii(note)[1:-1]}, and the image is for"
            f" {card.application_note}; set APPFILE to {card.application_note}'s file"
        )


def _folder(root: Path, folder: Path) -> Path:
    if not folder.is_dir():
        raise _no_card(root, folder)
    return folder


def _no_card(root: Path, folder: Path) -> EthosmithError:
    return EthosmithError(
        f"{root}: not this board's card, it has no folder"
        f" {folder.relative_to(root).as_posix()}/; name the place it is mounted at"
    )


@dataclass(frozen=True)
class CardImage:
    """One binary on the card, the region it fills, and where the controller puts it."""

    region: str
    address: int
    file: str
    card_address: int


def card_images(regions: Regions, sectors_dir: Path) -> tuple[CardImage, ...]:
    """Return an entry for each binary in ``sectors_dir`` that has bytes.

    Raises:
        EthosmithError: a region's binary is missing, or none has bytes.
    """
    images = tuple(
        CardImage(region.name, region.address, region.sector.file, region.sector.card_address)
        for region in regions
        if region.sector
        and region.sector.card_address is not None
        and _size_bytes(region.name, sectors_dir / region.sector.file)
    )
    if not images:
        raise EthosmithError(f"{sectors_dir}: no binary has bytes; check the linker script")
    return images


def _size_bytes(region: str, path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise EthosmithError(
            f"{path}: the binary of region {region} cannot be read: {error.strerror}; "
            "run the step write-sectors first"
        ) from None


def images_txt(card: Card, images: Sequence[CardImage]) -> str:
    """Return the file's text, images in their given order.

    Raises:
        EthosmithError: a file name is not 8.3 or stands twice, or there are too many.
    """
    _check_names(images)
    if len(images) > MAX_IMAGES:
        raise EthosmithError(f"{len(images)} images; the board's controller loads {MAX_IMAGES}")
    lines = [
        f"TITLE: {card.title}",
        f"; Belongs to MB/{card.board}/{card.application_note}/, the binaries to SOFTWARE/.",
        "",
        "[IMAGES]",
        "",
        f"TOTALIMAGES: {len(images)}",
    ]
    for index, image in enumerate(images):
        lines += ["", *_entry(card, index, image)]
    return "".join(f"{line}\r\n" for line in lines)


def _entry(card: Card, index: int, image: CardImage) -> tuple[str, ...]:
    address = f"0x{image.card_address:08X}"
    port: tuple[str, ...] = ()
    if card.image_port is not None:
        # A controller with ports has addresses of 40 bits.
        address = f"0x00_{image.card_address >> 16:04X}_{image.card_address & 0xFFFF:04X}"
        port = (f"IMAGE{index}PORT: {card.image_port}",)
    return (
        *port,
        f"IMAGE{index}ADDRESS: {address} ; {image.region}, 0x{image.address:08X}",
        f"IMAGE{index}UPDATE: {card.image_update}",
        f"IMAGE{index}FILE: \\SOFTWARE\\{image.file}",
    )


def _check_names(images: Sequence[CardImage]) -> None:
    seen: dict[str, str] = {}
    for image in images:
        if not _SHORT_NAME.fullmatch(image.file):
            raise EthosmithError(
                f"region {image.region}: the card takes no file name like '{image.file}'; "
                "use at most eight characters, a dot and at most three"
            )
        # FAT file names have no case.
        other = seen.setdefault(image.file.lower(), image.region)
        if other != image.region:
            raise EthosmithError(
                f"regions {other} and {image.region} share the file '{image.file}'; "
                "give each its own"
            )


def card_of(platform: Platform) -> Card:
    """Return what the platform says of its card; an `EthosmithError` if it has none."""
    if platform.card is None:
        raise EthosmithError(
            f"platform {platform.name} has no card; use another target, "
            "or add 'card' to its platform.yaml"
        )
    return platform.card
