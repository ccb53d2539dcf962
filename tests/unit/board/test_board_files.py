# SPDX-License-Identifier: Apache-2.0
"""Boards are data: the files that come with the package, and those of users."""

from __future__ import annotations

from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from ethosmith.descriptors.platform import Platform
from ethosu_model.config import AcceleratorConfig
from ethosu_model.u85.config import U85Config
from open_board.board import board_names, find_board
from open_board.errors import BoardError
from open_board.fvp import FVP_PROGRAMS
from open_board.job import BoardJob, DataFile
from open_board.load import check_job

U55 = AcceleratorConfig.parse("ethos-u55-128")
_GOOD = """title = "mine"
vectors = 0x11000000
[npu]
pages = [0x50004000]
irq = 16
[constants]
0x49300010 = 25_000_000
"""


def _file(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text)
    return str(path)


def test_platforms_can_be_all_boards_and_no_other() -> None:
    allowed = get_args(get_type_hints(Platform)["open_board"])
    assert {name for name in allowed if name} == set(board_names())


def test_the_first_boards_fvp_is_that_of_the_package() -> None:
    assert find_board().fvp_programs == {
        product: FVP_PROGRAMS[product] for product in ("ethos-u55", "ethos-u65")
    }


def test_a_machine_cannot_bring_options_along(tmp_path: Path) -> None:
    text = f'{_GOOD}[[qemu]]\nmachine = "mps3-an547,dumpdtb=x"\ncpu = "cortex-m55-arm-cpu"\n'
    with pytest.raises(BoardError, match=r"qemu.machine: expected a name of QEMU's, found"):
        find_board(_file(tmp_path, text))


def test_a_file_describes_a_board(tmp_path: Path) -> None:
    board = find_board(_file(tmp_path, _GOOD))
    assert board.npu_register(0x50004008, 4) == 8
    assert board.npu_register(0x58102008, 4) is None
    assert board.constant(0x49300012, 2) == 25_000_000
    assert board.constant(0x49300012, 4) is None
    assert set(board.served) == {(0x50004000, 0x1000), (0x49300010, 4)}
    image = tmp_path / "image.bin"
    image.write_bytes(bytes(8))
    check_job(BoardJob(U55, images=(DataFile(image, 0x11000000),)), board)
    with pytest.raises(BoardError, match="an image at address 0x11000000 with the vector table"):
        check_job(BoardJob(U55, images=(DataFile(image, 0),)), board)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("irq = 16", "irq = 96", "npu.irq: expected 0 to 0x5f, found 0x60"),
        ("irq = 16", "irqs = 16", "unknown key 'npu.irqs'; did you mean 'irq'"),
        ("[0x50004000]", "[0x50004004]", "a multiple of 4096, found 0x50004004"),
        ("[0x50004000]", "[]", "npu.pages: expected 1 to 4 addresses"),
        ("0x11000000", "true", "vectors: expected 0 to 0xffffffff, a multiple of 128, found True"),
        ("0x49300010", "clock", "constants: 'clock' is not an address"),
        ('"mine"', "1", "title: expected a line of text, found 1"),
        ('"mine"', '"mine', "mine.toml: "),
    ],
)
def test_a_wrong_file_is_told(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in _GOOD
    with pytest.raises(BoardError) as caught:
        find_board(_file(tmp_path, _GOOD.replace(old, new, 1)))
    assert message in str(caught.value)


def test_an_ethos_u85_needs_a_board_with_room_for_its_registers(tmp_path: Path) -> None:
    image = tmp_path / "image.bin"
    image.write_bytes(bytes(8))
    board = find_board("sse320")
    job = BoardJob(U85Config.parse("ethos-u85-256"), images=(DataFile(image, board.vectors),))
    check_job(job, board)
    assert board.npu_register(0x500051A0, 4) == 0x11A0  # PMCCNTR
    assert board.uart_register(0x58203004, 4) == 4
    with pytest.raises(BoardError, match="take --board sse320"):
        check_job(job, find_board("sse310"))


def test_an_unknown_board_is_told() -> None:
    with pytest.raises(BoardError, match=r"unknown board 'sse31'; did you mean 'sse3\d0'"):
        find_board("sse31")
