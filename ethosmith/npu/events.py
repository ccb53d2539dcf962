# SPDX-License-Identifier: Apache-2.0
"""Turns traffic and cycles into occurrences of performance events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from ethosu.vela.ethos_u55_regs.ethos_u55_regs import pmu_event_type

from ethosmith.npu.faults import AxiPort
from ethosmith.npu.traffic import Traffic

_READ_BEATS = {
    AxiPort.AXI0: pmu_event_type.AXI0_RD_DATA_BEAT_RECEIVED.value,
    AxiPort.AXI1: pmu_event_type.AXI1_RD_DATA_BEAT_RECEIVED.value,
}
_WRITE_BEATS = {
    AxiPort.AXI0: pmu_event_type.AXI0_WR_DATA_BEAT_WRITTEN.value,
    AxiPort.AXI1: pmu_event_type.AXI1_WR_DATA_BEAT_WRITTEN.value,
}
_EVERY_CYCLE = (
    pmu_event_type.CYCLE.value,
    pmu_event_type.NPU_ACTIVE.value,
    pmu_event_type.AXI0_ENABLED_CYCLES.value,
    pmu_event_type.AXI1_ENABLED_CYCLES.value,
)
_MAC_ACTIVE_BY_BITS = {
    8: pmu_event_type.MAC_ACTIVE_8BIT.value,
    16: pmu_event_type.MAC_ACTIVE_16BIT.value,
    32: pmu_event_type.MAC_ACTIVE_32BIT.value,
}


@dataclass(frozen=True)
class EventTotals:
    """What all jobs of a device have cost, whatever its event counters were set to.

    Attributes:
        cycles: Estimated cycles.
        axi0_read_beats: Data beats over port AXI0, towards the NPU.
        axi0_written_beats: Data beats over port AXI0, towards memory.
        axi1_read_beats: Data beats over port AXI1, towards the NPU.
        axi1_written_beats: Data beats over port AXI1, towards memory.
    """

    cycles: int = 0
    axi0_read_beats: int = 0
    axi0_written_beats: int = 0
    axi1_read_beats: int = 0
    axi1_written_beats: int = 0


def event_totals(events: Mapping[int, int]) -> EventTotals:
    """Return the totals of ``events``, counts by ``pmu_event_type``."""
    return EventTotals(
        cycles=events.get(pmu_event_type.CYCLE.value, 0),
        axi0_read_beats=events.get(_READ_BEATS[AxiPort.AXI0], 0),
        axi0_written_beats=events.get(_WRITE_BEATS[AxiPort.AXI0], 0),
        axi1_read_beats=events.get(_READ_BEATS[AxiPort.AXI1], 0),
        axi1_written_beats=events.get(_WRITE_BEATS[AxiPort.AXI1], 0),
    )


def traffic_events(traffic: list[Traffic], beat_bytes: int) -> Counter[int]:
    """Return data beats by event number; each entry of ``traffic`` fills whole beats."""
    events: Counter[int] = Counter()
    for entry in traffic:
        events[_READ_BEATS[entry.port]] += -(-entry.read_bytes // beat_bytes)
        events[_WRITE_BEATS[entry.port]] += -(-entry.written_bytes // beat_bytes)
    return events


def cycle_events(cycles: int, mac_active: int, ifm_bits: int) -> dict[int, int]:
    """Return the events that count cycles. NPU_IDLE stays zero: the model never waits."""
    events = dict.fromkeys(_EVERY_CYCLE, cycles)
    if mac_active:
        events[pmu_event_type.MAC_ACTIVE.value] = mac_active
        width = (
            pmu_event_type.MAC_ACTIVE_16BIT if ifm_bits == 16 else pmu_event_type.MAC_ACTIVE_8BIT
        )
        events[width.value] = mac_active
    return events
