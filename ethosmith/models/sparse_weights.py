# SPDX-License-Identifier: Apache-2.0
"""Read constants that a .tflite holds without their zeros.

TFLite stores such a tensor dimension by dimension in the order of its ``traversalOrder``: a dense
one has all its indices, a sparse one, for each index of the dimension before it, a segment of a
list of indices. Dimensions behind the tensor's own are those of blocks, which ``blockMap`` assigns
to the tensor's own (SparsityParameters in TFLite's schema).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from ethosmith.core.files import MAX_MODEL_BYTES

Array = npt.NDArray[Any]
_DENSE = 0


def dense_values(stored: Array, shape: tuple[int, ...], sparsity: Any) -> Array:
    """Return the whole tensor.

    Args:
        stored: the values that are there, in a row.
        shape: of the tensor.
        sparsity: LiteRT's SparsityParametersT.

    Raises:
        ValueError: they do not fit together, or the tensor is larger than a model may be.
    """
    if math.prod(shape) * stored.itemsize > MAX_MODEL_BYTES:
        raise ValueError(f"a sparse tensor of shape {shape}")
    order = [int(dimension) for dimension in sparsity.traversalOrder]
    blocks = [int(one) for one in ([] if sparsity.blockMap is None else sparsity.blockMap)]
    if sorted(order) != list(range(len(shape) + len(blocks))):
        raise ValueError(f"a sparse tensor's order {order} of {len(shape)} dimensions")
    at = np.zeros(1, np.int64)
    found = np.zeros((1, len(order)), np.int64)
    sizes = [0] * len(order)
    for dimension, level in zip(order, sparsity.dimMetadata, strict=True):
        rows, indices, at = _indices(level, at, len(stored))
        found = found[rows]
        found[:, dimension] = indices
        sizes[dimension] = int(level.denseSize)
    own = found[:, : len(shape)]
    for block, dimension in enumerate(blocks, len(shape)):
        own[:, dimension] = own[:, dimension] * sizes[block] + found[:, block]
    if len(own) != len(stored) or (own >= np.array(shape)).any():
        raise ValueError(f"{len(stored)} values in a sparse tensor of {len(own)} places")
    whole = np.zeros(shape, stored.dtype)
    whole[tuple(own.T)] = stored[at]
    return whole


def _indices(level: Any, at: Array, limit: int) -> tuple[Array, Array, Array]:
    """Go one dimension down from the places ``at``.

    Returns:
        For each new place, the row of ``at`` that it is below; its index; and its own number.
    """
    if level.format == _DENSE:
        size = int(level.denseSize)
        _check(size >= 0 and len(at) * size <= limit)
        indices = np.tile(np.arange(size), len(at))
        rows = np.repeat(np.arange(len(at)), size)
        return rows, indices, at[rows] * size + indices
    segments, listed = (
        np.asarray(one.values, np.int64) for one in (level.arraySegments, level.arrayIndices)
    )
    _check(len(segments) > int(at.max(initial=0)) + 1 and (np.diff(segments) >= 0).all())
    begin, count = segments[at], segments[at + 1] - segments[at]
    _check(int(count.sum()) <= limit and segments[0] >= 0 and segments[-1] <= len(listed))
    rows = np.repeat(np.arange(len(at)), count)
    inside = np.arange(len(rows)) - np.repeat(np.cumsum(count) - count, count)
    numbers = begin[rows] + inside
    _check((listed >= 0).all())
    return rows, listed[numbers], numbers


def _check(sound: Any) -> None:
    if not sound:
        raise ValueError("a sparse tensor's indices contradict each other")
