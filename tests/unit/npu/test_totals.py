# SPDX-License-Identifier: Apache-2.0
"""The device's totals count every event once, however the CPU sets its counters."""

from __future__ import annotations

from collections import Counter

import numpy as np
from ethosu.vela.ethos_u55_regs.ethos_u55_regs import pmu_event_type

from ethosu_model.enums import Layout, Upscale
from ethosu_model.events import event_totals, traffic_events
from ethosu_model.faults import AxiPort
from ethosu_model.operands import FeatureMap, Kernel, Padding, Shape, Tiles
from ethosu_model.traffic import Traffic, Window, ifm_traffic


def test_totals_name_port_and_direction() -> None:
    events: Counter[int] = Counter({pmu_event_type.CYCLE.value: 50})
    events.update(traffic_events([Traffic(AxiPort.AXI0, 80, 16)], 8))
    events.update(traffic_events([Traffic(AxiPort.AXI1, 24)], 8))
    totals = event_totals(events)
    assert (totals.cycles, totals.axi0_read_beats, totals.axi0_written_beats) == (50, 10, 2)
    assert (totals.axi1_read_beats, totals.axi1_written_beats) == (3, 0)


def test_each_part_of_a_large_kernel_reads_its_own_rows_and_columns() -> None:
    def read(height: int, width: int, decomposition: int = 8) -> int:
        kernel = Kernel(
            height, width, 1, 1, 1, 1, part_kernel_first=False, decomposition=decomposition
        )
        ofm = Shape(4, 4, 16)
        ifm = FeatureMap(
            shape=Shape(3 + height, 3 + width, 16),
            dtype=np.dtype("i1"),
            layout=Layout.NHWC,
            tiles=Tiles(99, 99, 99, (0, 0, 0, 0)),
            stride_y=0,
            stride_x=0,
            stride_c=0,
            zero_point=0,
            port=AxiPort.AXI0,
        )
        window = Window(kernel, Padding(0, 0, 0, 0), Upscale.NONE)
        return ifm_traffic(ifm, ofm, ofm, window, taken=ofm, depth_passes=1).read_bytes // 16

    assert read(8, 8) == 11 * 11
    assert read(10, 8) == (11 + 5) * 11
    assert read(10, 17) == (11 + 5) * (11 + 11 + 4)
    assert read(8, 8, decomposition=4) == (7 + 7) * (7 + 7)
