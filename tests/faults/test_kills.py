# SPDX-License-Identifier: Apache-2.0
"""Commands killed by every signal, with ccache and Redis: the next build's bytes are a clean one's.

python -m tests.support.kills --kills 200 --seed 7
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.kills import kill_and_build

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc"),
]


def test_killed_commands_leave_nothing_and_spoil_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So that what a killed step leaves there is found.
    monkeypatch.delenv("TMPDIR", raising=False)
    report = kill_and_build(200, 20261128, tmp_path)
    assert report.findings == []
    assert report.builds == 21
