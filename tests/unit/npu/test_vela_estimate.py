# SPDX-License-Identifier: Apache-2.0
"""What Vela's figures come to for its stream, by rows as its debug database has them."""

from __future__ import annotations

import pytest

from benchmarks.vela_estimate import VelaEstimate, vela_estimate

STAGED = {
    "weight_buffering": "Single",
    "ofm_depth_slices": "0|24",
    "est_op_cycles_with_buffering": "900",
    "SramFeatureMap_ac": "200",
    "SramScales_read": "240",
    "DramFeatureMap_ac": "600",
    "DramFeatureMap_read": "1000",
    "DramFeatureMap_write": "0",
    "DramScales_ac": "3000",
    "DramScales_read": "0",
}
SLICED = {"weight_buffering": "Double", "ofm_depth_slices": "0|16|24"}


@pytest.mark.parametrize(
    ("changes", "cycles"),
    [
        ({"weight_buffering": "None"}, 3000),
        ({}, 800),  # the scales are in SRAM: the array decides
        ({"DramScales_read": "240"}, 3000),  # they are not
        (SLICED, 1200),  # both slices read the IFM
        (SLICED | {"DramFeatureMap_ac": "300"}, 900),  # and wait for their weights
    ],
)
def test_only_what_was_moved_is_counted_anew(changes: dict[str, str], cycles: int) -> None:
    row = {"id": "1", "operator": "Conv2D", "op_cycles": "3000", "npu_cycles": "800"}
    tables = {
        "perf": [row | {"Sram_ac": "200", "Dram_ac": "3000"}],
        "perf_debug": [{"id": "1"} | STAGED | changes],
        "perf_debug_main": [{"id": "1", "ofm_block_c": "32"}],
    }
    assert vela_estimate(tables) == VelaEstimate(total=3000, of_stream=cycles)
