# SPDX-License-Identifier: Apache-2.0
"""Corrupted inputs, ten thousand with ``-m slow``: each ends in a modelled error or cleanly."""

from __future__ import annotations

import contextlib

import pytest
from ethosu.vela.ethos_u55_regs.ethos_u55_regs import cmd0

from ethosu_model.harness import HostRunner, NpuJobError
from tests.support.npu_fuzz.fuzzer import Campaign, run_campaign, victims
from tests.support.npu_fuzz.mutations import set_before_operations

SEED = 20261122
ATTACKS = 2048
ALL_ATTACKS = 10_240
ENDINGS = {
    "clean end",
    "early stop",
    "payload refused",
    "CommandFault",
    "WeightFault",
    "TransferFault",
}
LONGEST_S = 20.0  # of processor time; seen: below one
MAX_GROWTH_BYTES = 512 << 20


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(ATTACKS, marks=pytest.mark.long),
        pytest.param(ALL_ATTACKS, marks=pytest.mark.slow),
    ],
)
def attacks(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def campaign(attacks: int) -> Campaign:
    return run_campaign(SEED, 0, attacks)


def test_no_corruption_raises_an_exception(campaign: Campaign) -> None:
    assert campaign.crashes == []


def test_every_corruption_ends_in_a_modelled_way(campaign: Campaign, attacks: int) -> None:
    assert campaign.endings.total() == attacks
    assert set(campaign.endings) == ENDINGS


def test_no_corruption_hangs(campaign: Campaign) -> None:
    assert campaign.slowest_s < LONGEST_S, campaign.slowest


def test_memory_does_not_grow(campaign: Campaign) -> None:
    assert campaign.grown_bytes < MAX_GROWTH_BYTES


@pytest.mark.parametrize("signed", [0, 1])
@pytest.mark.parametrize("element_size", [0, 1, 2])
@pytest.mark.parametrize(
    "rounding", [0, *(pytest.param(other, marks=pytest.mark.long) for other in (1, 2))]
)
def test_every_victim_survives_every_ofm_precision(
    signed: int, element_size: int, rounding: int
) -> None:
    precision = signed | element_size << 1 | rounding << 14
    for victim in victims():
        model = set_before_operations(victim.model, cmd0.NPU_SET_OFM_PRECISION, precision)
        with contextlib.suppress(NpuJobError):
            HostRunner(model, victim.target.config).run(victim.inputs)
