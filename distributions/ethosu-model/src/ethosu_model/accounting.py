# SPDX-License-Identifier: Apache-2.0
"""Keeps a job's account: cycles on a timeline, bus traffic, and the events they cause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import ceil
from typing import NamedTuple

from ethosu_model.config import AcceleratorConfig
from ethosu_model.cycles import Cycles, Workload, estimate
from ethosu_model.dma import DmaReport
from ethosu_model.events import EventTotals, cycle_events, event_totals, traffic_events
from ethosu_model.faults import AxiPort
from ethosu_model.job import JobResult
from ethosu_model.timeline import Timeline
from ethosu_model.traffic import Traffic


@dataclass(frozen=True)
class OperationCost:
    """What one operation costs.

    Attributes:
        cycles: Estimated cycles.
        ifm_bits: Element size of the IFM, which tells MAC events apart.
        beats: Data beats by event number.
        overlaps: BLOCKDEP lets it begin while the operation before it finishes its last block.
        joins: It is chained to the operation before it, and the cycles are what it adds.
    """

    cycles: Cycles
    ifm_bits: int
    beats: Mapping[int, int]
    overlaps: bool = False
    joins: bool = False


def operation_cost(
    accelerator: AcceleratorConfig,
    workload: Workload,
    traffic: list[Traffic],
    *,
    overlaps: bool,
) -> OperationCost:
    """Return the cost of an operation that does ``workload`` and moves ``traffic``."""
    return OperationCost(
        estimate(accelerator, workload),
        workload.ifm_bits,
        traffic_events(traffic, accelerator.axi_bytes),
        overlaps,
    )


class Added(NamedTuple):
    """What an operation adds to its job.

    Attributes:
        cycles: Estimated cycles.
        beats: Data beats by event number.
    """

    cycles: int
    beats: Mapping[int, int]

    def totals(self) -> EventTotals:
        """Return it as totals, for a trace."""
        return replace(event_totals(self.beats), cycles=self.cycles)


@dataclass
class _Tally:
    """Sums from which the events of a job are made at its end."""

    cycles: int = 0
    mac_active: dict[int, int] = field(default_factory=dict)
    beats: dict[int, int] = field(default_factory=dict)

    def events(self) -> dict[int, int]:
        return self.beats | cycle_events(self.cycles, self.mac_active)


@dataclass
class Account:
    """Events of one job, apart for what runs under NPU_OP_PMU_MASK."""

    accelerator: AcceleratorConfig
    masked: bool = False
    _timeline: Timeline = field(default_factory=Timeline)
    _events: _Tally = field(default_factory=_Tally)
    _masked_events: _Tally = field(default_factory=_Tally)

    def commands(self, port: AxiPort, size_bytes: int) -> EventTotals:
        """Enter the fetch of the command stream, and return what it adds to the job."""
        beats = traffic_events([Traffic(port, size_bytes)], self.accelerator.axi_bytes)
        self._add(beats)
        return event_totals(beats)

    def operation(self, cost: OperationCost) -> Added:
        """Enter a block operation, and return what it adds to the job."""
        before = self._timeline.end
        if cost.joins:
            self._timeline.join(cost.cycles)
        else:
            self._timeline.kernel(cost.cycles, overlaps=cost.overlaps)
        self._add(cost.beats)
        passed = self._timeline.end - before
        self._pass(passed, cost.cycles.mac_active, cost.ifm_bits)
        return Added(passed, cost.beats)

    def transfer(self, report: DmaReport) -> Added:
        """Enter a DMA transfer, and return what it adds to the job."""
        before = self._timeline.end
        moved = dma_traffic(report)
        self._timeline.transfer(ceil(self.accelerator.transfer_cycles(moved)))
        beats = traffic_events(moved, self.accelerator.axi_bytes)
        self._add(beats)
        passed = self._timeline.end - before
        self._pass(passed)
        return Added(passed, beats)

    def wait_for_kernels(self, outstanding: int) -> None:
        """NPU_OP_KERNEL_WAIT."""
        self._timeline.wait_for_kernels(outstanding)

    def wait_for_transfers(self, outstanding: int) -> None:
        """NPU_OP_DMA_WAIT."""
        self._timeline.wait_for_transfers(outstanding)

    def settle(self, result: JobResult) -> None:
        """Put the events into a job's result."""
        result.events = self._events.events()
        result.masked_events = self._masked_events.events()

    @property
    def _tally(self) -> _Tally:
        return self._masked_events if self.masked else self._events

    def _add(self, beats: Mapping[int, int]) -> None:
        sums = self._tally.beats
        for event, count in beats.items():
            sums[event] = sums.get(event, 0) + count

    def _pass(self, cycles: int, mac_active: int = 0, ifm_bits: int = 8) -> None:
        tally = self._tally
        tally.cycles += cycles
        tally.mac_active[ifm_bits] = tally.mac_active.get(ifm_bits, 0) + mac_active


def dma_traffic(report: DmaReport) -> list[Traffic]:
    """Return what a transfer moves over the bus; SHRAM's side costs nothing there."""
    traffic = []
    if report.source.port is not None:
        traffic.append(Traffic(report.source.port, read_bytes=report.size_bytes))
    if report.destination.port is not None:
        traffic.append(Traffic(report.destination.port, written_bytes=report.size_bytes))
    return traffic
