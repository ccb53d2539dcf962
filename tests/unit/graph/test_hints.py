# SPDX-License-Identifier: Apache-2.0
"""A word in the wrong place is recognised: the message has the command that was meant."""

from __future__ import annotations

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.graph.session import Session
from ethosmith.graph.typed_words import Place, sort_words
from tests.support.project_copy import ROOT


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("ethos-u55-64", "npu=ethos-u55-64"),
        ("mps3", "target=mps3"),
        ("tflm", "runtime=tflm"),
        ("clang", "toolchain=clang"),
        ("release", "build_type=release"),
    ],
)
def test_a_value_without_its_variable_is_told_with_it(word: str, meant: str) -> None:
    with pytest.raises(EthosmithError) as caught:
        sort_words([word], ("kws",), Place(ROOT, ROOT))
    assert f"did you mean {meant}?" in str(caught.value)


def test_what_is_no_value_is_compared_with_targets_and_use_cases() -> None:
    with pytest.raises(EthosmithError, match="unknown target 'kvs'; did you mean 'kws'"):
        sort_words(["kvs"], ("kws",), Place(ROOT, ROOT))


def test_a_target_in_place_of_a_use_case_is_told_as_one() -> None:
    with pytest.raises(EthosmithError, match="which is a target: scons size usecase=NAME"):
        _ = Session({"usecase": "size"}, (), ROOT).usecases
