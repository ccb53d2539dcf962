# SPDX-License-Identifier: Apache-2.0
"""What `flash` puts on the MPS3 card boots, placed as its images.txt says, without the ELF file."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ethosmith.descriptors.platform import load_platform
from tests.conftest import NewCopy
from tests.support.project_copy import ROOT

_PLATFORM = ROOT / "platforms" / "mps3" / "platform.yaml"


def _placed(card: Path) -> list[str]:
    """Return FILE@ADDRESS of each image on the card, the address as the CPU sees it."""
    platform = load_platform(_PLATFORM)
    cpu_address = {
        region.sector.card_address: region.address for region in platform.regions if region.sector
    }
    text = (card / "MB" / "HBI0309C" / "AN552" / "images.txt").read_bytes().decode("ascii")
    addresses = re.findall(r"^IMAGE\d+ADDRESS: (0x[0-9A-F]+)", text, re.MULTILINE)
    files = re.findall(r"^IMAGE\d+FILE: \\(\S+)", text, re.MULTILINE)
    assert re.search(rf"^TOTALIMAGES: {len(files)}\b", text, re.MULTILINE)
    return [
        f"{card / file.replace(chr(92), '/')}@{cpu_address[int(address, 16)]:#x}"
        for file, address in zip(files, addresses, strict=True)
    ]


@pytest.mark.scons
def test_the_files_of_the_card_boot_as_the_controller_places_them(
    copy_of_built: NewCopy, tmp_path: Path
) -> None:
    card = tmp_path / "V2M MPS3"
    (card / "SOFTWARE").mkdir(parents=True)
    (card / "MB" / "HBI0309C" / "AN552").mkdir(parents=True)
    project = copy_of_built()
    project.build("usecase=kws", "target=mps3", "flash", f"card={card}")
    # Nothing else that was built may help.
    for axf in (project.root / "build").rglob("*.axf"):
        axf.unlink()
    images = [word for placed in _placed(card) for word in ("--image", placed)]
    assert len(images) == 4
    command = [sys.executable, "-m", "open_board", *images, "--npu", "ethos-u55-128"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert 'sample yes: answer="yes"' in ran.stdout
    assert re.search(r"^ran: \d+ samples$", ran.stdout, re.MULTILINE)
