# SPDX-License-Identifier: Apache-2.0
"""Rounding may tell the two oracles of a PyTorch network apart; another network may not pass."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.pytorch.reference import Agreement


def _agreement(difference: np.ndarray) -> Agreement:
    agreement = Agreement()
    base = np.full(difference.shape, -128, np.int8)
    agreement.add((base + difference).astype(np.int8), base)
    return agreement


def test_neighbouring_values_are_counted_and_pass() -> None:
    agreement = _agreement(np.array([0, 1, 0, 2]))
    agreement.check(Path("net.pt2"))
    assert (agreement.elements, agreement.different, agreement.largest) == (4, 2, 2)


def test_differences_of_the_whole_range_are_not_wrapped_and_are_refused() -> None:
    agreement = _agreement(np.array([255, 0, 0, 0]))
    assert agreement.largest == 255
    with pytest.raises(EthosmithError) as raised:
        agreement.check(Path("net.pt2"))
    assert str(raised.value).startswith("net.pt2: the TOSA graph that ExecuTorch made of it is")
    assert "1 of 4 output elements" in str(raised.value)
    assert "by 63.8 steps on average" in str(raised.value)
