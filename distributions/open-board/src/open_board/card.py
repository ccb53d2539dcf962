# SPDX-License-Identifier: Apache-2.0
"""Boot as the MPS3 board's controller does: by the card's images.txt, at its own addresses.

The controller does not know the CPU's addresses. Each of its windows leads to one memory of the
FPGA image; what does not fit in a window is not loaded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PureWindowsPath

from open_board.board import Board, CardLayout, CardWindow
from open_board.errors import BoardError
from open_board.files import read_bytes, size_of
from open_board.job import DataFile

MAX_IMAGES = 32
_MAX_TEXT_BYTES = 1 << 16
_LIST, _BOARD = "images.txt", "board.txt"
_KEY = re.compile(r"^\s*([A-Z0-9_]+)\s*:\s*([^;]*?)\s*(?:;.*)?$")


def card_images(card: Path, board: Board) -> tuple[DataFile, ...]:
    """Return what the controller loads from a card, with the CPU's addresses.

    Args:
        card: Where the card is mounted, or a copy of it.
        board: The board that boots.

    Raises:
        BoardError: The card is not one of this board, or names what cannot be loaded.
    """
    layout = board.card
    if layout is None:
        raise BoardError(f"board {board.name} has no table 'card': give -a FILE or --image")
    listing = _listing(card, layout)
    settings = _settings(listing)
    count = _number(listing, settings, "TOTALIMAGES")
    if not 1 <= count <= MAX_IMAGES:
        raise BoardError(f"{listing}: TOTALIMAGES is {count}, expected 1 to {MAX_IMAGES}")
    loaded = (_image(card, layout, listing, settings, f"IMAGE{index}") for index in range(count))
    return tuple(image for image in loaded if image is not None)


def _listing(card: Path, layout: CardLayout) -> Path:
    """Return the images.txt of the FPGA image that the card's board.txt boots."""
    boards = sorted(path for path in _folder(card, "MB").iterdir() if path.is_dir())
    for board in boards:
        config = _child(board, _BOARD)
        if config is not None:
            app_file = PureWindowsPath(_setting(config, _settings(config), "APPFILE"))
            return _listing_of(_folder(board, app_file.parts[0]), layout)
    notes = layout.notes
    found = [_folder(board, note) for board in boards for note in notes if _child(board, note)]
    if len(found) != 1:
        raise BoardError(
            f"{card}: expected one folder MB/HBI0309?/{notes[0]} with {_LIST}, found {len(found)};"
            " name the place where the card is mounted"
        )
    return _listing_of(found[0], layout)


def _listing_of(folder: Path, layout: CardLayout) -> Path:
    if folder.name.upper() not in layout.notes:
        raise BoardError(
            f"{folder}: the card boots {folder.name},"
            f" and this board is {' or '.join(layout.notes)}; correct APPFILE in board.txt"
        )
    listing = _child(folder, _LIST)
    if listing is None:
        raise BoardError(f"{folder}: there is no {_LIST}")
    return listing


def _image(
    card: Path, layout: CardLayout, listing: Path, settings: Mapping[str, str], key: str
) -> DataFile | None:
    if settings.get(f"{key}UPDATE", layout.updates[0]).upper() not in layout.updates:
        return None  # RAM has nothing to keep: NONE leaves it as it is
    address = _number(listing, settings, f"{key}ADDRESS")
    path = card
    for part in PureWindowsPath(_setting(listing, settings, f"{key}FILE").lstrip("\\")).parts:
        found = _child(path, part) if part not in ("..", ".") else None
        if found is None:
            raise BoardError(f"{listing}: {key}FILE: {path} has no '{part}'")
        path = found
    size_bytes = size_of(path)
    for window in layout.windows:
        offset = address - window.base
        if offset >= 0 and offset + size_bytes <= window.size_bytes:
            return DataFile(path, window.address + offset)
    raise BoardError(
        f"{listing}: {key}: {size_bytes} bytes of {path.name} do not fit at the controller's"
        f" address 0x{address:08x}; its windows are " + ", ".join(map(_words, layout.windows))
    )


def _words(window: CardWindow) -> str:
    return f"0x{window.base:08x} ({window.size_bytes >> 10} KiB)"


def _settings(path: Path) -> dict[str, str]:
    text = read_bytes(path, limit_bytes=_MAX_TEXT_BYTES).decode("ascii", errors="replace")
    matches = (_KEY.match(line) for line in text.splitlines())
    return {match[1]: match[2] for match in matches if match is not None}


def _setting(path: Path, settings: Mapping[str, str], key: str) -> str:
    if not settings.get(key):
        raise BoardError(f"{path}: there is no {key}")
    return settings[key]


def _number(path: Path, settings: Mapping[str, str], key: str) -> int:
    text = _setting(path, settings, key)
    try:
        return int(text.replace("_", ""), 0)
    except ValueError:
        raise BoardError(f"{path}: {key}: '{text}' is not a number") from None


def _folder(parent: Path, name: str) -> Path:
    found = _child(parent, name)
    if found is None or not found.is_dir():
        raise BoardError(f"{parent}: there is no folder {name}; name the place of the card")
    return found


def _child(folder: Path, name: str) -> Path | None:
    """Return a file or folder by its name in capital or small letters, as FAT has it."""
    try:
        children = sorted(folder.iterdir())
    except OSError:
        return None
    return next((path for path in children if path.name.upper() == name.upper()), None)
