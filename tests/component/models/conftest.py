# SPDX-License-Identifier: Apache-2.0
"""Small networks for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.networks.keras import make_networks


@pytest.fixture(scope="session")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("networks")
    make_networks(folder)
    return folder
