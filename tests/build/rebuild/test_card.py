# SPDX-License-Identifier: Apache-2.0
"""What `flash` puts on the MPS3 card boots as the controller loads it, without the ELF file."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import NewCopy
from tests.support.project_copy import ROOT


@pytest.mark.long
def test_the_files_of_the_card_boot_as_the_controller_places_them(
    copy_of_built: NewCopy, tmp_path: Path
) -> None:
    card = tmp_path / "V2M MPS3"
    (card / "SOFTWARE").mkdir(parents=True)
    (card / "MB" / "HBI0309C" / "AN552").mkdir(parents=True)
    (card / "MB" / "HBI0309C" / "board.txt").write_text("APPFILE: AN552\\an552_v1.txt\r\n")
    project = copy_of_built().cached()
    project.build("usecase=kws", "target=mps3", "flash", f"card={card}")
    # Nothing else that was built may help.
    for axf in (project.root / "build").rglob("*.axf"):
        axf.unlink()
    board = [sys.executable, "-m", "open_board", "--card", str(card)]
    command = [*board, "--npu", "ethos-u55-128", "--strict"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert 'sample yes: answer="yes"' in ran.stdout
    assert re.search(r"^ran: \d+ samples$", ran.stdout, re.MULTILINE)
