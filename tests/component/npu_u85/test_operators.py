# SPDX-License-Identifier: Apache-2.0
"""The operator corpus on Ethos-U85: a share of it here, all on every configuration if slow."""

from __future__ import annotations

import pytest

from tests.component.npu_corpus.test_operators import assert_as_exact_as_vela
from tests.support.npu_corpus.case import Case
from tests.support.npu_corpus.check import Check
from tests.support.npu_corpus.targets import U85_TARGETS, Target
from tests.support.npu_corpus.u85_table import u85_cases

_ONE_IN = 12


def sampled_target(case: Case) -> Target:
    """Return one target for a case, always the same, so that all targets get their share."""
    return U85_TARGETS[case.seed % len(U85_TARGETS)]


def _share() -> list[Case]:
    """Return the first network of each operator, and one in some of the others."""
    seen: set[str] = set()
    taken = []
    for number, case in enumerate(u85_cases()):
        if case.operator not in seen or number % _ONE_IN == 0:
            seen.add(case.operator)
            taken.append(case)
    return taken


@pytest.mark.parametrize("case", _share(), ids=lambda case: case.id)
def test_operator_is_bit_exact(case: Case) -> None:
    assert_as_exact_as_vela(Check(case), sampled_target(case))


@pytest.mark.slow
@pytest.mark.parametrize("case", u85_cases(), ids=lambda case: case.id)
def test_operator_is_bit_exact_on_every_configuration(case: Case) -> None:
    check = Check(case)
    for target in U85_TARGETS:
        assert_as_exact_as_vela(check, target)


def test_every_target_has_its_share() -> None:
    assert {sampled_target(case).name for case in _share()} == {t.name for t in U85_TARGETS}
