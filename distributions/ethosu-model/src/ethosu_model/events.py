# SPDX-License-Identifier: Apache-2.0
"""Turns traffic and cycles into occurrences of performance events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ethosu_model.faults import AxiPort
from ethosu_model.pmu_events import PmuEvent
from ethosu_model.traffic import Traffic

_READ_BEATS = {
    AxiPort.AXI0: PmuEvent.AXI0_RD_DATA_BEAT_RECEIVED,
    AxiPort.AXI1: PmuEvent.AXI1_RD_DATA_BEAT_RECEIVED,
}
_WRITE_BEATS = {
    AxiPort.AXI0: PmuEvent.AXI0_WR_DATA_BEAT_WRITTEN,
    AxiPort.AXI1: PmuEvent.AXI1_WR_DATA_BEAT_WRITTEN,
}
_EVERY_CYCLE = (
    PmuEvent.CYCLE,
    PmuEvent.NPU_ACTIVE,
    PmuEvent.AXI0_ENABLED_CYCLES,
    PmuEvent.AXI1_ENABLED_CYCLES,
)
_MAC_ACTIVE = PmuEvent.MAC_ACTIVE
_MAC_ACTIVE_BY_BITS = {
    8: PmuEvent.MAC_ACTIVE_8BIT,
    16: PmuEvent.MAC_ACTIVE_16BIT,
    32: PmuEvent.MAC_ACTIVE_32BIT,
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
    """Return the totals of ``events``, counts by ``PmuEvent``."""
    return EventTotals(
        cycles=events.get(PmuEvent.CYCLE, 0),
        axi0_read_beats=events.get(_READ_BEATS[AxiPort.AXI0], 0),
        axi0_written_beats=events.get(_WRITE_BEATS[AxiPort.AXI0], 0),
        axi1_read_beats=events.get(_READ_BEATS[AxiPort.AXI1], 0),
        axi1_written_beats=events.get(_WRITE_BEATS[AxiPort.AXI1], 0),
    )


def traffic_events(traffic: list[Traffic], beat_bytes: int) -> dict[int, int]:
    """Return data beats by event number; each entry of ``traffic`` fills whole beats."""
    events: dict[int, int] = {}
    for entry in traffic:
        for event, moved in (
            (_READ_BEATS[entry.port], entry.read_bytes),
            (_WRITE_BEATS[entry.port], entry.written_bytes),
        ):
            if moved:
                events[event] = events.get(event, 0) + -(-moved // beat_bytes)
    return events


def cycle_events(cycles: int, mac_active: Mapping[int, int]) -> dict[int, int]:
    """Return the events that count cycles. NPU_IDLE stays zero: the model never waits.

    Args:
        cycles: All cycles.
        mac_active: Those in which the MAC array works, by the IFM's element size in bits.
    """
    events: dict[int, int] = dict.fromkeys(_EVERY_CYCLE, cycles)
    events[_MAC_ACTIVE] = sum(mac_active.values())
    return events | {
        _MAC_ACTIVE_BY_BITS[bits]: count
        for bits, count in mac_active.items()
        if bits in _MAC_ACTIVE_BY_BITS  # no event counts IFM2 of 64 bits
    }
