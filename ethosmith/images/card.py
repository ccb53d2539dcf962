# SPDX-License-Identifier: Apache-2.0
r"""Find out whether a folder is an MPS3 board's card, and which FPGA image its board boots.

A card has a folder MB/HBI0309x for each revision of the board, x being its letter. The board.txt
in it names the application note whose FPGA image the board's controller loads:
``APPFILE: AN552\an552_v1.txt``.
"""

from __future__ import annotations

import re
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_bytes
from ethosmith.descriptors.board import Card

_BINARIES, _BOARDS, _SETTINGS = "SOFTWARE", "MB", "board.txt"
_MAX_SETTINGS_BYTES = 64 << 10
_APPFILE = re.compile(r"^[ \t]*APPFILE[ \t]*:[ \t]*([^;\r\n]*)", re.MULTILINE | re.IGNORECASE)


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
