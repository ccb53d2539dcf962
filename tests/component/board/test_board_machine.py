# SPDX-License-Identifier: Apache-2.0
"""A board runs on the machine that QEMU has for it, where QEMU has one."""

from __future__ import annotations

from pathlib import Path

import pytest

from ethosu_model.config import AcceleratorConfig
from open_board.board import find_board
from open_board.job import BoardJob
from open_board.qemu import qemu_command
from open_board.qemu_machine import choose_machine

U55 = AcceleratorConfig.parse("ethos-u55-128")
_FAKE_QEMU = """\
#!/bin/sh
test "$*" = "-machine help" || exit 3
printf 'Supported machines are:\\n%s    Arm MPS3 (Cortex-M)\\n' {}
"""


@pytest.mark.parametrize(
    ("board", "listed", "machine", "cpu"),
    [
        ("sse310", "mps3-an555", "mps3-an555", "cortex-m85-arm-cpu"),
        ("sse310", "mps3-an5555", "mps3-an547", "cortex-m55-arm-cpu"),
        ("sse320", "mps3-an555", "mps3-an547", "cortex-m55-arm-cpu"),
    ],
)
def test_qemus_own_machine_of_a_board_is_taken_where_it_has_one(
    tmp_path: Path, board: str, listed: str, machine: str, cpu: str
) -> None:
    qemu = tmp_path / "qemu"
    qemu.write_text(_FAKE_QEMU.format(listed))
    qemu.chmod(0o755)
    channels = dict.fromkeys(("gdb", "qtest", "uart", "qmp"), 9)
    command = qemu_command(qemu, find_board(board), BoardJob(U55), 8, channels)
    assert command[1:3] == ["-machine", f"{machine},memory-backend=ddr"]
    assert f"{cpu}.midr=0x411fd230" in command


def test_a_qemu_that_lists_nothing_gets_the_machine_that_all_have(tmp_path: Path) -> None:
    machines = find_board("sse310").qemu_machines
    assert [one.name for one in machines] == ["mps3-an555", "mps3-an547"]
    assert choose_machine(tmp_path / "missing", machines).name == "mps3-an547"
