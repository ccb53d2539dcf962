# SPDX-License-Identifier: Apache-2.0
"""The card gets the image's files, whole, or the user is told why not and boots the old image."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.board import Card
from ethosmith.descriptors.platform import load_platform
from ethosmith.images import flash as flash_module
from ethosmith.images.card import card_images, images_txt
from ethosmith.images.flash import check_fits, flash
from tests.support.project_copy import ROOT

_PLATFORM = load_platform(ROOT / "platforms" / "mps3" / "platform.yaml")
assert _PLATFORM.card is not None
CARD: Card = _PLATFORM.card
_FILES = re.compile(r"^IMAGE\d+FILE: \\SOFTWARE\\(\S+)", re.MULTILINE)
_OLD, _NEW = (b"old code", b"old model"), (b"new code", b"new model")


def made(folder: Path, content: tuple[bytes, bytes]) -> Path:
    """Return a folder as the build makes it."""
    folder.mkdir()
    (folder / "itcm.bin").write_bytes(content[0])
    (folder / "ddr.bin").write_bytes(content[1])
    text = images_txt(CARD, card_images(_PLATFORM.regions, folder))
    (folder / "images.txt").write_bytes(text.encode())
    return folder


def mounted_card(root: Path, board: str = "HBI0309C", note: str = "AN552") -> Path:
    (root / "SOFTWARE").mkdir(parents=True)
    (root / "SOFTWARE" / "mine.bin").write_bytes(b"somebody else's")
    (root / "MB" / board / "AN552").mkdir(parents=True)
    settings = (
        f"BOARD: HBI0309\r\n;APPFILE: AN547\\x.txt\r\nAPPFILE: {note}\\an_v1.txt   ; FPGA\r\n"
    )
    (root / "MB" / board / "board.txt").write_bytes(settings.encode())
    return root


def booted(root: Path) -> tuple[bytes, ...]:
    """Return the content of what the list on the card loads, as the controller reads it."""
    found = list(root.glob("MB/*/AN552/images.txt"))
    names = _FILES.findall(found[0].read_text("ascii")) if found else []
    return tuple((root / "SOFTWARE" / name).read_bytes() for name in names)


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """A card that boots the old image."""
    root = mounted_card(tmp_path / "V2M MPS3")
    flash(CARD, made(tmp_path / "old", _OLD), root)
    assert booted(root) == _OLD
    return root


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return made(tmp_path / "new", _NEW)


def test_the_new_image_boots_and_nothing_else_is_left(card: Path, new: Path) -> None:
    for content, folder in ((_NEW, new), (_OLD, new.with_name("old")), (_NEW, new)):
        flash(CARD, folder, card)
        assert booted(card) == content
        assert len(list((card / "SOFTWARE").iterdir())) == 3
        assert len(list((card / "MB" / "HBI0309C" / "AN552").iterdir())) == 1
    assert (card / "SOFTWARE" / "mine.bin").read_bytes() == b"somebody else's"


def _until(event: int, act: Callable[[], Any]) -> bool:
    """Call ``act`` in a process that loses power at its ``event``-th change; say if it ended."""
    if (child := os.fork()) == 0:
        left = event

        def audit(name: str, args: tuple[Any, ...]) -> None:
            nonlocal left
            writes = name == "open" and args[2] & os.O_ACCMODE != os.O_RDONLY
            if writes or name in ("os.rename", "os.remove"):
                left -= 1
                if left < 0:
                    os._exit(9)

        sys.addaudithook(audit)
        try:
            act()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_power_may_fail_at_any_change(card: Path, new: Path) -> None:
    seen = []
    for event in range(100):
        ended = _until(event, lambda: flash(CARD, new, card))
        seen.append(booted(card))
        assert seen[-1] in (_OLD, _NEW), event
        if ended:
            break
        flash(CARD, new.with_name("old"), card)
    assert ended
    assert event >= 5
    assert seen[-1] == _NEW
    assert seen.count(_OLD) >= 4


def test_power_may_fail_in_the_middle_of_a_file(
    card: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(source: Path) -> Any:
        yield source.read_bytes()[:3]
        os._exit(9)

    monkeypatch.setattr(flash_module, "_chunks_of", half)
    assert not _until(100, lambda: flash(CARD, new, card))
    assert booted(card) == _OLD


def test_a_card_without_room_is_left_alone(
    card: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_bavail=1, f_frsize=512))
    with pytest.raises(EthosmithError, match=r"512 bytes free, .* nothing was changed"):
        flash(CARD, new, card)
    assert booted(card) == _OLD


def test_a_card_that_loses_bytes_is_told_and_boots_the_old_image(
    card: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flash_module, "sha256_of", lambda _: "0" * 64)
    with pytest.raises(EthosmithError, match="read-back does not match"):
        flash(CARD, new, card)
    assert booted(card) == _OLD
    assert len(list((card / "SOFTWARE").iterdir())) == 3


def test_another_folder_is_no_card(tmp_path: Path, new: Path) -> None:
    with pytest.raises(EthosmithError, match="not this board's card, it has no folder SOFTWARE/"):
        flash(CARD, new, tmp_path)
    other = mounted_card(tmp_path / "mps2", board="HBI0263C")
    with pytest.raises(EthosmithError, match="no folder MB/HBI0309C/"):
        flash(CARD, new, other)


def test_every_revision_of_the_board_is_taken(tmp_path: Path, new: Path) -> None:
    root = mounted_card(tmp_path / "revision b", board="HBI0309B")
    flash(CARD, new, root)
    assert booted(root) == _NEW


def test_a_card_that_boots_another_fpga_image_is_refused(tmp_path: Path, new: Path) -> None:
    root = mounted_card(tmp_path / "an547", note="AN547")
    with pytest.raises(EthosmithError, match=r"board\.txt: the board boots AN547, .* for AN552"):
        flash(CARD, new, root)
    assert booted(root) == ()
    (root / "MB" / "HBI0309C" / "board.txt").write_bytes(b"TITLE: no file\n")
    with pytest.raises(EthosmithError, match="names no APPFILE"):
        flash(CARD, new, root)


def test_an_image_fits_its_own_platform_and_npu_only(new: Path) -> None:
    assert check_fits(_PLATFORM, new, "ethos-u55-128") == CARD
    with pytest.raises(EthosmithError, match="for ethos-u55-256; AN552 has ethos-u55-128"):
        check_fits(_PLATFORM, new, "ethos-u55-256")
    fvp = load_platform(ROOT / "platforms" / "fvp" / "platform.yaml")
    with pytest.raises(EthosmithError, match="platform fvp has no card; use target=mps3"):
        check_fits(fvp, new, "ethos-u55-128")
    (new / "images.txt").write_bytes(b"TITLE: of another platform\r\n")
    with pytest.raises(EthosmithError, match="not the list of platform mps3"):
        check_fits(_PLATFORM, new, "ethos-u55-128")
