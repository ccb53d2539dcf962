# SPDX-License-Identifier: Apache-2.0
"""What several folders of tests compile for this computer, made once for a run of pytest."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.firmware.frontend_program import Frontend, make_frontend
from tests.support.host_build import compile_shared
from tests.support.made_once import made_once


@pytest.fixture(scope="session")
def frontend(tmp_path_factory: pytest.TempPathFactory) -> Frontend:
    """The audio front end: TensorFlow's program, and the objects of ours."""
    return Frontend(made_once(tmp_path_factory, "frontend", make_frontend))


@pytest.fixture(scope="session")
def host_objects(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """What every use case's host program is linked with."""
    return tuple(sorted(made_once(tmp_path_factory, "host", compile_shared).glob("*.o")))
