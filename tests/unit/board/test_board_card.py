# SPDX-License-Identifier: Apache-2.0
"""A card boots by its images.txt and the controller's addresses, or is refused with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from open_board.board import find_board
from open_board.card import card_images
from open_board.errors import BoardError
from open_board.job import DataFile

_BOARD = find_board()
_LIST = """TITLE: any\r
[IMAGES]\r
TOTALIMAGES: 2\r
IMAGE0ADDRESS: 0x00000000 ; ITCM\r
IMAGE0UPDATE: AUTO\r
IMAGE0FILE: \\SOFTWARE\\itcm.bin\r
IMAGE1ADDRESS: 0x0C00_0100\r
IMAGE1UPDATE: FORCE\r
IMAGE1FILE: \\Software\\DDR.BIN\r
"""


def _card(folder: Path, listing: str = _LIST, note: str = "AN552") -> Path:
    notes = folder / "MB" / "HBI0309C" / note
    notes.mkdir(parents=True)
    (notes / "images.txt").write_text(listing)
    (folder / "SOFTWARE").mkdir(exist_ok=True)
    (folder / "SOFTWARE" / "itcm.bin").write_bytes(bytes(8))
    (folder / "SOFTWARE" / "ddr.bin").write_bytes(bytes(16))
    return folder


def test_images_lie_where_the_controller_puts_them(tmp_path: Path) -> None:
    card = _card(tmp_path)
    assert card_images(card, _BOARD) == (
        DataFile(card / "SOFTWARE" / "itcm.bin", 0),
        DataFile(card / "SOFTWARE" / "ddr.bin", 0x70000100),
    )


def test_a_corstone_310_boots_from_a_card_with_the_cpus_addresses(tmp_path: Path) -> None:
    listing = _LIST.replace("0x00000000", "0x00_1100_0000").replace("0x0C00_0100", "0x00_7000_0100")
    card = _card(tmp_path, listing.replace("AUTO", "RAM"), "AN555")
    assert [image.address for image in card_images(card, find_board("sse310"))] == [
        0x11000000,
        0x70000100,
    ]
    with pytest.raises(BoardError, match=r"MB/HBI0309./AN552"):
        card_images(card, _BOARD)


def test_an_image_that_is_not_updated_is_not_loaded(tmp_path: Path) -> None:
    card = _card(tmp_path, _LIST.replace("FORCE", "NONE"))
    assert [image.path.name for image in card_images(card, _BOARD)] == ["itcm.bin"]


def test_board_txt_says_which_fpga_image_boots(tmp_path: Path) -> None:
    card = _card(tmp_path)
    _card(tmp_path, _LIST.replace("0x0C00_0100", "0x08000000"), "AN547")
    board = card / "MB" / "HBI0309C" / "board.txt"
    board.write_text("[APPLICATION NOTE]\nAPPFILE: AN547\\an547_v2.txt ; boots\n")
    assert card_images(card, _BOARD)[1].address == 0x60000000
    board.write_text("APPFILE: AN555\\an555_v1.txt\n")
    with pytest.raises(BoardError, match="there is no folder AN555"):
        card_images(card, _BOARD)
    (card / "MB" / "HBI0309C" / "AN555").mkdir()
    with pytest.raises(BoardError, match="the card boots AN555, and this board is AN552 or AN547"):
        card_images(card, _BOARD)


REFUSED = {
    "0x0C00_0100": ("0x31000000", "do not fit at the controller's address 0x31000000"),
    "0x0C00_0100 ": ("0x0DFFFFF8 ", "do not fit at the controller's address 0x0dfffff8"),
    "TOTALIMAGES: 2": ("TOTALIMAGES: 33", "TOTALIMAGES is 33, expected 1 to 32"),
    "0x00000000 ": ("zero ", "IMAGE0ADDRESS: 'zero' is not a number"),
    "DDR.BIN": ("model.bin", "SOFTWARE has no 'model.bin'"),
    "\\Software": ("\\..\\Software", "has no '..'"),
    "TOTALIMAGES": ("IMAGES", "there is no TOTALIMAGES"),
}


@pytest.mark.parametrize("original", REFUSED)
def test_what_the_controller_cannot_load_is_named(tmp_path: Path, original: str) -> None:
    changed, reason = REFUSED[original]
    listing = _LIST.replace("0x0C00_0100\r", "0x0C00_0100 \r")
    with pytest.raises(BoardError) as caught:
        card_images(_card(tmp_path, listing.replace(original, changed, 1)), _BOARD)
    assert reason in str(caught.value)


def test_a_folder_that_is_no_card_is_named(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match="there is no folder MB"):
        card_images(tmp_path, _BOARD)
