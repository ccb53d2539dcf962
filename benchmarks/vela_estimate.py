# SPDX-License-Identifier: Apache-2.0
"""Vela's estimate of a network's cycles, and what it would be for the stream that Vela writes.

Vela's total is at odds with other figures of the same report where weights are moved to SRAM before
they are read:

- It lets scales be read from where they came from, though they are moved with the weights, and its
  own byte counts have them read from SRAM. (Later sources of Vela count them there: the unit test
  "PerformanceModel ScaleAccounting" of its C++ core.)
- Of an operation that is cut in slices along depth it counts the IFM once, though the command of
  each slice reads it, and only the first slice's wait for weights; the scheduler's own figure,
  est_op_cycles_with_buffering, has all waits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

Row = Mapping[str, str]


@dataclass(frozen=True)
class VelaEstimate:
    """Cycles of a network.

    Attributes:
        total: As Vela states it.
        of_stream: With the scales, the IFM and the waits as the stream has them.
    """

    total: int
    of_stream: int


def vela_estimate(tables: Mapping[str, Sequence[Row]]) -> VelaEstimate:
    """Return the estimate in the tables of Vela's debug database."""
    details = {row["id"]: row for row in tables["perf_debug"]}
    blocks = {row["id"]: row for row in tables["perf_debug_main"]}
    total = of_stream = 0
    for row in tables["perf"]:
        total += int(row["op_cycles"])
        of_stream += _of_stream(row, details[row["id"]], blocks.get(row["id"], {}))
    return VelaEstimate(total, of_stream)


def _of_stream(row: Row, detail: Row, block: Row) -> int:
    if detail["weight_buffering"] not in ("Single", "Double"):
        return int(row["op_cycles"])
    slices = [int(end) for end in detail["ofm_depth_slices"].split("|")]
    cycles, repeats = int(row["npu_cycles"]), 1.0
    if len(slices) > 2:
        cycles = max(cycles, int(detail["est_op_cycles_with_buffering"]))
        if row["operator"] == "Conv2D":
            repeats = _passes(slices, int(block["ofm_block_c"]))
    memories = [name.removesuffix("_ac") for name in row if name.endswith("_ac")]
    return max(cycles, *(_access_cycles(memory, row, detail, repeats) for memory in memories))


def _passes(slices: Sequence[int], block: int) -> float:
    """Return how many times as often the slices read the IFM as one command would."""
    each = sum(-(-(end - start) // block) for start, end in pairwise(slices))
    return each / -(-slices[-1] // block)


def _access_cycles(memory: str, row: Row, detail: Row, repeats: float) -> int:
    def number(column: str) -> int:
        return int(detail.get(memory + column) or 0)

    cycles = int(row[f"{memory}_ac"])
    maps = number("FeatureMap_ac")
    if number("Scales_ac") and not number("Scales_read"):
        cycles = max(maps, number("Weights_ac"), number("Lut_ac"))
    read, written = number("FeatureMap_read"), number("FeatureMap_write")
    if not read:
        return cycles
    return max(cycles, round(maps * (repeats * read + written) / (read + written)))
