# SPDX-License-Identifier: Apache-2.0
"""The firmware, compiled once for a run of pytest."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.firmware.device import Firmware, compile_firmware, compiled_in
from tests.support.made_once import made_once


@pytest.fixture(scope="session")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Firmware:
    """All layers for the platform fvp and an Ethos-U55-128."""

    def make(folder: Path) -> None:
        compile_firmware(folder)

    return compiled_in(made_once(tmp_path_factory, "firmware", make))
