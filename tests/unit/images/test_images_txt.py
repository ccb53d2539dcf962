# SPDX-License-Identifier: Apache-2.0
"""The card's list names exactly the binaries that there are, as the controller reads it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.board import Card
from ethosmith.images.card import CardImage, card_images, images_txt
from tests.support.small_image import REGIONS

CARD = Card(board="HBI0309C", application_note="AN552", title="Corstone-300")
DDR = CardImage("DDR", 0x70000000, "ddr.bin", 0x0C000000)


def settings(text: str) -> dict[str, str]:
    lines = (line.partition(";")[0].strip() for line in text.split("\r\n"))
    return dict(line.split(": ", 1) for line in lines if ": " in line)


def test_list_gives_each_binary_the_controllers_address(tmp_path: Path) -> None:
    (tmp_path / "itcm.bin").write_bytes(b"1")
    (tmp_path / "ddr.bin").write_bytes(b"2")
    text = images_txt(CARD, card_images(REGIONS, tmp_path))
    assert settings(text) == {
        "TITLE": "Corstone-300",
        "TOTALIMAGES": "2",
        "IMAGE0ADDRESS": "0x00000000",
        "IMAGE0UPDATE": "AUTO",
        "IMAGE0FILE": r"\SOFTWARE\itcm.bin",
        "IMAGE1ADDRESS": "0x0C000000",
        "IMAGE1UPDATE": "AUTO",
        "IMAGE1FILE": r"\SOFTWARE\ddr.bin",
    }
    assert "[IMAGES]\r\n" in text
    assert text.count("\n") == text.count("\r\n")
    assert text.isascii()


def test_a_controller_with_ports_gets_them() -> None:
    card = CARD.replace(application_note="AN555", image_port=1, image_update="RAM")
    found = settings(images_txt(card, (CardImage("BRAM", 0x11000000, "bram.bin", 0x11000000),)))
    assert found["IMAGE0PORT"] == "1"
    assert found["IMAGE0ADDRESS"] == "0x00_1100_0000"
    assert found["IMAGE0UPDATE"] == "RAM"


def test_empty_binary_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "itcm.bin").write_bytes(b"")
    (tmp_path / "ddr.bin").write_bytes(b"2")
    assert card_images(REGIONS, tmp_path) == (DDR,)
    (tmp_path / "ddr.bin").write_bytes(b"")
    with pytest.raises(EthosmithError, match="no binary has bytes"):
        card_images(REGIONS, tmp_path)


def test_missing_binary_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "itcm.bin").write_bytes(b"1")
    with pytest.raises(EthosmithError, match=r"ddr\.bin: the binary of region DDR cannot be read"):
        card_images(REGIONS, tmp_path)


@pytest.mark.parametrize("name", ["long_name.bin", "ddr.binary", "ddr", "d dr.bin", "a.b.c", ""])
def test_name_that_fat_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(EthosmithError, match="region DDR: the card takes no file name like"):
        images_txt(CARD, [replace(DDR, file=name)])


def test_two_regions_cannot_share_a_file() -> None:
    with pytest.raises(EthosmithError, match=r"regions DDR and BRAM share the file 'DDR\.BIN'"):
        images_txt(CARD, [DDR, CardImage("BRAM", 0, "DDR.BIN", 0)])


def test_more_images_than_the_controller_takes_are_refused() -> None:
    images = [CardImage(f"R{index}", index, f"r{index}.bin", index) for index in range(33)]
    assert "TOTALIMAGES: 32" in images_txt(CARD, images[:32])
    with pytest.raises(EthosmithError, match="33 images"):
        images_txt(CARD, images)
