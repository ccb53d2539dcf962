# SPDX-License-Identifier: Apache-2.0
"""Sets of byte addresses, as sorted ranges that do not touch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethosu_model.feature_map import Area, areas
from ethosu_model.operands import FeatureMap

Spans = NDArray[Any]  # int64 [n, 2]: first address, and the first behind

Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]  # rows, columns, channels

NOTHING: Spans = np.empty((0, 2), dtype=np.int64)


def span(address: int, size_bytes: int) -> Spans:
    """Return one range of bytes."""
    return np.array([[address, address + size_bytes]], dtype=np.int64) if size_bytes else NOTHING


def union(parts: Iterable[Spans]) -> Spans:
    """Return what any of the parts has."""
    ranges = np.concatenate([NOTHING, *parts])
    ranges = ranges[np.argsort(ranges[:, 0], kind="stable")]
    if len(ranges) < 2:
        return ranges
    ends = np.maximum.accumulate(ranges[:, 1])
    first = np.concatenate([[True], ranges[1:, 0] > ends[:-1]])
    last = np.concatenate([first[1:], [True]])
    return np.stack([ranges[first, 0], ends[last]], axis=1)


def meeting(first: Spans, second: Spans) -> int | None:
    """Return an address that both have, or None."""
    if not len(first) or not len(second):
        return None
    index = np.searchsorted(first[:, 1], second[:, 0], side="right")
    inside = index < len(first)
    candidates, theirs = first[index[inside]], second[inside]
    meets = candidates[:, 0] < theirs[:, 1]
    if not meets.any():
        return None
    at = int(np.argmax(meets))
    return int(max(candidates[at, 0], theirs[at, 0]))


def spans_of(fm: FeatureMap) -> Spans:
    """Return the bytes of a feature map's elements; gaps between them are left out."""
    return union(_spans_of_area(area) for area in areas(fm))


def _spans_of_area(area: Area) -> Spans:
    size = area.element_bytes
    axes = sorted(zip(map(abs, area.strides), area.counts, strict=True))
    starts = np.array([area.low], dtype=np.int64)
    for stride, count in axes:
        if count == 1 or stride == 0:
            continue
        if stride == size and len(starts) == 1:
            size *= count
        else:
            starts = (starts[None, :] + stride * np.arange(count)[:, None]).ravel()
    return union([np.stack([starts, starts + size], axis=1)])


def box_spans(fm: FeatureMap, box: Box | None) -> Spans:
    """Return the bytes of some elements of a feature map.

    Args:
        fm: The feature map.
        box: First and last + 1 of rows, columns and channels, cut to the feature map's size; None:
            all of it.
    """
    if box is None:
        return spans_of(fm)
    parts = (part for area in areas(fm) for part in _clipped(area, box))
    return union(_spans_of_area(part) for part in parts)


def _clipped(area: Area, box: Box) -> Iterator[Area]:
    """Yield what an area and a box have in common, brick by brick."""
    (top, bottom), (left, right), (low, high) = box
    rows, bricks, columns, channels = area.counts
    first_row, last_row = max(top, area.row), min(bottom, area.row + rows)
    first, last = max(left, area.column), min(right, area.column + columns)
    if first_row >= last_row or first >= last:
        return
    for brick in range(bricks):
        start = area.channel + brick * channels
        near, far = max(low, start), min(high, start + channels)
        if near < far:
            steps = (first_row - area.row, brick, first - area.column, near - start)
            yield replace(
                area,
                address=area.address + sum(n * s for n, s in zip(steps, area.strides, strict=True)),
                row=first_row,
                column=first,
                channel=near,
                counts=(last_row - first_row, 1, last - first, far - near),
            )
