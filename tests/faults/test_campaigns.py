# SPDX-License-Identifier: Apache-2.0
"""Hostile files by the thousand: each ends in one line or is taken; none crashes, hangs or grows.

python -m pytest -m slow tests/faults/test_campaigns.py     # all of them
python -m tests.support.campaigns samples --count 100000 --seed 7
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.campaigns.kinds import CAMPAIGNS
from tests.support.campaigns.runner import MAX_GROWTH_BYTES, MAX_PROCESSOR_S, run

pytestmark = pytest.mark.long

SEED = 20261128


def _check(name: str, count: int, seed: int, folder: Path) -> None:
    tally = run(name, CAMPAIGNS[name], seed, count, folder)
    assert tally.findings == []
    assert tally.total == count
    assert tally.slowest_s < MAX_PROCESSOR_S
    assert tally.grown_bytes < MAX_GROWTH_BYTES
    # Spoilt files that are all taken, or all refused, prove little.
    assert len(tally.endings) > 1, tally.endings


@pytest.mark.parametrize("name", [name for name in CAMPAIGNS if name != "models"])
def test_some_hostile_files(name: str, tmp_path: Path) -> None:
    _check(name, CAMPAIGNS[name].short, SEED, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", CAMPAIGNS)
def test_many_hostile_files(name: str, tmp_path: Path) -> None:
    _check(name, CAMPAIGNS[name].count, SEED + 1, tmp_path)
