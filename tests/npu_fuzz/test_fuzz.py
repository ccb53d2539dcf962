# SPDX-License-Identifier: Apache-2.0
"""Ten thousand corrupted inputs: each ends in a modelled error or cleanly, and soon."""

from __future__ import annotations

import pytest

from tests.npu_fuzz.fuzzer import Campaign, run_campaign

SEED = 20261122
ATTACKS = 10_240
ENDINGS = {"clean end", "payload refused", "CommandFault", "WeightFault", "TransferFault"}
LONGEST_S = 20.0  # of processor time; seen: below one
MOST_GROWTH_BYTES = 512 << 20


@pytest.fixture(scope="module")
def campaign() -> Campaign:
    return run_campaign(SEED, 0, ATTACKS)


def test_no_corruption_raises_an_exception(campaign: Campaign) -> None:
    assert campaign.crashes == []


def test_every_corruption_ends_in_a_modelled_way(campaign: Campaign) -> None:
    assert campaign.endings.total() == ATTACKS
    assert set(campaign.endings) == ENDINGS


def test_no_corruption_hangs(campaign: Campaign) -> None:
    assert campaign.slowest_s < LONGEST_S, campaign.slowest


def test_memory_does_not_grow(campaign: Campaign) -> None:
    assert campaign.grown_bytes < MOST_GROWTH_BYTES
