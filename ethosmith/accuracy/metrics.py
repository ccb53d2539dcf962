# SPDX-License-Identifier: Apache-2.0
"""How right answers are, as one number: top-1, word error rate, area under the ROC curve."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from ethosmith.core.errors import EthosmithError, unknown_name
from ethosmith.descriptors.words import LOWER_IS_BETTER, METRICS


def top1(said: Iterable[str], wanted: Iterable[str]) -> float:
    """Return the part of the answers that equal what was wanted."""
    items = right = 0
    for answer, label in zip(said, wanted, strict=True):
        items += 1
        right += answer == label
    return right / items


def word_errors(said: str, wanted: str) -> int:
    """Return the least number of words to insert, delete or replace between two texts."""
    row = list(range(len(said.split()) + 1))
    for i, want in enumerate(wanted.split(), 1):
        previous, row[0] = row[0], i
        for j, got in enumerate(said.split(), 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (want != got))
    return row[-1]


def word_error_rate(said: Iterable[str], wanted: Iterable[str]) -> float:
    """Return the word errors of all texts over the number of words wanted.

    Raises:
        EthosmithError: no word is wanted at all.
    """
    words = errors = 0
    for answer, label in zip(said, wanted, strict=True):
        words += len(label.split())
        errors += word_errors(answer, label)
    if not words:
        raise EthosmithError("the evaluation set contains no words; a word error rate is undefined")
    return errors / words


def auc(low: Sequence[float], high: Sequence[float]) -> float:
    """Return the chance that one of ``high`` is above one of ``low``; equal ones count half.

    This is the area under the ROC curve: Mann and Whitney's U over the number of pairs.

    Raises:
        EthosmithError: one of them is empty.
    """
    if not low or not high:
        raise EthosmithError("the metric auc needs items of both classes")
    ordered = sorted(low)
    twice = sum(bisect_left(ordered, s) + bisect_right(ordered, s) for s in high)
    return twice / (2 * len(low) * len(high))


def measured(
    metric: str,
    said: Iterable[tuple[str, float]],
    wanted: Iterable[str],
    classes: Sequence[str] = (),
) -> float:
    """Return the value of ``metric``.

    Args:
        metric: one of `METRICS`.
        said: answer and score of each item.
        wanted: the label of each item.
        classes: for ``auc``: the label with low scores, then the one with high ones.

    Raises:
        EthosmithError: there is no such metric, or the set does not suit it.
    """
    if metric not in METRICS:
        raise EthosmithError(unknown_name("metric", metric, METRICS))
    if metric == "auc":
        scores = {one: array("d") for one in classes}
        for (_, score), label in zip(said, wanted, strict=True):
            if label in scores:
                scores[label].append(score)
        low, high = (scores[one] for one in classes)
        return auc(low, high)
    texts = (answer for answer, _ in said)
    return word_error_rate(texts, wanted) if metric == "word_error_rate" else top1(texts, wanted)


def loss(metric: str, before: float, after: float) -> float:
    """Return by how much ``after`` is worse than ``before``; negative if it is better."""
    return after - before if metric in LOWER_IS_BETTER else before - after
