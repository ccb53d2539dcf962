# SPDX-License-Identifier: Apache-2.0
"""Keeps a job's account: cycles on a timeline, bus traffic, and the events they cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from ethosmith.npu.config import AcceleratorConfig
from ethosmith.npu.cycles import Cycles, Timeline, Workload, estimate
from ethosmith.npu.dma import DmaReport
from ethosmith.npu.events import cycle_events, traffic_events
from ethosmith.npu.faults import AxiPort
from ethosmith.npu.job import JobResult
from ethosmith.npu.traffic import Traffic


@dataclass(frozen=True)
class OperationCost:
    """What one operation costs.

    Attributes:
        cycles: Estimated cycles.
        ifm_bits: Element size of the IFM, which tells MAC events apart.
        beats: Data beats by event number.
    """

    cycles: Cycles
    ifm_bits: int
    beats: Mapping[int, int]


def operation_cost(
    accelerator: AcceleratorConfig, workload: Workload, traffic: list[Traffic]
) -> OperationCost:
    """Return the cost of an operation that does ``workload`` and moves ``traffic``."""
    return OperationCost(
        estimate(accelerator, workload),
        workload.ifm_bits,
        traffic_events(traffic, accelerator.axi_bytes),
    )


def busiest_port_bytes(traffic: list[Traffic]) -> int:
    """Return the bytes over the port that moves more, reads and writes side by side."""
    read: Counter[AxiPort] = Counter()
    written: Counter[AxiPort] = Counter()
    for entry in traffic:
        read[entry.port] += entry.read_bytes
        written[entry.port] += entry.written_bytes
    return max(*read.values(), *written.values(), 0, 0)


@dataclass
class Account:
    """Events of one job, apart for what runs under NPU_OP_PMU_MASK."""

    accelerator: AcceleratorConfig
    masked: bool = False
    _timeline: Timeline = field(default_factory=Timeline)
    _events: dict[int, int] = field(default_factory=dict)
    _masked_events: dict[int, int] = field(default_factory=dict)

    def commands(self, port: AxiPort, size_bytes: int) -> None:
        """Enter the fetch of the command stream."""
        self._add(traffic_events([Traffic(port, size_bytes)], self.accelerator.axi_bytes))

    def operation(self, cost: OperationCost) -> None:
        """Enter a block operation."""
        before = self._timeline.end
        self._timeline.kernel(cost.cycles.total)
        self._add(cost.beats)
        passed = self._timeline.end - before
        self._add(cycle_events(passed, cost.cycles.mac_active, cost.ifm_bits))

    def transfer(self, report: DmaReport) -> None:
        """Enter a DMA transfer."""
        before = self._timeline.end
        self._timeline.transfer(-(-report.size_bytes // self.accelerator.axi_bytes))
        self._add(traffic_events(dma_traffic(report), self.accelerator.axi_bytes))
        self._add(cycle_events(self._timeline.end - before, 0, 8))

    def wait_for_kernels(self, outstanding: int) -> None:
        """NPU_OP_KERNEL_WAIT."""
        self._timeline.wait_for_kernels(outstanding)

    def wait_for_transfers(self, outstanding: int) -> None:
        """NPU_OP_DMA_WAIT."""
        self._timeline.wait_for_transfers(outstanding)

    def settle(self, result: JobResult) -> None:
        """Put the events into a job's result."""
        result.events = self._events
        result.masked_events = self._masked_events

    def _add(self, events: Mapping[int, int]) -> None:
        account = self._masked_events if self.masked else self._events
        for event, count in events.items():
            account[event] = account.get(event, 0) + count


def dma_traffic(report: DmaReport) -> list[Traffic]:
    """Return what a transfer moves over the bus; SHRAM's side costs nothing there."""
    traffic = []
    if report.source.port is not None:
        traffic.append(Traffic(report.source.port, read_bytes=report.size_bytes))
    if report.destination.port is not None:
        traffic.append(Traffic(report.destination.port, written_bytes=report.size_bytes))
    return traffic
