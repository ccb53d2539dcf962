# SPDX-License-Identifier: Apache-2.0
"""Metrics equal what scipy, or the definition written out, says."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from ethosmith.accuracy.metrics import auc, loss, measured, top1, word_error_rate, word_errors
from ethosmith.core.errors import EthosmithError


@pytest.mark.parametrize("values", [3, 1000])
def test_auc_is_mann_and_whitneys_u_over_the_pairs(values: int) -> None:
    random = np.random.default_rng(values)
    low = random.integers(0, values, 41).tolist()
    high = (random.integers(0, values, 29) + values // 8).tolist()
    from scipy.stats import mannwhitneyu

    wanted = mannwhitneyu(high, low).statistic / (len(low) * len(high))
    assert auc(low, high) == pytest.approx(wanted)
    assert auc(high, low) == pytest.approx(1 - wanted)


def test_auc_takes_the_labels_in_the_order_of_the_classes() -> None:
    said = [("", 5.0), ("", 1.0), ("", 2.0)]
    wanted = ["faulty", "whole", "whole"]
    assert measured("auc", said, wanted, ("whole", "faulty")) == 1
    assert measured("auc", said, wanted, ("faulty", "whole")) == 0
    with pytest.raises(EthosmithError, match="items of both classes"):
        measured("auc", said, ["whole"] * 3, ("whole", "faulty"))


@pytest.mark.parametrize(
    ("said", "wanted", "errors"),
    [
        ("", "", 0),
        ("", "turn on", 2),
        ("turn on", "turn on", 0),
        ("turn the lamp on", "turn on lamp", 2),
        ("on turn", "turn on", 2),
        ("play stop play", "stop", 2),
    ],
)
def test_word_errors_counted_by_hand(said: str, wanted: str, errors: int) -> None:
    assert word_errors(said, wanted) == errors


def _edit_distance(said: tuple[str, ...], wanted: tuple[str, ...]) -> int:
    """The recursion that defines it."""

    @cache
    def distance(i: int, j: int) -> int:
        if i == 0 or j == 0:
            return i + j
        replaced = distance(i - 1, j - 1) + (said[i - 1] != wanted[j - 1])
        return min(replaced, distance(i - 1, j) + 1, distance(i, j - 1) + 1)

    return distance(len(said), len(wanted))


def test_word_errors_are_the_edit_distance_of_the_words() -> None:
    random = np.random.default_rng(5)
    for _ in range(200):
        texts = [tuple(random.choice(["a", "b", "cc"], random.integers(0, 6))) for _ in range(2)]
        assert word_errors(" ".join(texts[0]), " ".join(texts[1])) == _edit_distance(*texts)


def test_word_error_rate_counts_words_of_the_whole_set() -> None:
    # 1 inserted of 1 wanted and 0 of 3: not the mean of 100 % and 0 %.
    assert word_error_rate(["go on", "turn it off"], ["go", "turn it off"]) == 1 / 4
    with pytest.raises(EthosmithError, match="contains no words"):
        word_error_rate(["go"], [""])


def test_top1_compares_whole_answers() -> None:
    assert top1(["no", "no person", "no"], ["no", "no", "no"]) == 2 / 3


def test_a_loss_is_what_got_worse() -> None:
    assert loss("top1", 0.9, 0.8) == pytest.approx(0.1)
    assert loss("word_error_rate", 0.1, 0.2) == pytest.approx(0.1)
    assert loss("auc", 0.8, 0.9) < 0
