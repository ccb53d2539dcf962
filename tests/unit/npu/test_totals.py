# SPDX-License-Identifier: Apache-2.0
"""The device's totals count every event once, however the CPU sets its counters."""

from __future__ import annotations

from collections import Counter

from ethosu.vela.ethos_u55_regs.ethos_u55_regs import pmu_event_type

from ethosu_model.events import event_totals, traffic_events
from ethosu_model.faults import AxiPort
from ethosu_model.traffic import Traffic


def test_totals_name_port_and_direction() -> None:
    events: Counter[int] = Counter({pmu_event_type.CYCLE.value: 50})
    events.update(traffic_events([Traffic(AxiPort.AXI0, 80, 16)], 8))
    events.update(traffic_events([Traffic(AxiPort.AXI1, 24)], 8))
    totals = event_totals(events)
    assert (totals.cycles, totals.axi0_read_beats, totals.axi0_written_beats) == (50, 10, 2)
    assert (totals.axi1_read_beats, totals.axi1_written_beats) == (3, 0)
