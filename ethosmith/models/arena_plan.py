# SPDX-License-Identifier: Apache-2.0
"""Plan the tensors of a network in an arena as TensorFlow Lite Micro's greedy planner does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ethosmith.models.tflite_file import TfliteFile

# MicroArenaBufferAlignment().
ALIGNMENT_BYTES = 16


def aligned(size_bytes: int) -> int:
    """Return ``size_bytes`` rounded up to whole multiples of the arena's alignment."""
    return -(-size_bytes // ALIGNMENT_BYTES) * ALIGNMENT_BYTES


@dataclass(frozen=True)
class Buffer:
    """Memory that operators ``first`` to ``last`` use; the file may give its ``offset``."""

    size_bytes: int
    first: int
    last: int
    offset: int | None = None

    def meets(self, other: Buffer) -> bool:
        """Tell whether both are in use at the same time."""
        return self.first <= other.last and other.first <= self.last

    @property
    def end(self) -> int:
        """First offset behind it, once it is placed."""
        return (self.offset or 0) + aligned(self.size_bytes)


def plan_bytes(network: TfliteFile, scratch: Iterable[tuple[int, int]]) -> int:
    """Return the size of the arena's part that tensors and scratch buffers share.

    Args:
        network: its tensors that are no constants.
        scratch: index of an operator, and the bytes of a buffer that it needs while it runs.
    """
    buffers = [*_tensors(network), *(Buffer(size, index, index) for index, size in scratch)]
    return max((buffer.end for buffer in _placed(buffers)), default=0)


def _tensors(network: TfliteFile) -> list[Buffer]:
    uses: dict[int, list[int]] = {}
    for index, operator in enumerate(network.operators):
        for tensor in (*operator.inputs, *operator.outputs):
            uses.setdefault(tensor, []).append(index)
    for tensor in network.inputs:
        uses.setdefault(tensor, []).append(0)
    for tensor in network.outputs:
        uses.setdefault(tensor, []).append(len(network.operators))
    return [
        Buffer(tensor.size_bytes, min(uses[index]), max(uses[index]), tensor.offset)
        for index, tensor in enumerate(network.tensors)
        if index in uses and not tensor.constant
    ]


def _placed(buffers: Sequence[Buffer]) -> list[Buffer]:
    """Place those that the file plans, then the others, the largest first, each where it fits."""
    placed = [buffer for buffer in buffers if buffer.offset is not None]
    waiting = [buffer for buffer in buffers if buffer.offset is None]
    for buffer in sorted(waiting, key=lambda one: -one.size_bytes):
        placed.append(replace(buffer, offset=_first_gap(buffer, placed)))
    return placed


def _first_gap(buffer: Buffer, placed: Iterable[Buffer]) -> int:
    offset = 0
    for other in sorted(
        (one for one in placed if one.meets(buffer)), key=lambda one: one.offset or 0
    ):
        if offset + aligned(buffer.size_bytes) <= (other.offset or 0):
            break
        offset = max(offset, other.end)
    return offset
