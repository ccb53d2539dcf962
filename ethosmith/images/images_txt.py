# SPDX-License-Identifier: Apache-2.0
r"""images.txt: the list by which the MPS3 board's controller (MCC) loads the binaries.

A key ends with a colon and a space, a semicolon begins a comment, and lines end with CR and LF,
as the configuration files of Arm's boards do (Arm 100765, MPS3). The controller knows file names
of eight characters and three, and at most 32 images. It is given only binaries that have bytes:
a region that the image leaves empty is left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ethosmith.core.errors import EthosmithError
from ethosmith.images.regions import Regions

if TYPE_CHECKING:
    from ethosmith.descriptors.board import Card
    from ethosmith.descriptors.platform import Platform

MAX_IMAGES = 32
_SHORT_NAME = re.compile(r"[A-Za-z0-9_~-]{1,8}\.[A-Za-z0-9_~-]{1,3}")


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
