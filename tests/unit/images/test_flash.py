# SPDX-License-Identifier: Apache-2.0
"""The card gets the image's files, whole, or the user is told why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.board import Card
from ethosmith.descriptors.platform import load_platform
from ethosmith.images.flash import flash
from tests.support.project_copy import ROOT

_PLATFORM = ROOT / "platforms" / "mps3" / "platform.yaml"


@pytest.fixture
def card() -> Card:
    found = load_platform(_PLATFORM).card
    assert found is not None
    return found


@pytest.fixture
def sectors(tmp_path: Path) -> Path:
    folder = tmp_path / "sectors"
    folder.mkdir()
    (folder / "itcm.bin").write_bytes(b"code")
    (folder / "ddr.bin").write_bytes(b"model")
    (folder / "bram.bin").write_bytes(b"")
    (folder / "images.txt").write_bytes(b"TITLE: x\r\n")
    return folder


def mounted_card(tmp_path: Path, card: Card) -> Path:
    root = tmp_path / "V2M MPS3"
    (root / "SOFTWARE").mkdir(parents=True)
    (root / "MB" / card.board / card.application_note).mkdir(parents=True)
    return root


def test_files_go_where_the_board_reads_them(tmp_path: Path, card: Card, sectors: Path) -> None:
    root = mounted_card(tmp_path, card)
    flash(card, sectors, root)
    assert (root / "SOFTWARE" / "itcm.bin").read_bytes() == b"code"
    assert (root / "SOFTWARE" / "ddr.bin").read_bytes() == b"model"
    assert not (root / "SOFTWARE" / "bram.bin").exists()
    assert (root / "MB" / "HBI0309C" / "AN552" / "images.txt").read_bytes() == b"TITLE: x\r\n"


def test_another_folder_is_no_card(tmp_path: Path, card: Card, sectors: Path) -> None:
    with pytest.raises(EthosmithError, match="not this board's card, it has no folder SOFTWARE/"):
        flash(card, sectors, tmp_path)


def test_card_that_loses_bytes_is_told(
    tmp_path: Path, card: Card, sectors: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = mounted_card(tmp_path, card)
    monkeypatch.setattr("ethosmith.images.flash.shutil.copyfileobj", lambda *_: None)
    with pytest.raises(EthosmithError, match="read-back does not match"):
        flash(card, sectors, root)
