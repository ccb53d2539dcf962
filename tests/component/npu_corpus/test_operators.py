# SPDX-License-Identifier: Apache-2.0
"""A third of the networks, each on one NPU configuration; all of them on all with ``-m slow``."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ethosu_model.commands import Cmd0
from ethosu_model.harness import HostRunner, NpuJobError, RawModel
from tests.support.npu_corpus.case import Case
from tests.support.npu_corpus.check import CHECKS, Check, input_set
from tests.support.npu_corpus.known import KNOWN_DIFFERENCES, KnownDifference, known_difference
from tests.support.npu_corpus.table import ROWS, all_cases, case_named
from tests.support.npu_corpus.targets import TARGETS, Target, compile_for, target_named

MIN_CASES = 500
# Values of a row's parameters come up in turn: its first third has seen nearly all of them.
DAILY_CASES = tuple(case for row in ROWS for case in row.cases()[: max(2, round(row.count / 3))])


def sampled_target(case: Case) -> Target:
    """Return one target for a case, always the same, so that all targets get their share."""
    return TARGETS[case.seed % len(TARGETS)]


def assert_as_exact_as_vela(check: Check, target: Target) -> None:
    """Fail unless the NPU model equals LiteRT, or TFLM within a known difference of Vela's."""
    known = known_difference(check.case, target.config.product)
    found = check.difference(target)
    assert found.elements
    if known is None:
        assert found.different == 0, found
        return
    assert found.largest <= known.largest, known.reason
    if known.exact_with_tflm:
        assert check.difference(target, from_tflm=True).different == 0


@pytest.mark.parametrize("case", DAILY_CASES, ids=lambda case: case.id)
def test_operator_is_bit_exact(case: Case) -> None:
    assert_as_exact_as_vela(Check(case), sampled_target(case))


@pytest.mark.slow
@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.id)
def test_operator_is_bit_exact_on_every_configuration(case: Case) -> None:
    check = Check(case)
    for target in TARGETS:
        assert_as_exact_as_vela(check, target)


def test_corpus_has_its_size_and_no_id_twice() -> None:
    names = [case.id for case in all_cases()]
    assert len(names) >= MIN_CASES
    assert len(set(names)) == len(names)


def test_every_row_and_every_target_is_sampled() -> None:
    assert {sampled_target(case).name for case in DAILY_CASES} == {t.name for t in TARGETS}
    assert {case.operator for case in DAILY_CASES} == {row.operator for row in ROWS}


@pytest.mark.parametrize("known", KNOWN_DIFFERENCES, ids=lambda known: known.reason)
def test_known_difference_is_still_one(known: KnownDifference) -> None:
    cases = [case for case in all_cases() if known_difference(case) is known]
    # Some show with few random choices.
    chosen = (replace(case, salt=salt) for salt in (0, 7, 1, 2) for case in cases)
    assert any(Check(case).difference(TARGETS[0]).different for case in chosen)


def _with_largest_blockdep(model: RawModel, largest: int) -> RawModel:
    """Return the model, BLOCKDEP raised behind every operation but the first."""
    words = np.frombuffer(model.payload, dtype="<u4").copy()
    (places,) = np.nonzero((words & 0xFFFF) == Cmd0.NPU_SET_BLOCKDEP.code)
    words[places[1:]] = Cmd0.NPU_SET_BLOCKDEP.code | largest << 16
    return replace(model, payload=words.tobytes())


@pytest.mark.parametrize(
    ("name", "target", "largest"),
    [
        ("chain_conv_2d-int8-ifm12x11x33-depth33-k2x2s2x2-same-relu6", "ethos-u55-128", 3),
        ("chain_depthwise-int8-ifm6x5x70-k3x3d2x2-same", "ethos-u55-128", 3),
        ("chain_transpose_conv-int16-ifm4x4x17-depth18-k3x3-valid", "ethos-u85-256", 7),
    ],
)
def test_larger_blockdep_than_velas_is_found(name: str, target: str, largest: int) -> None:
    check, memory = Check(case_named(name)), target_named(f"{target}/Sram_Only")
    model, config = compile_for(memory, check.tflite), memory.config
    inputs = input_set(check.case, check.case.network(), 0)
    HostRunner(model, config, checks=CHECKS).run(inputs)
    raised = _with_largest_blockdep(model, largest)
    HostRunner(raised, config).run(inputs)
    with pytest.raises(NpuJobError, match=f"BLOCKDEP is {largest}, at most 1"):
        HostRunner(raised, config, checks=CHECKS).run(inputs)
